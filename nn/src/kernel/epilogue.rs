//! What happens to a sum before it is stored: residual, activation, residual, rounding to integers.

use super::{F32s, I16s, Kernel, Simd};

/// The largest magnitude of an activation in 16-bit arithmetic. The weights are scaled so that a
/// sum of products with it fits 32 bits.
pub(crate) const MAX_ACTIVATION: f32 = 8191.0;

/// An activation function.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activation<'a> {
    None,
    /// `min(max(x, low), high)`.
    Clip {
        low: f32,
        high: f32,
    },
    /// `max(x, 0) + slope * min(x, 0)`, one slope a channel.
    Slope(&'a [F32s]),
}

/// What is applied to a sum, in this order. A residual is a map of the size of the output; blocks
/// that it lacks count as zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Epilogue<'a> {
    pub(crate) before: Option<&'a [F32s]>,
    pub(crate) activation: Activation<'a>,
    pub(crate) after: Option<&'a [F32s]>,
}

/// Where the result goes: floats, integers (with what a float is multiplied by), or both.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) floats: Option<&'a mut [F32s]>,
    pub(crate) ints: Option<(&'a mut [I16s], f32)>,
    /// Pixels of a channel block.
    pub(crate) plane: usize,
    /// The pixel of a block that the kernel's first result goes to.
    pub(crate) first: usize,
}

/// An epilogue and its target as pointers, checked once for `blocks` channel blocks.
#[derive(Clone, Copy)]
pub(super) struct Sink<'a> {
    before: &'a [F32s],
    activation: Activation<'a>,
    after: &'a [F32s],
    floats: *mut F32s,
    ints: *mut I16s,
    scale: f32,
    plane: usize,
    first: usize,
}

impl<'a> Sink<'a> {
    /// For `blocks` channel blocks of `pixels` results.
    pub(super) fn new(
        epilogue: Epilogue<'a>,
        target: Target<'a>,
        blocks: usize,
        pixels: usize,
    ) -> Sink<'a> {
        let Target {
            floats,
            ints,
            plane,
            first,
        } = target;
        assert!(first + pixels <= plane, "the results are inside the block");
        let (before, after) = (
            epilogue.before.unwrap_or(&[]),
            epilogue.after.unwrap_or(&[]),
        );
        assert!(
            before.len().is_multiple_of(plane) && after.len().is_multiple_of(plane),
            "a residual has the size of the output"
        );
        if let Activation::Slope(slopes) = epilogue.activation {
            assert!(slopes.len() >= blocks);
        }
        let floats = floats.map_or(std::ptr::null_mut(), |floats| {
            assert!(floats.len() >= blocks * plane);
            floats.as_mut_ptr()
        });
        let (ints, scale) = ints.map_or((std::ptr::null_mut(), 0.0), |(ints, scale)| {
            assert!(ints.len() >= blocks * plane);
            (ints.as_mut_ptr(), scale)
        });
        Sink {
            before,
            activation: epilogue.activation,
            after,
            floats,
            ints,
            scale,
            plane,
            first,
        }
    }

    /// Finishes `sums`, which are results `pixel`, `pixel + step`, ... of channel block `block`.
    ///
    /// # Safety
    /// `block` is below the `blocks` of `new`, and every result below its `pixels`.
    #[inline(always)]
    pub(super) unsafe fn put<S: Simd, const N: usize>(
        &self,
        simd: S,
        mut sums: [S::F; N],
        block: usize,
        pixel: usize,
        step: usize,
    ) {
        let first = block * self.plane + self.first + pixel;
        // SAFETY: a residual holds whole blocks, and `first` plus the steps is inside the block;
        // `new` checked the slopes and the targets.
        unsafe {
            if block * self.plane < self.before.len() {
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.add(
                        *sum,
                        simd.load(self.before.as_ptr().add(first + i * step).cast()),
                    );
                }
            }
            match self.activation {
                Activation::None => {}
                Activation::Clip { low, high } => {
                    let (low, high) = (simd.splat(low), simd.splat(high));
                    for sum in &mut sums {
                        *sum = simd.min(simd.max(*sum, low), high);
                    }
                }
                Activation::Slope(slopes) => {
                    let (slope, zero) = (
                        simd.load(slopes.as_ptr().add(block).cast()),
                        simd.splat(0.0),
                    );
                    for sum in &mut sums {
                        *sum = simd.fma(slope, simd.min(*sum, zero), simd.max(*sum, zero));
                    }
                }
            }
            if block * self.plane < self.after.len() {
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = simd.add(
                        *sum,
                        simd.load(self.after.as_ptr().add(first + i * step).cast()),
                    );
                }
            }
            if !self.floats.is_null() {
                for (i, sum) in sums.iter().enumerate() {
                    simd.store(*sum, self.floats.add(first + i * step).cast());
                }
            }
            if !self.ints.is_null() {
                let (scale, low, high) = (
                    simd.splat(self.scale),
                    simd.splat(-MAX_ACTIVATION),
                    simd.splat(MAX_ACTIVATION),
                );
                for (i, sum) in sums.iter().enumerate() {
                    let value = simd.min(simd.max(simd.mul(*sum, scale), low), high);
                    simd.store_i16(value, self.ints.add(first + i * step).cast());
                }
            }
        }
    }
}

/// The epilogue alone: adds maps, activates, or makes integers.
pub(crate) struct Combine<'a> {
    pub(crate) input: &'a [F32s],
    /// Multiplied with every pixel of its block, if given.
    pub(crate) factors: Option<&'a [F32s]>,
    pub(crate) epilogue: Epilogue<'a>,
    pub(crate) target: Target<'a>,
}

impl Kernel for Combine<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let plane = self.target.plane;
        assert!(self.input.len().is_multiple_of(plane));
        let blocks = self.input.len() / plane;
        let factors = self
            .factors
            .inspect(|factors| assert!(factors.len() >= blocks));
        let sink = Sink::new(self.epilogue, self.target, blocks, plane);
        for block in 0..blocks {
            let factor = simd_factor(simd, factors, block);
            for pixel in 0..plane {
                // SAFETY: `input` holds `blocks` planes, and so does the sink.
                unsafe {
                    let value = simd.load(self.input.as_ptr().add(block * plane + pixel).cast());
                    let value = if factors.is_some() {
                        simd.mul(value, factor)
                    } else {
                        value
                    };
                    sink.put(simd, [value], block, pixel, 1);
                }
            }
        }
    }
}

#[inline(always)]
fn simd_factor<S: Simd>(simd: S, factors: Option<&[F32s]>, block: usize) -> S::F {
    match factors {
        // SAFETY: an F32s is 16 floats.
        Some(factors) => unsafe { simd.load(factors[block].0.as_ptr()) },
        None => simd.splat(1.0),
    }
}
