//! Every kernel on every instruction set: the same bits as the scalar twin, and close to a naive
//! sum in f64.

use super::*;

struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn blocks(&mut self, length: usize) -> Vec<F32s> {
        (0..length)
            .map(|_| F32s(std::array::from_fn(|_| self.next())))
            .collect()
    }

    fn ints(&mut self, length: usize, largest: f32) -> Vec<I16s> {
        (0..length)
            .map(|_| I16s(std::array::from_fn(|_| (self.next() * largest) as i16)))
            .collect()
    }
}

/// The instruction sets of this CPU, the scalar twin first. One that `VULTUS_REQUIRED_ISA` names
/// (with commas between) and that this CPU lacks fails the test.
pub(crate) fn required() -> Vec<Kernels> {
    let found: Vec<Kernels> = Kernels::all().collect();
    assert_eq!(found[0].isa(), Isa::Scalar);
    let names = std::env::var("VULTUS_REQUIRED_ISA").unwrap_or_default();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let isa: Isa = name.parse().unwrap();
        assert!(
            found.iter().any(|kernels| kernels.isa() == isa),
            "this CPU lacks {name}, which is required"
        );
    }
    found
}

const PLAIN: Epilogue<'static> = Epilogue {
    before: None,
    activation: Activation::None,
    after: None,
};

/// Runs on every instruction set and returns what all of them made.
fn same_bits(
    length: usize,
    what: &str,
    run: impl Fn(Kernels, &mut [F32s], &mut [I16s]),
) -> (Vec<F32s>, Vec<I16s>) {
    let mut expected = None;
    for kernels in required() {
        let (mut to, mut ints) = (vec![F32s::ZERO; length], vec![I16s::ZERO; length]);
        run(kernels, &mut to, &mut ints);
        let bits: Vec<u32> = floats(&to).iter().map(|x| x.to_bits()).collect();
        let (_, first, first_ints) =
            expected.get_or_insert_with(|| (to.clone(), bits.clone(), ints.clone()));
        assert!(
            *first == bits && *first_ints == ints,
            "{what} on {:?}",
            kernels.isa()
        );
    }
    expected.map(|(to, _, ints)| (to, ints)).unwrap()
}

fn close(found: f32, expected: f64, what: &str) {
    assert!(
        (f64::from(found) - expected).abs() <= 1e-5 * expected.abs().max(1.0),
        "{what}: {found} is not {expected}"
    );
}

#[test]
fn pointwise_in_floats_every_remainder() {
    let mut random = Random(1);
    for pixels in (1..=32).chain([49, 64, 100]) {
        for (inputs, blocks) in [(1, 1), (16, 2), (24, 3), (35, 1)] {
            let (taps, order) = (pointwise(inputs, pixels), inputs);
            let input = random.blocks(pixels * inputs.div_ceil(LANES));
            let (weights, bias) = (random.blocks(blocks * order), random.blocks(blocks));
            let (residual, slopes) = (random.blocks(blocks * pixels), random.blocks(blocks));
            let what = format!("{pixels} pixels, {inputs} inputs, {blocks} blocks");
            let (to, ints) = same_bits(blocks * pixels, &what, |kernels, to, ints| {
                let epilogue = Epilogue {
                    before: Some(&residual),
                    activation: Activation::Slope(&slopes),
                    after: Some(&residual[..pixels]),
                };
                let target = Target {
                    floats: Some(to),
                    ints: Some((ints, 1000.0)),
                    plane: pixels,
                    first: 0,
                };
                let layout = Layout {
                    rows: 1,
                    columns: pixels,
                    origin: 0,
                    row_step: 0,
                    column_step: 1,
                };
                kernels.run(Conv::<F32> {
                    input: &input,
                    offset: 0,
                    taps: &taps,
                    layout,
                    weights: &weights,
                    bias: &bias,
                    scale: &bias,
                    epilogue,
                    target,
                });
            });
            for (at, lane) in
                (0..blocks * pixels).flat_map(|at| (0..LANES).map(move |lane| (at, lane)))
            {
                let (block, pixel) = (at / pixels, at % pixels);
                let products = (0..inputs).map(|k| {
                    f64::from(input[k / LANES * pixels + pixel].0[k % LANES])
                        * f64::from(weights[block * inputs + k].0[lane])
                });
                let sum = products.sum::<f64>()
                    + f64::from(bias[block].0[lane])
                    + f64::from(residual[at].0[lane]);
                let active = if sum > 0.0 {
                    sum
                } else {
                    sum * f64::from(slopes[block].0[lane])
                };
                let expected = if block == 0 {
                    active + f64::from(residual[at].0[lane])
                } else {
                    active
                };
                close(to[at].0[lane], expected, &what);
                assert!(
                    (f64::from(ints[at].0[lane]) - (expected * 1000.0).clamp(-8191.0, 8191.0))
                        .abs()
                        <= 0.6,
                    "{what}"
                );
            }
        }
    }
}

