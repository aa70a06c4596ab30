//! Single layers, one for each kernel, and the networks of the pack, on every instruction set of
//! this CPU, in floats and in 16-bit integers.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prost::Message;
use std::path::Path;
use std::time::Duration;
use tract_onnx::pb;
use vultus_nn::kernel::{Isa, Kernels};
use vultus_nn::{Network, Ranges};

/// A graph of one operator on an input of `channels` x `side` x `side`, after a 1x1 convolution
/// that makes the channels of three.
fn layer(
    kind: &str,
    channels: usize,
    outputs: usize,
    side: usize,
    kernel: usize,
    stride: usize,
    group: usize,
) -> Vec<u8> {
    let tensor = |name: &str, dims: &[usize]| pb::TensorProto {
        name: name.into(),
        dims: dims.iter().map(|&d| d as i64).collect(),
        data_type: 1,
        float_data: (0..dims.iter().product())
            .map(|i: usize| (i * 37 % 101) as f32 / 101.0 - 0.5)
            .collect(),
        ..Default::default()
    };
    let ints = |name: &str, values: &[usize]| pb::AttributeProto {
        name: name.into(),
        r#type: 7,
        ints: values.iter().map(|&v| v as i64).collect(),
        ..Default::default()
    };
    let node = |kind: &str, input: &[&str], output: &str, attribute: Vec<pb::AttributeProto>| {
        pb::NodeProto {
            op_type: kind.into(),
            input: input.iter().map(|&i| i.into()).collect(),
            output: vec![output.into()],
            attribute,
            ..Default::default()
        }
    };
    let info = |name: &str, shape: Option<[usize; 4]>| {
        let dim = |size: usize| pb::tensor_shape_proto::Dimension {
            value: Some(pb::tensor_shape_proto::dimension::Value::DimValue(
                size as i64,
            )),
            ..Default::default()
        };
        let shape = shape.map(|shape| pb::TensorShapeProto {
            dim: shape.map(dim).to_vec(),
        });
        let value = Some(pb::type_proto::Value::TensorType(pb::type_proto::Tensor {
            elem_type: 1,
            shape,
        }));
        pb::ValueInfoProto {
            name: name.into(),
            r#type: Some(pb::TypeProto {
                value,
                ..Default::default()
            }),
            ..Default::default()
        }
    };
    let pad = kernel / 2;
    let mut attributes = vec![
        ints("kernel_shape", &[kernel; 2]),
        ints("strides", &[stride; 2]),
        ints("pads", &[pad; 4]),
    ];
    if group > 1 {
        attributes.push(pb::AttributeProto {
            name: "group".into(),
            r#type: 2,
            i: group as i64,
            ..Default::default()
        });
    }
    let mut graph = pb::GraphProto {
        name: "layer".into(),
        input: vec![info("picture", Some([1, 3, side, side]))],
        output: vec![info("result", None)],
        initializer: vec![tensor("w0", &[channels, 3, 1, 1])],
        node: vec![node("Conv", &["picture", "w0"], "map", vec![])],
        ..Default::default()
    };
    if kind == "Conv" {
        graph
            .initializer
            .push(tensor("w1", &[outputs, channels / group, kernel, kernel]));
        graph
            .node
            .push(node("Conv", &["map", "w1"], "result", attributes));
    } else {
        graph.node.push(node(kind, &["map"], "result", attributes));
    }
    let opset_import = vec![pb::OperatorSetIdProto {
        domain: String::new(),
        version: 13,
    }];
    pb::ModelProto {
        ir_version: 7,
        opset_import,
        graph: Some(graph),
        ..Default::default()
    }
    .encode_to_vec()
}

fn both(onnx: &[u8], shape: [usize; 4], ranges: Option<Ranges>) -> Vec<(String, Network)> {
    let mut found = Vec::new();
    for kernels in Kernels::all().filter(|kernels| kernels.isa() != Isa::Scalar) {
        let load = |ranges: Option<&Ranges>| {
            Network::load(kernels, onnx, shape, ranges).expect("the graph is whole")
        };
        for (arithmetic, ranges) in [("f32", None), ("int16", ranges.as_ref())] {
            if arithmetic == "f32" || ranges.is_some() {
                let name = format!("{} {arithmetic}", kernels.isa().name());
                found.push((name, load(ranges)));
            }
        }
    }
    found
}

