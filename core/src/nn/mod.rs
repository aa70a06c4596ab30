//! stand-in
mod viewer;
use tract_onnx::prelude::*;
pub(crate) use viewer::Viewer;
/// Arithmetic of the networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    #[default]
    Exact,
    /// 16-bit integers where they do not change the answer.
    Fast,
}
pub(crate) struct OutputInfo {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
}
pub(crate) struct Network {
    plan: std::sync::Arc<TypedRunnableModel>,
    shape: [usize; 4],
    outputs: Vec<OutputInfo>,
}
#[derive(Default)]
pub(crate) struct Scratch {
    out: Vec<Vec<f32>>,
}
impl Scratch {
    pub(crate) fn output(&self, i: usize) -> &[f32] {
        &self.out[i]
    }
}
type E = Box<dyn std::error::Error + Send + Sync>;
impl Network {
    pub(crate) fn load(onnx: &[u8], shape: [usize; 4], _p: Precision) -> Result<Network, E> {
        let m = tract_onnx::onnx()
            .with_ignore_output_shapes(true)
            .model_for_read(&mut std::io::Cursor::new(onnx))?
            .with_input_fact(0, f32::fact(shape).into())?
            .into_optimized()?;
        let outputs = m
            .output_outlets()?
            .iter()
            .map(|o| {
                let f = m.outlet_fact(*o).unwrap();
                OutputInfo { name: String::new(), shape: f.shape.as_concrete().unwrap().to_vec() }
            })
            .collect();
        Ok(Network { plan: m.into_runnable()?, shape, outputs })
    }
    pub(crate) fn scratch(&self) -> Scratch {
        Scratch::default()
    }
    pub(crate) fn outputs(&self) -> &[OutputInfo] {
        &self.outputs
    }
    pub(crate) fn run(&self, input: &[f32], s: &mut Scratch) -> Result<(), E> {
        let t = Tensor::from_shape(&self.shape, input)?;
        let r = self.plan.run(tvec!(t.into()))?;
        s.out = r.iter().map(|t| t.to_plain_array_view::<f32>().unwrap().iter().copied().collect()).collect();
        Ok(())
    }
}