fn pointwise(inputs: usize, pixels: usize) -> Taps {
    Taps {
        offsets: (0..inputs.div_ceil(LANES))
            .map(|block| (block * pixels * LANES) as u32)
            .collect(),
        run: LANES,
        tail: usize::from(!inputs.is_multiple_of(LANES)),
        tail_run: inputs % LANES,
        pixel_step: LANES,
        row_step: 0,
    }
}

#[test]
fn strided_planar_and_scattered_convolutions() {
    let mut random = Random(2);
    for (pixel_step, kernel) in [(1, 3), (2, 5), (3, 3), (16, 16), (32, 16), (48, 16)] {
        let (rows, columns, blocks) = (3, 17, 3);
        let row_step = 20 * pixel_step + 64;
        let input = random.blocks(rows * row_step / LANES + 40);
        let taps = Taps {
            offsets: vec![0, 64, 7, 128],
            run: kernel,
            tail: 1,
            tail_run: 2,
            pixel_step,
            row_step,
        };
        let (weights, bias) = (random.blocks(blocks * taps.length()), random.blocks(blocks));
        let (plane, what) = (rows * columns * 4, format!("step {pixel_step}"));
        let (to, _) = same_bits(blocks * plane, &what, |kernels, to, _| {
            let target = Target {
                floats: Some(to),
                ints: None,
                plane,
                first: 0,
            };
            let layout = Layout {
                rows,
                columns,
                origin: 1,
                row_step: 4 * columns,
                column_step: 2,
            };
            let epilogue = Epilogue {
                activation: Activation::Clip {
                    low: -0.5,
                    high: 1.0,
                },
                ..PLAIN
            };
            kernels.run(Conv::<F32> {
                input: &input,
                offset: 0,
                taps: &taps,
                layout,
                weights: &weights,
                bias: &bias,
                scale: &bias,
                epilogue,
                target,
            });
        });
        for (block, y, x) in (0..blocks)
            .flat_map(|b| (0..rows).flat_map(move |y| (0..columns).map(move |x| (b, y, x))))
        {
            for lane in 0..LANES {
                let units = taps
                    .runs()
                    .flat_map(|(tap, run)| tap..tap + run)
                    .map(|unit| unit + y * row_step + x * pixel_step);
                let weights = weights[block * taps.length()..]
                    .iter()
                    .map(|w| f64::from(w.0[lane]));
                let sum: f64 = units
                    .zip(weights)
                    .map(|(unit, w)| f64::from(floats(&input)[unit]) * w)
                    .sum();
                let expected = (sum + f64::from(bias[block].0[lane])).clamp(-0.5, 1.0);
                close(
                    to[block * plane + 1 + y * 4 * columns + 2 * x].0[lane],
                    expected,
                    &what,
                );
            }
        }
    }
}

#[test]
fn integers_are_exact_at_the_limit() {
    let mut random = Random(3);
    for (pixels, units) in [(1, 8), (5, 16), (14, 24), (29, 12)] {
        let blocks = 3;
        let taps = Taps {
            offsets: (0..units / 4).map(|i| (i % 2 * 4) as u32).collect(),
            run: 4,
            tail: 0,
            tail_run: 0,
            pixel_step: LANES / 2,
            row_step: 0,
        };
        // The largest sum that the scales allow: every product has the same sign.
        let extreme = pixels == 5;
        let input = if extreme {
            vec![I16s([8191; LANES]); pixels]
        } else {
            random.ints(pixels, 8191.0)
        };
        let most = (i64::from(i32::MAX) / 8191 / (2 * units as i64)) as f32;
        let weights: Vec<[I16s; 2]> = (0..blocks * units)
            .map(|_| {
                if extreme {
                    [I16s([most as i16; LANES]); 2]
                } else {
                    [random.ints(1, most)[0], random.ints(1, most)[0]]
                }
            })
            .collect();
        let (bias, scale) = (random.blocks(blocks), vec![F32s([1e-6; LANES]); blocks]);
        let (to, _) = same_bits(blocks * pixels, "integers", |kernels, to, _| {
            let target = Target {
                floats: Some(to),
                ints: None,
                plane: pixels,
                first: 0,
            };
            let layout = Layout {
                rows: 1,
                columns: pixels,
                origin: 0,
                row_step: 0,
                column_step: 1,
            };
            kernels.run(Conv::<I16> {
                input: &input,
                offset: 0,
                taps: &taps,
                layout,
                weights: &weights,
                bias: &bias,
                scale: &scale,
                epilogue: PLAIN,
                target,
            });
        });
        for (at, lane) in (0..blocks * pixels).flat_map(|at| (0..LANES).map(move |lane| (at, lane)))
        {
            let (block, pixel) = (at / pixels, at % pixels);
            let products = taps
                .runs()
                .flat_map(|(tap, run)| tap..tap + run)
                .zip(&weights[block * units..])
                .map(|(unit, pair)| {
                    let weight = |i: usize| pair[(2 * lane + i) / LANES].0[(2 * lane + i) % LANES];
                    (0..2)
                        .map(|i| i64::from(input[pixel].0[2 * unit + i]) * i64::from(weight(i)))
                        .sum::<i64>()
                });
            let sum: i64 = products.sum();
            assert!(i32::try_from(sum).is_ok());
            close(
                to[at].0[lane],
                sum as f64 * f64::from(1e-6f32) + f64::from(bias[block].0[lane]),
                "integers",
            );
        }
    }
}

