//! A network together with how it sees a picture.

use crate::error::{Error, Kind, Result, Stage};
use crate::geometry::Similarity;
use crate::image::{Planar, Pyramid};
use crate::model::Pack;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use vultus_nn::kernel::Kernels;
use vultus_nn::{Network, Pool, Precision, Ranges, Scratch};

/// Loads the networks of a pack: for which kernels, in which precision.
pub(crate) struct Loader<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) kernels: Kernels,
    pub(crate) precision: Precision,
    /// Where the ranges that the networks show are recorded, if they are.
    pub(crate) watch: Option<Watch>,
}

/// The ranges that the networks of a pack have shown, by model id.
pub(crate) type Watch = Arc<Mutex<BTreeMap<String, Ranges>>>;

/// A loaded network, its input form, and the buffers of runs that are over, so that a warm run
/// allocates nothing.
pub(crate) struct Viewer {
    network: Network,
    form: Planar,
    spare: Mutex<Vec<Slot>>,
    /// Where the ranges of the network go, under its id.
    watch: Option<(Watch, String)>,
}

struct Slot {
    input: Vec<f32>,
    scratch: Scratch,
}

impl Viewer {
    /// Loads the weight `id` for an input of `width` x `height` and checks that its outputs have
    /// `lengths` values each.
    pub(crate) fn load(
        loader: &Loader<'_>,
        id: &str,
        width: usize,
        height: usize,
        lengths: &[usize],
    ) -> Result<Self> {
        let Loader {
            pack,
            kernels,
            precision,
            watch,
        } = loader;
        let entry = pack.entry(id)?;
        let input = &entry.input;
        let form = Planar {
            width,
            height,
            colour: input.colour,
            scale: input.scale,
            offset: input.offset,
        };
        let ranges = entry
            .int16
            .as_ref()
            .filter(|_| *precision == Precision::Fast);
        let network = Network::load_owned(*kernels, pack.read(id)?, [1, 3, height, width], ranges)
            .map_err(|e| {
                Error::new(Stage::Network, Kind::Model, format!("model {id}")).because(e)
            })?;
        let found: Vec<usize> = network
            .outputs()
            .iter()
            .map(|o| o.shape.iter().product())
            .collect();
        if found != lengths {
            let message =
                format!("model {id}: outputs of {found:?} values, this engine expects {lengths:?}");
            return Err(Error::new(Stage::Network, Kind::Model, message));
        }
        let watch = watch.as_ref().map(|watch| (watch.clone(), id.to_owned()));
        Ok(Viewer {
            network,
            form,
            spare: Mutex::default(),
            watch,
        })
    }

    pub(crate) fn width(&self) -> usize {
        self.form.width
    }

    /// Runs the network on `pyramid` seen through `map`, then hands its outputs to `read`.
    pub(crate) fn see<R>(
        &self,
        pyramid: &Pyramid<'_>,
        map: &Similarity,
        read: impl FnOnce(&[&[f32]]) -> R,
    ) -> Result<R> {
        self.run(|form, input| pyramid.sample(map, form, input), read)
    }

    /// Runs the network on `pyramid` seen through `map` and on its mirror image, then hands the
    /// first output of both to `read`.
    pub(crate) fn see_both_ways<R>(
        &self,
        pyramid: &Pyramid<'_>,
        map: &Similarity,
        pool: Option<&Pool>,
        read: impl FnOnce([&[f32]; 2]) -> R,
    ) -> Result<R> {
        let fill = |form: &Planar, [plain, mirrored]: [&mut [f32]; 2]| {
            pyramid.sample(map, form, plain);
            mirrored.copy_from_slice(plain);
            mirrored
                .chunks_exact_mut(form.width)
                .for_each(<[f32]>::reverse);
        };
        self.run_pair(fill, pool, read)
    }

    /// Runs the network on the two inputs that `fill` writes, then hands the first output of both
    /// to `read`.
    pub(crate) fn run_pair<R>(
        &self,
        fill: impl FnOnce(&Planar, [&mut [f32]; 2]),
        pool: Option<&Pool>,
        read: impl FnOnce([&[f32]; 2]) -> R,
    ) -> Result<R> {
        let (mut one, mut other) = (self.slot(), self.slot());
        fill(&self.form, [&mut one.input, &mut other.input]);
        if let Some(pool) = pool {
            let (one, other) = pool.join(|| self.go(&mut one), || self.go(&mut other));
            one.and(other)
        } else if self.watch.is_some() {
            self.go(&mut one).and_then(|()| self.go(&mut other))
        } else {
            self.network.run_pair(
                [&one.input, &other.input],
                [&mut one.scratch, &mut other.scratch],
            )
        }
        .map_err(failed)?;
        let result = read([one.scratch.output(0), other.scratch.output(0)]);
        lock(&self.spare).extend([one, other]);
        Ok(result)
    }

    /// Runs the network on what `fill` writes, then hands its outputs to `read`.
    pub(crate) fn run<R>(
        &self,
        fill: impl FnOnce(&Planar, &mut [f32]),
        read: impl FnOnce(&[&[f32]]) -> R,
    ) -> Result<R> {
        let mut slot = self.slot();
        fill(&self.form, &mut slot.input);
        self.go(&mut slot).map_err(failed)?;
        let mut outputs: [&[f32]; 12] = [&[]; 12];
        let count = self.network.outputs().len();
        for (i, output) in outputs[..count].iter_mut().enumerate() {
            *output = slot.scratch.output(i);
        }
        let result = read(&outputs[..count]);
        lock(&self.spare).push(slot);
        Ok(result)
    }

    fn slot(&self) -> Slot {
        let spare = lock(&self.spare).pop();
        spare.unwrap_or_else(|| Slot {
            input: vec![0.0; self.form.len()],
            scratch: self.network.scratch(),
        })
    }

    fn go(&self, slot: &mut Slot) -> std::result::Result<(), vultus_nn::Error> {
        match &self.watch {
            None => self.network.run(&slot.input, &mut slot.scratch),
            Some((watch, id)) => self.network.calibrate(
                &slot.input,
                &mut slot.scratch,
                lock(watch).entry(id.clone()).or_default(),
            ),
        }
    }
}

fn failed(error: vultus_nn::Error) -> Error {
    Error::new(Stage::Network, Kind::Internal, "a network failed to run").because(error)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
