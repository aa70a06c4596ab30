//! Every convolution that mixes channels: pointwise, dense, from planar pixels, fully connected,
//! transposed.
//!
//! A tile of pixels times a few blocks of output channels stays in registers while the sum runs
//! over the taps. A tap is the start of a run of consecutive inputs: the 16 channels of a block, or
//! the columns of a planar row. Floats are read one at a time and 16-bit integers in pairs, so both
//! arithmetics read the same four-byte units and share the loops.

use super::epilogue::Sink;
use super::{Epilogue, F32s, I16s, Kernel, LANES, Simd, Target};

/// How inputs and weights are multiplied.
pub(crate) trait Arithmetic {
    /// One pixel of an input block.
    type Pixel;
    /// The weights of one unit: 16 output channels.
    type Weight;
    const UNITS: usize;
    /// The distances between neighbouring pixels that tiles are compiled for.
    const STEPS: [usize; 4];

    type Sum<S: Simd>: Copy;
    type Operand<S: Simd>: Copy;
    fn start<S: Simd>(simd: S, bias: S::F) -> Self::Sum<S>;
    /// # Safety
    /// `from` is one readable weight.
    unsafe fn weight<S: Simd>(simd: S, from: *const Self::Weight) -> Self::Operand<S>;
    fn splat<S: Simd>(simd: S, unit: u32) -> Self::Operand<S>;
    fn step<S: Simd>(
        simd: S,
        sum: Self::Sum<S>,
        input: Self::Operand<S>,
        weight: Self::Operand<S>,
    ) -> Self::Sum<S>;
    fn finish<S: Simd>(simd: S, sum: Self::Sum<S>, scale: S::F, bias: S::F) -> S::F;
}

/// 32-bit floats.
pub(crate) struct F32;

impl Arithmetic for F32 {
    type Pixel = F32s;
    type Weight = F32s;
    const UNITS: usize = LANES;
    const STEPS: [usize; 4] = [1, 2, LANES, 2 * LANES];
    type Sum<S: Simd> = S::F;
    type Operand<S: Simd> = S::F;

    #[inline(always)]
    fn start<S: Simd>(_: S, bias: S::F) -> S::F {
        bias
    }
    #[inline(always)]
    unsafe fn weight<S: Simd>(simd: S, from: *const F32s) -> S::F {
        // SAFETY: an F32s is 16 floats.
        unsafe { simd.load(from.cast()) }
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, unit: u32) -> S::F {
        simd.splat(f32::from_bits(unit))
    }
    #[inline(always)]
    fn step<S: Simd>(simd: S, sum: S::F, input: S::F, weight: S::F) -> S::F {
        simd.fma(input, weight, sum)
    }
    #[inline(always)]
    fn finish<S: Simd>(_: S, sum: S::F, _: S::F, _: S::F) -> S::F {
        sum
    }
}

/// 16-bit integers with 32-bit sums, exact; then floats.
pub(crate) struct I16;

impl Arithmetic for I16 {
    type Pixel = I16s;
    type Weight = [I16s; 2];
    const UNITS: usize = LANES / 2;
    const STEPS: [usize; 4] = [LANES / 2, LANES, 0, 0];
    type Sum<S: Simd> = S::I;
    type Operand<S: Simd> = S::I;

    #[inline(always)]
    fn start<S: Simd>(simd: S, _: S::F) -> S::I {
        simd.zero_i32()
    }
    #[inline(always)]
    unsafe fn weight<S: Simd>(simd: S, from: *const [I16s; 2]) -> S::I {
        // SAFETY: two I16s are 16 pairs.
        unsafe { simd.load_pairs(from.cast()) }
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, unit: u32) -> S::I {
        simd.splat_pair(unit as i32)
    }
    #[inline(always)]
    fn step<S: Simd>(simd: S, sum: S::I, input: S::I, weight: S::I) -> S::I {
        simd.dot_pairs(sum, input, weight)
    }
    #[inline(always)]
    fn finish<S: Simd>(simd: S, sum: S::I, scale: S::F, bias: S::F) -> S::F {
        simd.fma(simd.to_f32(sum), scale, bias)
    }
}

/// Where a convolution reads, in units (four bytes) of the input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taps {
    /// From the origin of a pixel to each run.
    pub(crate) offsets: Vec<u32>,
    /// The length of a run.
    pub(crate) run: usize,
    /// How many taps at the end have a run of `tail_run` instead: the last input block, when it is
    /// not full.
    pub(crate) tail: usize,
    pub(crate) tail_run: usize,
    /// Between the origins of neighbouring pixels of a row.
    pub(crate) pixel_step: usize,
    /// Between the origins of rows.
    pub(crate) row_step: usize,
}