#[test]
fn depthwise_every_size_stride_and_padding() {
    let mut random = Random(4);
    for (kernel, stride, padding) in [
        (3, 1, 1),
        (3, 2, 1),
        (3, 2, 0),
        (5, 1, 2),
        (5, 2, 2),
        (5, 2, 1),
        (7, 1, 0),
        (2, 3, 1),
        (3, 1, 2),
    ] {
        for (height, width) in [(7, 7), (1, 9), (8, 16), (9, 31), (12, 3)] {
            let padded = [height + 2 * padding, width + 2 * padding];
            if padded.iter().any(|&side| side < kernel) {
                continue;
            }
            let output_size = padded.map(|side| (side - kernel) / stride + 1);
            let (blocks, plane) = (2, output_size[0] * output_size[1]);
            let input = random.blocks(blocks * height * width);
            let (weights, bias) = (
                random.blocks(blocks * kernel * kernel),
                random.blocks(blocks),
            );
            let what = format!("{kernel}x{kernel}/{stride}+{padding} on {height}x{width}");
            let (to, _) = same_bits(blocks * plane, &what, |kernels, to, _| {
                kernels.run(Depthwise {
                    input: &input,
                    input_plane: height * width,
                    input_size: [height, width],
                    output_size,
                    kernel: [kernel; 2],
                    stride: [stride; 2],
                    padding: [padding; 2],
                    weights: &weights,
                    bias: &bias,
                    epilogue: PLAIN,
                    target: Target {
                        floats: Some(to),
                        ints: None,
                        plane,
                        first: 0,
                    },
                });
            });
            for (at, lane) in
                (0..blocks * plane).flat_map(|at| (0..LANES).map(move |lane| (at, lane)))
            {
                let (block, y, x) = (at / plane, at % plane / output_size[1], at % output_size[1]);
                let mut sum = f64::from(bias[block].0[lane]);
                for (ky, kx) in (0..kernel).flat_map(|ky| (0..kernel).map(move |kx| (ky, kx))) {
                    let (row, column) = (
                        (y * stride + ky).wrapping_sub(padding),
                        (x * stride + kx).wrapping_sub(padding),
                    );
                    if row < height && column < width {
                        let value = input[(block * height + row) * width + column].0[lane];
                        sum += f64::from(value)
                            * f64::from(
                                weights[block * kernel * kernel + ky * kernel + kx].0[lane],
                            );
                    }
                }
                close(to[at].0[lane], sum, &what);
            }
        }
    }
}