fn kernels(c: &mut Criterion) {
    let cases = [
        (
            "pointwise 128 to 64, 28x28",
            layer("Conv", 128, 64, 28, 1, 1, 1),
        ),
        (
            "pointwise 512 to 128, 7x7",
            layer("Conv", 512, 128, 7, 1, 1, 1),
        ),
        (
            "dense 3x3, 32 to 32, 35x35",
            layer("Conv", 32, 32, 35, 3, 1, 1),
        ),
        (
            "dense 3x3, 256 to 256, 4x4",
            layer("Conv", 256, 256, 4, 3, 1, 1),
        ),
        (
            "depthwise 3x3, 128, 28x28",
            layer("Conv", 128, 128, 28, 3, 1, 128),
        ),
        (
            "depthwise 3x3 stride 2, 128, 56x56",
            layer("Conv", 128, 128, 56, 3, 2, 128),
        ),
        (
            "depthwise 5x5, 64, 32x32",
            layer("Conv", 64, 64, 32, 5, 1, 64),
        ),
        (
            "max pool 3x3 stride 2, 32, 72x72",
            layer("MaxPool", 32, 32, 72, 3, 2, 1),
        ),
    ];
    let mut group = c.benchmark_group("kernels");
    group
        .measurement_time(Duration::from_secs(1))
        .warm_up_time(Duration::from_millis(200));
    for (name, onnx) in cases {
        let shape = Network::input_shape(&onnx)
            .expect("the graph is whole")
            .expect("the graph states its input");
        let input: Vec<f32> = (0..shape.iter().product())
            .map(|i: usize| (i * 37 % 255) as f32 / 255.0)
            .collect();
        let exact = Network::load(Kernels::best(), &onnx, shape, None).expect("the graph is whole");
        let mut ranges = Ranges::new();
        exact
            .calibrate(&input, &mut exact.scratch(), &mut ranges)
            .expect("the input fits");
        for (how, network) in both(&onnx, shape, (!ranges.is_empty()).then_some(ranges)) {
            let mut scratch = network.scratch();
            let last = network.explain().layers.len() - 1;
            group.throughput(Throughput::Elements(
                network.explain().layers[last].macs.max(1),
            ));
            group.bench_function(BenchmarkId::new(name, how), |b| {
                // Only the layer itself: the one before it makes its input.
                b.iter_custom(|runs| {
                    let times = (0..runs)
                        .map(|_| network.time(&input, &mut scratch).expect("the input fits")[last]);
                    Duration::from_secs_f64(times.sum())
                });
            });
        }
    }
}

fn networks(c: &mut Criterion) {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../build/pack");
    let sides = [
        ("blazeface-short", 128),
        ("blazeface-full", 192),
        ("centerface", 640),
        ("facemesh-468", 192),
        ("iris", 64),
        ("mobilefacenet", 112),
        ("sface", 112),
        ("minifasnet-v2", 80),
    ];
    let manifest = std::fs::read(pack.join("pack.json")).expect("`make pack` builds the pack");
    let manifest: serde_json::Value =
        serde_json::from_slice(&manifest).expect("the manifest is JSON");
    let mut group = c.benchmark_group("networks");
    for (id, side) in sides {
        let onnx =
            std::fs::read(pack.join(format!("{id}.onnx"))).expect("`make pack` builds the pack");
        let entry = manifest["models"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|model| model["id"] == id);
        let ranges = entry.and_then(|entry| serde_json::from_value(entry["int16"].clone()).ok());
        let input = vec![0.25; 3 * side * side];
        for (how, network) in both(&onnx, [1, 3, side, side], ranges) {
            let mut scratch = network.scratch();
            group.bench_function(BenchmarkId::new(id, how), |b| {
                b.iter(|| network.run(&input, &mut scratch))
            });
        }
    }
}

criterion_group!(benches, kernels, networks);
criterion_main!(benches);
