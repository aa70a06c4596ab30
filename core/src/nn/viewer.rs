//! A network together with how it sees a picture.

use super::{Network, Precision, Scratch};
use crate::error::{Error, Kind, Result, Stage};
use crate::geometry::Similarity;
use crate::image::{Planar, Pyramid};
use crate::model::Pack;
use std::sync::Mutex;

/// A loaded network, its input form, and the buffers of runs that are over, so that a warm run allocates nothing.
pub(crate) struct Viewer {
    network: Network,
    form: Planar,
    spare: Mutex<Vec<Slot>>,
}

struct Slot {
    input: Vec<f32>,
    scratch: Scratch,
}

impl Viewer {
    /// Loads the weight `id` for an input of `width` x `height` and checks that its outputs have `lengths` values each.
    pub(crate) fn load(pack: &Pack, id: &str, width: usize, height: usize, lengths: &[usize], precision: Precision) -> Result<Self> {
        let weight = pack.read(id)?;
        let entry = pack.entry(id)?;
        let input = &entry.input;
        let form = Planar { width, height, colour: input.colour, scale: input.scale, offset: input.offset };
        let ranges = entry.int16.as_ref().filter(|_| precision == Precision::Fast);
        let network = Network::load(&weight, [1, 3, height, width], ranges)
            .map_err(|e| Error::new(Stage::Network, Kind::Model, format!("model {id}")).because(e))?;
        let found: Vec<usize> = network.outputs().iter().map(|o| o.shape.iter().product()).collect();
        if found != lengths {
            let message = format!("model {id}: outputs of {found:?} values, this engine expects {lengths:?}");
            return Err(Error::new(Stage::Network, Kind::Model, message));
        }
        Ok(Viewer { network, form, spare: Mutex::default() })
    }

    pub(crate) fn width(&self) -> usize {
        self.form.width
    }

    /// Runs the network on `pyramid` seen through `map` (and mirrored left to right if asked), then hands its outputs to `read`.
    pub(crate) fn see<R>(&self, pyramid: &Pyramid<'_>, map: &Similarity, mirror: bool, read: impl FnOnce(&[&[f32]]) -> R) -> Result<R> {
        self.run(
            |form, input| {
                pyramid.sample(map, form, input);
                if mirror {
                    input.chunks_exact_mut(form.width).for_each(<[f32]>::reverse);
                }
            },
            read,
        )
    }

    /// Runs the network on what `fill` writes, then hands its outputs to `read`.
    pub(crate) fn run<R>(&self, fill: impl FnOnce(&Planar, &mut [f32]), read: impl FnOnce(&[&[f32]]) -> R) -> Result<R> {
        let spare = self.spare.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).pop();
        let mut slot = spare.unwrap_or_else(|| Slot { input: vec![0.0; self.form.len()], scratch: self.network.scratch() });
        fill(&self.form, &mut slot.input);
        self.network
            .run(&slot.input, &mut slot.scratch)
            .map_err(|e| Error::new(Stage::Network, Kind::Internal, "a network failed to run").because(e))?;
        let mut outputs: [&[f32]; 12] = [&[]; 12];
        let count = self.network.outputs().len();
        for (i, output) in outputs[..count].iter_mut().enumerate() {
            *output = slot.scratch.output(i);
        }
        let result = read(&outputs[..count]);
        self.spare.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(slot);
        Ok(result)
    }
}