#[test]
fn pools_and_resizes() {
    let mut random = Random(5);
    let (height, width, blocks) = (7, 9, 2);
    let input = random.blocks(blocks * height * width);
    for kind in [PoolKind::Max, PoolKind::Average] {
        let output_size = [4, 5];
        let (to, _) = same_bits(blocks * 20, "pool", |kernels, to, _| {
            let target = Target {
                floats: Some(to),
                ints: None,
                plane: 20,
                first: 0,
            };
            let input_size = [height, width];
            kernels.run(Pool {
                kind,
                input: &input,
                input_size,
                output_size,
                window: [3, 3],
                stride: [2, 2],
                padding: [1, 1],
                epilogue: PLAIN,
                target,
            });
        });
        for (at, lane) in (0..blocks * 20).flat_map(|at| (0..LANES).map(move |lane| (at, lane))) {
            let (block, y, x) = (at / 20, at % 20 / 5, at % 5);
            let inside = |c: usize, limit: usize| (2 * c).saturating_sub(1)..(2 * c + 2).min(limit);
            let window: Vec<f64> = inside(y, height)
                .flat_map(|row| inside(x, width).map(move |column| (row, column)))
                .map(|(row, column)| {
                    f64::from(input[(block * height + row) * width + column].0[lane])
                })
                .collect();
            let expected = match kind {
                PoolKind::Max => window.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                PoolKind::Average => window.iter().sum::<f64>() / window.len() as f64,
            };
            close(to[at].0[lane], expected, "pool");
        }
    }
    let (rows, columns) = (
        Interpolation::linear(height, 2 * height),
        Interpolation::linear(width, 2 * width),
    );
    let plane = 4 * height * width;
    let (to, _) = same_bits(blocks * plane, "resize", |kernels, to, _| {
        let target = Target {
            floats: Some(to),
            ints: None,
            plane,
            first: 0,
        };
        kernels.run(Resize {
            input: &input,
            input_size: [height, width],
            rows: &rows,
            columns: &columns,
            epilogue: PLAIN,
            target,
        });
    });
    // Inside, the first output between inputs 0 and 1 is three quarters of the first.
    let at = |y: usize, x: usize| f64::from(input[y * width + x].0[3]);
    let mix = |a: f64, b: f64| 0.75 * a + 0.25 * b;
    close(
        to[2 * width + 1].0[3],
        mix(mix(at(0, 0), at(0, 1)), mix(at(1, 0), at(1, 1))),
        "resize",
    );
    close(to[0].0[3], at(0, 0), "resize");
}

#[test]
fn activations_of_nan_and_infinity_are_the_same_everywhere() {
    let values = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -0.0,
        0.0,
        1e-40,
        f32::MAX,
        f32::MIN,
        2.5,
        -2.5,
        3.5,
        0.5,
        1.5,
        -1.5,
        1e9,
        -1e9,
    ];
    let (input, slopes) = ([F32s(values)], [F32s([0.25; LANES])]);
    for activation in [
        Activation::Clip {
            low: 0.0,
            high: 6.0,
        },
        Activation::Slope(&slopes),
        Activation::None,
    ] {
        let (_, ints) = same_bits(1, "activation", |kernels, to, ints| {
            let target = Target {
                floats: Some(to),
                ints: Some((ints, 1.0)),
                plane: 1,
                first: 0,
            };
            kernels.run(Combine {
                input: &input,
                factors: None,
                epilogue: Epilogue {
                    activation,
                    ..PLAIN
                },
                target,
            });
        });
        assert!(
            ints[0].0.iter().all(|value| value.abs() <= 8191),
            "{ints:?}"
        );
    }
}