impl Taps {
    /// Returns the number of units that are summed for a pixel.
    pub(crate) fn length(&self) -> usize {
        (self.offsets.len() - self.tail) * self.run + self.tail * self.tail_run
    }

    /// Returns the offset and length of every run.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, usize)> {
        let whole = self.offsets.len() - self.tail;
        self.offsets.iter().enumerate().map(move |(i, &tap)| {
            (
                tap as usize,
                if i < whole { self.run } else { self.tail_run },
            )
        })
    }
}

/// Where the pixels of a convolution go in the output plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) origin: usize,
    pub(crate) row_step: usize,
    pub(crate) column_step: usize,
}

/// A convolution that mixes channels.
pub(crate) struct Conv<'a, A: Arithmetic> {
    pub(crate) input: &'a [A::Pixel],
    /// Units before the origin of the first pixel.
    pub(crate) offset: usize,
    pub(crate) taps: &'a Taps,
    pub(crate) layout: Layout,
    /// `[output block][tap][unit of the run]`.
    pub(crate) weights: &'a [A::Weight],
    /// One a block of output channels.
    pub(crate) bias: &'a [F32s],
    /// What an integer sum is multiplied by; unused for floats.
    pub(crate) scale: &'a [F32s],
    pub(crate) epilogue: Epilogue<'a>,
    pub(crate) target: Target<'a>,
}

/// A strip of this many input bytes is finished for all output channels before the next begins.
const STRIP_BYTES: usize = 256 << 10;

impl<A: Arithmetic> Kernel for Conv<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Layout {
            rows,
            columns,
            origin,
            row_step,
            column_step,
        } = self.layout;
        let (taps, blocks) = (self.taps, self.bias.len());
        if rows == 0 || columns == 0 {
            return;
        }
        let length = taps.length();
        let reach = taps.runs().map(|(tap, run)| tap + run).max().unwrap_or(0);
        let last = (rows - 1) * taps.row_step + (columns - 1) * taps.pixel_step;
        assert!(
            self.offset + last + reach <= self.input.len() * A::UNITS,
            "every tap of every pixel is inside the input"
        );
        let results = origin + (rows - 1) * row_step + (columns - 1) * column_step + 1;
        assert!(self.weights.len() == blocks * length && self.scale.len() == blocks);
        let walk = Walk::<A> {
            // SAFETY: the first tap of the first pixel is inside the input.
            input: unsafe { self.input.as_ptr().cast::<u32>().add(self.offset) },
            taps,
            length,
            weights: self.weights.as_ptr(),
            bias: self.bias.as_ptr(),
            scale: self.scale.as_ptr(),
            sink: Sink::new(self.epilogue, self.target, blocks, results),
            layout: self.layout,
        };
        let strip = (STRIP_BYTES / (4 * length)).max(4 * S::TILE_PIXELS);
        let (strip_rows, strip_columns) = if columns > strip {
            (1, strip)
        } else {
            (strip / columns, columns)
        };
        for top in (0..rows).step_by(strip_rows) {
            for left in (0..columns).step_by(strip_columns) {
                let (bottom, right) = (
                    (top + strip_rows).min(rows),
                    (left + strip_columns).min(columns),
                );
                let mut block = 0;
                // SAFETY: rows, columns and blocks are those checked above.
                unsafe {
                    while block + S::TILE_BLOCKS <= blocks && S::TILE_BLOCKS == 2 {
                        walk.strip::<S, 2>(simd, block, top..bottom, left..right);
                        block += 2;
                    }
                    while block < blocks {
                        walk.strip::<S, 1>(simd, block, top..bottom, left..right);
                        block += 1;
                    }
                }
            }
        }
    }
}

/// Returns the first of the parts that `total` is split into, as equal as can be and none above
/// `most`.
#[inline(always)]
fn share(total: usize, most: usize) -> usize {
    total.div_ceil(total.div_ceil(most))
}

struct Walk<'a, A: Arithmetic> {
    input: *const u32,
    taps: &'a Taps,
    length: usize,
    weights: *const A::Weight,
    bias: *const F32s,
    scale: *const F32s,
    sink: Sink<'a>,
    layout: Layout,
}

impl<A: Arithmetic> Walk<'_, A> {
    /// # Safety
    /// The rows, columns and blocks are those of the convolution.
    #[inline(always)]
    unsafe fn strip<S: Simd, const B: usize>(
        &self,
        simd: S,
        block: usize,
        rows: std::ops::Range<usize>,
        columns: std::ops::Range<usize>,
    ) {
        for row in rows {
            let mut column = columns.start;
            while column < columns.end {
                let width = self.width::<S>(columns.end - column);
                let place = Place { block, row, column };
                // A step that is known lets a tile address its pixels by displacement.
                macro_rules! with_step {
                    ($($step:literal)*) => {
                        match self.taps.pixel_step {
                            $($step if A::STEPS.contains(&$step) => {
                                with_width!($step: 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
                            })*
                            _ => with_width!(0: 1),
                        }
                    };
                }
                macro_rules! with_width {
                    ($step:literal: $($width:literal)*) => {
                        match width {
                            $($width => {
                                simd.call(Tile::<A, $width, B, $step> { walk: self, place })
                            })*
                            _ => unreachable!("a tile has one of these widths"),
                        }
                    };
                }
                with_step!(1 2 8 16 32);
                column += width;
            }
        }
    }

    /// Returns how many of the next `rest` pixels of a row make a tile.
    #[inline(always)]
    fn width<S: Simd>(&self, rest: usize) -> usize {
        if A::STEPS.contains(&self.taps.pixel_step) {
            share(rest, S::TILE_PIXELS)
        } else {
            1
        }
    }
}

#[derive(Clone, Copy)]
struct Place {
    block: usize,
    row: usize,
    column: usize,
}

/// `P` pixels of a row, `STEP` units apart (any if there is one), times `B` blocks of output
/// channels; by itself a function, for the sake of the compiler. Made only by [`Walk::strip`], for
/// a place inside the convolution.
struct Tile<'w, A: Arithmetic, const P: usize, const B: usize, const STEP: usize> {
    walk: &'w Walk<'w, A>,
    place: Place,
}

impl<A: Arithmetic, const P: usize, const B: usize, const STEP: usize> Kernel
    for Tile<'_, A, P, B, STEP>
{
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        if P > S::TILE_PIXELS || B > S::TILE_BLOCKS || !(STEP == 0 || A::STEPS.contains(&STEP)) {
            unreachable!("this instruction set or arithmetic has no such tile");
        }
        let Place { block, row, column } = self.place;
        // SAFETY: the place is inside the convolution.
        unsafe { self.walk.tile::<S, P, B, STEP>(simd, block, row, column) }
    }
}

impl<A: Arithmetic> Walk<'_, A> {
    /// # Safety
    /// `row`, the `P` columns from `column` and the `B` blocks from `block` are those of the
    /// convolution.
    #[inline(always)]
    unsafe fn tile<S: Simd, const P: usize, const B: usize, const STEP: usize>(
        &self,
        simd: S,
        block: usize,
        row: usize,
        column: usize,
    ) {
        let taps = self.taps;
        // SAFETY: `run` checked that all taps of all pixels are inside the input, and that weights,
        // bias and scale cover all blocks.
        unsafe {
            let origin = self
                .input
                .add(row * taps.row_step + column * taps.pixel_step);
            let mut weights = self.weights.add(block * self.length);
            // One array a block, with constant indices only, or the sums would not stay in
            // registers.
            let second = block + B - 1;
            let mut sums = [A::start(simd, simd.load(self.bias.add(block).cast())); P];
            let mut more = [A::start(simd, simd.load(self.bias.add(second).cast())); P];
            let (whole, tail) = taps.offsets.split_at(taps.offsets.len() - taps.tail);
            for (offsets, run) in [(whole, taps.run), (tail, taps.tail_run)] {
                for &tap in offsets {
                    let mut unit = origin.add(tap as usize);
                    for _ in 0..run {
                        let operand = A::weight(simd, weights);
                        let other = A::weight(simd, weights.add((B - 1) * self.length));
                        for p in 0..P {
                            let input = A::splat(simd, *unit.add(p * STEP));
                            sums[p] = A::step(simd, sums[p], input, operand);
                            if B == 2 {
                                more[p] = A::step(simd, more[p], input, other);
                            }
                        }
                        unit = unit.add(1);
                        weights = weights.add(1);
                    }
                }
            }
            self.put::<S, P>(simd, sums, block, row, column);
            if B == 2 {
                self.put::<S, P>(simd, more, second, row, column);
            }
        }
    }

    /// # Safety
    /// As for `tile`.
    #[inline(always)]
    unsafe fn put<S: Simd, const P: usize>(
        &self,
        simd: S,
        sums: [A::Sum<S>; P],
        block: usize,
        row: usize,
        column: usize,
    ) {
        let Layout {
            origin,
            row_step,
            column_step,
            ..
        } = self.layout;
        // SAFETY: bias and scale cover all blocks, and the sink was checked for the layout.
        unsafe {
            let (scale, bias) = (
                simd.load(self.scale.add(block).cast()),
                simd.load(self.bias.add(block).cast()),
            );
            let mut values = [bias; P];
            for p in 0..P {
                values[p] = A::finish(simd, sums[p], scale, bias);
            }
            self.sink.put(
                simd,
                values,
                block,
                origin + row * row_step + column * column_step,
                column_step,
            );
        }
    }
}