#[test]
fn dots_of_every_length() {
    let mut random = Random(6);
    for length in 0..=200 {
        let (a, b): (Vec<f32>, Vec<f32>) =
            (0..length).map(|_| (random.next(), random.next())).unzip();
        let results: Vec<f32> = required()
            .into_iter()
            .map(|kernels| {
                let mut result = f32::NAN;
                kernels.run(Dot {
                    a: &a,
                    b: &b,
                    result: &mut result,
                });
                result
            })
            .collect();
        assert!(
            results.iter().all(|r| r.to_bits() == results[0].to_bits()),
            "{length}: {results:?}"
        );
        close(
            results[0],
            a.iter()
                .zip(&b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum(),
            "dot",
        );
    }
}

#[test]
fn scans_of_bytes_are_exact() {
    let mut random = Random(8);
    for (length, count) in [(0, 3), (32, 0), (32, 1), (64, 7), (320, 5), (512, 2)] {
        let mut draw = |n: usize| {
            (0..n)
                .map(|_| (random.next() * 128.0).floor() as i8)
                .collect::<Vec<i8>>()
        };
        let (mut codes, mut probe) = (draw(length * count), draw(length));
        // The extremes, all of one sign.
        codes
            .iter_mut()
            .take(length)
            .for_each(|code| *code = i8::MIN);
        probe
            .iter_mut()
            .take(usize::from(count == 1) * length)
            .for_each(|code| *code = i8::MIN);
        let probe: Vec<i16> = probe.into_iter().map(i16::from).collect();
        let products = |code: &[i8]| {
            code.iter()
                .zip(&probe)
                .map(|(&a, &b)| i32::from(a) * i32::from(b))
                .sum::<i32>()
        };
        let expected: Vec<i32> = (0..count)
            .map(|at| products(&codes[at * length..][..length]))
            .collect();
        for kernels in required() {
            let mut sums = vec![-1; count];
            kernels.run(Scan {
                codes: &codes,
                probe: &probe,
                sums: &mut sums,
            });
            assert_eq!(sums, expected, "{length} x {count} on {:?}", kernels.isa());
        }
    }
}

#[test]
fn pictures_are_sampled_and_halved_alike() {
    let mut random = Random(9);
    for [height, width] in [[1, 1], [2, 2], [3, 2], [2, 3], [5, 7], [40, 131], [9, 300]] {
        let rgb: Vec<u8> = (0..height * width * 3)
            .map(|_| (random.next() * 128.0 + 128.0) as u8)
            .collect();
        let mut halves = Vec::new();
        let mut views: Vec<Vec<u32>> = Vec::new();
        for kernels in required() {
            let mut half = vec![0; (height / 2) * (width / 2) * 3];
            kernels.run(Halve {
                rgb: &rgb,
                size: [height, width],
                half: &mut half,
            });
            for (at, &mean) in half.iter().enumerate() {
                let (y, x, c) = (at / (width / 2 * 3), at / 3 % (width / 2), at % 3);
                let pixel = |dy: usize, dx: usize| {
                    u32::from(rgb[((2 * y + dy) * width + 2 * x + dx) * 3 + c])
                };
                assert_eq!(
                    u32::from(mean),
                    (pixel(0, 0) + pixel(0, 1) + pixel(1, 0) + pixel(1, 1) + 2) / 4,
                    "{height} x {width}"
                );
            }
            halves.push(half);
            let mut planes = [(); 3].map(|()| vec![0.0; 17 * 33]);
            let [red, green, blue] = &mut planes;
            kernels.run(Sample {
                rgb: &rgb,
                size: [height, width],
                start: |y| [-3.3 + 0.1 * y as f32, -2.2 + 0.9 * y as f32],
                step: [1.7, 0.3],
                affine: [0.5, -1.0],
                planes: [red, green, blue],
                columns: 33,
            });
            let taps = |whole: usize| {
                let mut filter = Filter::new(whole, 4);
                (0..whole).for_each(|i| filter.set(i, i..whole.min(i + 4)).fill(0.37));
                filter
            };
            let (columns, rows) = (taps(width), taps(height));
            let mut shrunk = [(); 3].map(|()| vec![0.0; width * height]);
            let [red, green, blue] = &mut shrunk;
            kernels.run(Shrink {
                rgb: &rgb,
                width,
                columns: &columns,
                rows: &rows,
                affine: [0.5, -1.0],
                planes: [red, green, blue],
            });
            views.push(
                planes
                    .iter()
                    .chain(&shrunk)
                    .flatten()
                    .map(|v| v.to_bits())
                    .collect(),
            );
        }
        assert!(
            halves.iter().all(|half| *half == halves[0])
                && views.iter().all(|view| *view == views[0]),
            "{height} x {width}"
        );
    }
}

#[test]
fn pictures_are_framed_by_zeros() {
    let mut random = Random(10);
    for (rows, columns, top, left) in [
        (1usize, 1usize, 0usize, 0usize),
        (3, 16, 1, 1),
        (5, 37, 0, 2),
        (4, 50, 3, 0),
    ] {
        let (height, width) = (rows + top + 1, columns + left + 2);
        let input: Vec<f32> = (0..2 * rows * columns).map(|_| random.next()).collect();
        let affine = [[2.0, 0.5], [-1.0, 3.0]];
        let length = (2 * height * width).next_multiple_of(LANES);
        let (to, _) = same_bits(length / LANES, "picture", |kernels, to, _| {
            to.fill(F32s([9.0; LANES]));
            let size = ([rows, columns], [height, width]);
            kernels.run(Picture {
                input: &input,
                affine: &affine,
                input_size: size.0,
                output_size: size.1,
                padding: [top, left],
                output: floats_mut(to),
            });
        });
        for (at, &found) in floats(&to).iter().enumerate() {
            let (plane, y, x) = (at / (height * width), at / width % height, at % width);
            let inside =
                plane < 2 && (top..top + rows).contains(&y) && (left..left + columns).contains(&x);
            let expected = if inside {
                input[(plane * rows + y - top) * columns + x - left] * affine[plane][0]
                    + affine[plane][1]
            } else {
                0.0
            };
            close(found, f64::from(expected), "picture");
        }
    }
}
