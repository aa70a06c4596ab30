//! Fine detail that is made anew. A head carries its skin along: what a frame shows of it follows
//! from the frame before, and follows less from one that is farther back. A network paints each
//! frame afresh, so what does not follow is there at once and hardly grows with the distance.
//!
//! Two earlier frames are laid over each new one by optical flow. What the flow leaves unexplained
//! of the skin is compared with what it leaves of the ring around the face in the same frames: the
//! camera, its noise, the coder and the movement are in both.

use super::frame::Frame;
use super::region::Patch;
use crate::align::landmark;
use crate::geometry::{Point, Rect, Similarity};
use crate::image::{Planar, Pyramid};
use crate::spare::{BYTES, Buffer, FLOATS};
use std::collections::VecDeque;

/// Side of the window that frames are compared in, in samples.
const SIDE: usize = 192;
/// Side of the window over the longer side of the face's box.
const MARGIN: f32 = 1.6;
/// The window stays where it is until the face has moved or grown by this share of it.
const LEAST_MOVE: f32 = 0.08;

/// How far back the near frame lies, and the far one: the youngest within the range.
const NEAR_US: std::ops::RangeInclusive<u64> = 25_000..=50_000;
const FAR_US: std::ops::RangeInclusive<u64> = 90_000..=150_000;
/// Frames closer together than this are not all kept, which bounds the memory.
const LEAST_APART_US: u64 = 15_000;
/// Frames are compared no more often than this.
const EVERY_US: u64 = 50_000;
/// A frame that differs less than this from the one before, in levels of 255, repeats it.
const SAME: f32 = 0.08;
/// A face smaller than this has no fine detail, in pixels of the longer side of its box.
const LEAST_FACE_PX: f32 = 64.0;

/// The logarithm of the share of fine detail that is new, minus that of the surroundings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detail {
    /// Of the skin within the face's outline: after one frame beyond after a tenth of a second.
    skin: f32,
    /// Of the band along the outline, where a swap is blended in; likewise.
    edge: f32,
    /// Of the mouth, after one frame.
    mouth: f32,
}

/// Fewer comparisons than this say nothing of their upper tenth.
const LEAST_COMPARED: usize = 8;
/// What does not follow comes in bursts: the value that one comparison in ten exceeds.
const BURST_SHARE: f32 = 0.9;

/// How much more of the skin's fine detail than of its surroundings' is new after one frame, beyond
/// what is new after a tenth of a second; in the upper tenth of the comparisons.
pub(super) fn skin_renewal(frames: &[&Frame]) -> Option<f32> {
    burst(frames, |detail| detail.skin)
}

/// The same along the edge of the face.
pub(super) fn edge_renewal(frames: &[&Frame]) -> Option<f32> {
    burst(frames, |detail| detail.edge)
}

/// How much more of the mouth's fine detail than of its surroundings' is new after one frame, in
/// the mean: lips are drawn anew to speak.
pub(super) fn mouth_renewal(frames: &[&Frame]) -> Option<f32> {
    let values = compared(frames, |detail| detail.mouth)?;
    Some(values.iter().sum::<f32>() / values.len() as f32)
}

fn compared(frames: &[&Frame], of: fn(Detail) -> f32) -> Option<Vec<f32>> {
    let values: Vec<f32> = frames
        .iter()
        .filter_map(|frame| frame.detail)
        .map(of)
        .collect();
    (values.len() >= LEAST_COMPARED).then_some(values)
}

fn burst(frames: &[&Frame], of: fn(Detail) -> f32) -> Option<f32> {
    let mut values = compared(frames, of)?;
    values.sort_unstable_by(f32::total_cmp);
    Some(values[(BURST_SHARE * (values.len() - 1) as f32) as usize])
}

/// The latest frames as seen in one window.
#[derive(Default)]
pub(super) struct Register {
    window: Option<Rect>,
    size: (f32, f32),
    seen: VecDeque<Seen>,
    compared_us: Option<u64>,
}

/// What the window showed.
struct Seen {
    timestamp_us: u64,
    luminance: Buffer<f32>,
    coarse: Vec<Plane>,
}

impl Register {
    /// Takes the next frame with the landmarks of its face; returns what could be compared.
    pub(super) fn see(
        &mut self,
        pyramid: &Pyramid<'_>,
        points: &[Point],
        timestamp_us: u64,
    ) -> Option<Detail> {
        let bounds = Rect::around(points.iter().copied());
        if bounds.side() < LEAST_FACE_PX {
            self.lose();
            return None;
        }
        let size = (pyramid.width(), pyramid.height());
        let window = match self.window {
            Some(window) if self.size == size && holds(&window, &bounds) => window,
            _ => {
                self.lose();
                *self.window.insert(around(&bounds))
            }
        };
        self.size = size;
        let age = |earlier: &Seen| timestamp_us.checked_sub(earlier.timestamp_us);
        match self.seen.back().map(age) {
            Some(None) => self.lose(),
            Some(Some(us)) if us < LEAST_APART_US => return None,
            _ => {}
        }
        self.window = Some(window);
        let now = Seen::through(pyramid, &window, timestamp_us);
        if self.seen.back().is_some_and(|last| last.repeats(&now)) {
            return None;
        }
        let youngest = |range: &std::ops::RangeInclusive<u64>| {
            let within = |seen: &&Seen| {
                timestamp_us
                    .checked_sub(seen.timestamp_us)
                    .is_some_and(|us| range.contains(&us))
            };
            self.seen.iter().rev().find(within)
        };
        let due = self
            .compared_us
            .is_none_or(|at| timestamp_us.abs_diff(at) >= EVERY_US);
        let earlier = youngest(&NEAR_US).zip(youngest(&FAR_US)).filter(|_| due);
        let found = earlier.and_then(|(near, far)| {
            let regions = Regions::of(points, &window, self.size);
            let bands = Bands::of(&now.luminance);
            let near = now.unexplained(&bands, near, &regions)?;
            let far = now.unexplained(&bands, far, &regions)?;
            Some(Detail {
                skin: near[0] - far[0],
                edge: near[1] - far[1],
                mouth: near[2],
            })
        });
        if found.is_some() {
            self.compared_us = Some(timestamp_us);
        }
        self.seen.push_back(now);
        while self
            .seen
            .front()
            .is_some_and(|seen| timestamp_us - seen.timestamp_us > *FAR_US.end())
        {
            self.seen.pop_front();
        }
        found
    }

    /// Forgets what was seen: the next frame shows no face, or another place.
    pub(super) fn lose(&mut self) {
        self.seen.clear();
        self.window = None;
    }
}

fn around(bounds: &Rect) -> Rect {
    let side = MARGIN * bounds.side();
    let centre = bounds.centre();
    Rect {
        x: centre.x - side / 2.0,
        y: centre.y - side / 2.0,
        width: side,
        height: side,
    }
}

/// Whether the face is still in the middle of the window, and of the size that it was made for.
fn holds(window: &Rect, bounds: &Rect) -> bool {
    let least = LEAST_MOVE * window.width;
    window.centre().distance(bounds.centre()) <= least
        && (window.width / MARGIN - bounds.side()).abs() <= least
}

impl Seen {
    fn through(pyramid: &Pyramid<'_>, window: &Rect, timestamp_us: u64) -> Seen {
        let form = Planar::pixels(SIDE, SIDE);
        let mut planes = FLOATS.take(form.len());
        let map = Similarity {
            a: window.width / SIDE as f32,
            b: 0.0,
            tx: window.x,
            ty: window.y,
        };
        pyramid.sample(&map, &form, &mut planes);
        let (red, rest) = planes.split_at(SIDE * SIDE);
        let (green, blue) = rest.split_at(SIDE * SIDE);
        let mut luminance = FLOATS.take(SIDE * SIDE);
        for (((to, r), g), b) in luminance.iter_mut().zip(red).zip(green).zip(blue) {
            *to = super::frame::luminance([*r, *g, *b]);
        }
        let mut coarse = vec![Plane::halved(&Plane::halved_from(&luminance, SIDE))];
        while coarse.len() < LEVELS {
            coarse.push(Plane::halved(&coarse[coarse.len() - 1]));
        }
        Seen {
            timestamp_us,
            luminance,
            coarse,
        }
    }

    fn repeats(&self, next: &Seen) -> bool {
        let apart: f32 = self
            .luminance
            .iter()
            .zip(&next.luminance[..])
            .step_by(7)
            .map(|(a, b)| (a - b).abs())
            .sum();
        apart < SAME * (SIDE * SIDE / 7) as f32
    }

    /// The logarithm of the share of detail that `earlier` does not explain, in the mean of the
    /// bands: on the skin, along the edge and on the mouth, each minus around the face.
    fn unexplained(&self, bands: &Bands, earlier: &Seen, regions: &Regions) -> Option<[f32; 3]> {
        let flow = Flow::between(&self.coarse, &earlier.coarse);
        let moved = flow.apply(&earlier.luminance);
        let moved = Bands::of(&moved);
        let mut sums = [0.0f32; 3];
        for (now, then) in bands.0.iter().zip(&moved.0) {
            let [inside @ .., ring] = regions.unexplained(now, then)?;
            for (sum, inside) in sums.iter_mut().zip(inside) {
                *sum += inside - ring;
            }
        }
        Some(sums.map(|sum| sum / BANDS as f32))
    }
}

/// Bands of fine detail, from the finest: the picture minus a blurred one, which is blurred again.
struct Bands([Buffer<f32>; BANDS]);

const BANDS: usize = 3;
/// Binomial weights from the middle outwards, and how many samples apart: standard deviations of
/// 0.7, 1.2 and 2.4 samples.
const BLURS: [(&[f32], usize); BANDS] = [
    (&[0.5, 0.25], 1),
    (&[0.3125, 0.234_375, 0.093_75, 0.015_625], 1),
    (&[0.3125, 0.234_375, 0.093_75, 0.015_625], 2),
];

impl Bands {
    fn of(luminance: &[f32]) -> Bands {
        let mut current = FLOATS.take(SIDE * SIDE);
        current.copy_from_slice(luminance);
        Bands(BLURS.map(|(weights, apart)| {
            let blurred = blur(&current, weights, apart);
            let mut band = std::mem::replace(&mut current, blurred);
            band.iter_mut()
                .zip(&current[..])
                .for_each(|(value, blurred)| *value -= blurred);
            band
        }))
    }
}

/// Blurs along both axes; what lies outside is as the edge.
fn blur(plane: &[f32], weights: &[f32], apart: usize) -> Buffer<f32> {
    let reach = (weights.len() - 1) * apart;
    let mut down = FLOATS.take(SIDE * SIDE);
    for y in 0..SIDE {
        let row = |y: usize| &plane[y * SIDE..][..SIDE];
        let to = &mut down[y * SIDE..][..SIDE];
        for (to, value) in to.iter_mut().zip(row(y)) {
            *to = weights[0] * value;
        }
        for (k, weight) in weights.iter().enumerate().skip(1) {
            let above = row(y.saturating_sub(k * apart));
            let below = row((y + k * apart).min(SIDE - 1));
            for ((to, above), below) in to.iter_mut().zip(above).zip(below) {
                *to += weight * (above + below);
            }
        }
    }
    let mut out = FLOATS.take(SIDE * SIDE);
    let mut padded = FLOATS.take(SIDE + 2 * reach);
    for (row, to) in down.chunks_exact(SIDE).zip(out.chunks_exact_mut(SIDE)) {
        padded[..reach].fill(row[0]);
        padded[reach..reach + SIDE].copy_from_slice(row);
        padded[reach + SIDE..].fill(row[SIDE - 1]);
        for (to, value) in to.iter_mut().zip(row) {
            *to = weights[0] * value;
        }
        for (k, weight) in weights.iter().enumerate().skip(1) {
            let left = &padded[reach - k * apart..][..SIDE];
            let right = &padded[reach + k * apart..][..SIDE];
            for ((to, left), right) in to.iter_mut().zip(left).zip(right) {
                *to += weight * (left + right);
            }
        }
    }
    out
}

/// Which samples are skin, which lie along the edge of the face, on the mouth, and around.
struct Regions {
    label: Buffer<u8>,
}

const NONE: u8 = 0;
const SKIN: u8 = 1;
const EDGE: u8 = 2;
const MOUTH: u8 = 3;
const RING: u8 = 4;
/// Samples that a region must have.
const LEAST_SAMPLES: f32 = 100.0;
/// The floor of sums of detail: the rounding of eight bits.
const FLOOR: f32 = 0.03;

/// The lids and the lips move by themselves.
const LEFT_LIDS: &[usize] = &[
    33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7,
];
const RIGHT_LIDS: &[usize] = &[
    263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249,
];
const LIPS: &[usize] = &[
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
];
/// What is drawn over what, with the factor that each outline grows by.
const PATCHES: [(&[usize], f32, u8); 6] = [
    (&landmark::OVAL, 1.25, RING),
    (&landmark::OVAL, 1.06, EDGE),
    (&landmark::OVAL, 0.92, SKIN),
    (LEFT_LIDS, 1.5, NONE),
    (RIGHT_LIDS, 1.5, NONE),
    (LIPS, 1.2, MOUTH),
];

impl Regions {
    fn of(points: &[Point], window: &Rect, (width, height): (f32, f32)) -> Regions {
        let scale = SIDE as f32 / window.width;
        let at = |p: Point| Point::new((p.x - window.x) * scale, (p.y - window.y) * scale);
        let mut label = BYTES.take(SIDE * SIDE);
        for (outline, factor, region) in PATCHES {
            let outline = outline.iter().map(|&i| at(points[i])).collect();
            for (y, first, end) in Patch::between(outline, factor).rows(SIDE, SIDE) {
                label[y * SIDE + first..y * SIDE + end].fill(region);
            }
        }
        // What lies outside the picture is black in every frame.
        let (first, last) = (at(Point::default()), at(Point::new(width, height)));
        let inside = |v: usize, first: f32, last: f32| {
            (v as f32) >= first + BORDER && (v as f32) < last - BORDER
        };
        for (y, row) in label.chunks_exact_mut(SIDE).enumerate() {
            if inside(y, first.y, last.y) {
                for (x, label) in row.iter_mut().enumerate() {
                    if !inside(x, first.x, last.x) {
                        *label = NONE;
                    }
                }
            } else {
                row.fill(NONE);
            }
        }
        Regions { label }
    }

    /// The logarithm of the unexplained share of one band: on the skin, along the edge, on
    /// the mouth, around.
    fn unexplained(&self, now: &[f32], then: &[f32]) -> Option<[f32; 4]> {
        let mut shares = [0.0f32; 4];
        for (share, region) in shares.iter_mut().zip([SKIN, EDGE, MOUTH, RING]) {
            let [mut apart, mut detail, mut count] = [[0.0f32; LANES]; 3];
            let lanes = (self.label.chunks_exact(LANES))
                .zip(now.chunks_exact(LANES))
                .zip(then.chunks_exact(LANES));
            for ((labels, now), then) in lanes {
                let sums = apart.iter_mut().zip(&mut detail).zip(&mut count);
                let pairs = labels.iter().zip(now).zip(then);
                for (((apart, detail), count), ((label, now), then)) in sums.zip(pairs) {
                    let counts = f32::from(u8::from(*label == region));
                    *apart += counts * (now - then).abs();
                    *detail += counts * (now.abs() + then.abs());
                    *count += counts;
                }
            }
            let total = |lanes: [f32; LANES]| lanes.iter().sum::<f32>();
            let count = total(count);
            if count < LEAST_SAMPLES {
                return None;
            }
            *share = libm::logf(total(apart) / count + FLOOR)
                - libm::logf(total(detail) / (2.0 * count) + FLOOR);
        }
        Some(shares)
    }
}

/// Samples beside the edge of the picture that the blurs and the flow reach over.
const BORDER: f32 = 8.0;
const LANES: usize = 8;

/// A square plane at a coarser scale.
struct Plane {
    side: usize,
    values: Buffer<f32>,
}

impl Plane {
    fn halved(of: &Plane) -> Plane {
        Plane::halved_from(&of.values, of.side)
    }

    /// Each value the mean of four.
    fn halved_from(values: &[f32], side: usize) -> Plane {
        let half = side / 2;
        let mut out = FLOATS.take(half * half);
        for (y, to) in out.chunks_exact_mut(half).enumerate() {
            let (upper, lower) = (
                &values[2 * y * side..][..side],
                &values[(2 * y + 1) * side..][..side],
            );
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            for (to, (u, l)) in to.iter_mut().zip(pairs) {
                *to = (u[0] + u[1] + l[0] + l[1]) / 4.0;
            }
        }
        Plane {
            side: half,
            values: out,
        }
    }

    /// The patch whose first value is at (`left`, `top`), bilinear; what lies outside is as the
    /// edge.
    fn patch(&self, left: f32, top: f32) -> [f32; PATCH * PATCH] {
        let limit = self.side as f32;
        let (left, top) = (left.clamp(-limit, limit), top.clamp(-limit, limit));
        let (x, y) = (left.floor(), top.floor());
        let (fx, fy) = (left - x, top - y);
        let at =
            |from: f32, i: usize| (from as i32 + i as i32).clamp(0, self.side as i32 - 1) as usize;
        let columns: [usize; PATCH + 1] = std::array::from_fn(|i| at(x, i));
        let row = |i: usize| -> [f32; PATCH] {
            let row = &self.values[at(y, i) * self.side..][..self.side];
            let values = columns.map(|column| row[column]);
            std::array::from_fn(|i| values[i] + fx * (values[i + 1] - values[i]))
        };
        let mut found = [0.0; PATCH * PATCH];
        let mut upper = row(0);
        for (i, to) in found.chunks_exact_mut(PATCH).enumerate() {
            let lower = row(i + 1);
            for (j, to) in to.iter_mut().enumerate() {
                *to = upper[j] + fy * (lower[j] - upper[j]);
            }
            upper = lower;
        }
        found
    }
}

/// Bilinear; what lies outside is as the edge.
fn bilinear(values: &[f32], side: usize, x: f32, y: f32) -> f32 {
    let last = (side - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (left, top) = ((x as usize).min(side - 2), (y as usize).min(side - 2));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let row = |y: usize| {
        let at = y * side + left;
        values[at] + fx * (values[at + 1] - values[at])
    };
    let upper = row(top);
    upper + fy * (row(top + 1) - upper)
}

/// Scales that the flow is sought at, from a quarter of the window down.
const LEVELS: usize = 3;
/// Side of the patches that are followed, and how far apart they lie.
const PATCH: usize = 8;
const APART: usize = 4;
const STEPS: usize = 8;
/// Keeps a patch without texture where its neighbourhood is, in squared levels a sample.
const STIFFNESS: f32 = 8.0;

/// Where each place of a frame was in an earlier one: dense inverse search (Kroeger et al. 2016)
/// without the variational refinement, for the fine detail is what must be left unexplained.
struct Flow {
    side: usize,
    dx: Buffer<f32>,
    dy: Buffer<f32>,
}

impl Flow {
    /// Both from fine to coarse, of equal sides.
    fn between(now: &[Plane], earlier: &[Plane]) -> Flow {
        let mut flow: Option<Flow> = None;
        for (now, earlier) in now.iter().zip(earlier).rev() {
            let start = match flow {
                None => Flow {
                    side: now.side,
                    dx: FLOATS.take(now.side * now.side),
                    dy: FLOATS.take(now.side * now.side),
                },
                Some(coarse) => coarse.doubled(),
            };
            flow = Some(start.refined(now, earlier));
        }
        flow.expect("there is a level")
    }

    /// At twice the scale, with twice the displacement.
    fn doubled(&self) -> Flow {
        let side = 2 * self.side;
        let double = |plane: &[f32]| {
            let mut out = FLOATS.take(side * side);
            for y in 0..side {
                for x in 0..side {
                    let at = |v: usize| (v as f32 + 0.5) / 2.0 - 0.5;
                    out[y * side + x] = 2.0 * bilinear(plane, self.side, at(x), at(y));
                }
            }
            out
        };
        Flow {
            side,
            dx: double(&self.dx),
            dy: double(&self.dy),
        }
    }

    /// Each patch is led to where it fits best, its mean left aside; each place takes the mean of
    /// its patches, the better fit the heavier.
    fn refined(self, now: &Plane, earlier: &Plane) -> Flow {
        let side = now.side;
        let [mut dx, mut dy, mut weights] = std::array::from_fn(|_| FLOATS.take(side * side));
        let places = || (0..=side - PATCH).step_by(APART);
        for top in places() {
            for left in places() {
                let middle = (top + PATCH / 2) * side + left + PATCH / 2;
                let start = [self.dx[middle], self.dy[middle]];
                let template = Template::of(now, left, top);
                let ([u, v], misfit) = template.follow(earlier, start);
                for y in 0..PATCH {
                    let row = (top + y) * side + left;
                    for x in 0..PATCH {
                        let weight = 1.0 / misfit[y * PATCH + x].abs().max(1.0);
                        dx[row + x] += weight * u;
                        dy[row + x] += weight * v;
                        weights[row + x] += weight;
                    }
                }
            }
        }
        for ((dx, dy), weight) in dx.iter_mut().zip(dy.iter_mut()).zip(&weights[..]) {
            let weight = weight.max(f32::MIN_POSITIVE);
            *dx /= weight;
            *dy /= weight;
        }
        Flow {
            side,
            dx: smoothed(&dx, side),
            dy: smoothed(&dy, side),
        }
    }

    /// The earlier frame as it would lie on the new one.
    fn apply(&self, earlier: &[f32]) -> Buffer<f32> {
        let shrink = SIDE / self.side;
        let mut out = FLOATS.take(SIDE * SIDE);
        let mut rows = [FLOATS.take(self.side), FLOATS.take(self.side)];
        let last = (self.side - 1) as f32;
        let coarse = |v: usize| {
            let v = ((v as f32 + 0.5) / shrink as f32 - 0.5).clamp(0.0, last);
            let first = (v as usize).min(self.side - 2);
            (first, v - first as f32)
        };
        for y in 0..SIDE {
            let (first, share) = coarse(y);
            for (row, plane) in rows.iter_mut().zip([&self.dx, &self.dy]) {
                let upper = &plane[first * self.side..][..self.side];
                let lower = &plane[(first + 1) * self.side..][..self.side];
                for ((to, upper), lower) in row.iter_mut().zip(upper).zip(lower) {
                    *to = shrink as f32 * (upper + share * (lower - upper));
                }
            }
            for x in 0..SIDE {
                let (first, share) = coarse(x);
                let [u, v] = [0, 1]
                    .map(|i: usize| rows[i][first] + share * (rows[i][first + 1] - rows[i][first]));
                out[y * SIDE + x] = bilinear(earlier, SIDE, x as f32 + u, y as f32 + v);
            }
        }
        out
    }
}

/// The mean of three by three; what lies outside is as the edge.
fn smoothed(plane: &[f32], side: usize) -> Buffer<f32> {
    let mut out = FLOATS.take(side * side);
    for y in 0..side {
        for x in 0..side {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(side - 1));
            let row =
                |y: usize| plane[y * side + left] + plane[y * side + x] + plane[y * side + right];
            out[y * side + x] =
                (row(y.saturating_sub(1)) + row(y) + row((y + 1).min(side - 1))) / 9.0;
        }
    }
    out
}

/// A patch of the new frame with its gradients, both without the mean of the patch.
struct Template {
    left: f32,
    top: f32,
    value: [f32; PATCH * PATCH],
    across: [f32; PATCH * PATCH],
    down: [f32; PATCH * PATCH],
    /// Inverse of the structure tensor: xx, xy, yy.
    inverse: [f32; 3],
}

impl Template {
    fn of(plane: &Plane, left: usize, top: usize) -> Template {
        let (side, last) = (plane.side, plane.side - 1);
        let at = |x: usize, y: usize| plane.values[y * side + x];
        let [mut value, mut across, mut down] = [[0.0f32; PATCH * PATCH]; 3];
        let samples = value.iter_mut().zip(&mut across).zip(&mut down);
        for (i, ((value, across), down)) in samples.enumerate() {
            let (x, y) = (left + i % PATCH, top + i / PATCH);
            *value = at(x, y);
            if x > 0 && x < last {
                *across = (at(x + 1, y) - at(x - 1, y)) / 2.0;
            }
            if y > 0 && y < last {
                *down = (at(x, y + 1) - at(x, y - 1)) / 2.0;
            }
        }
        centre(&mut value);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let xx = dot(&across, &across) + STIFFNESS;
        let yy = dot(&down, &down) + STIFFNESS;
        let xy = dot(&across, &down);
        let determinant = xx * yy - xy * xy;
        Template {
            left: left as f32,
            top: top as f32,
            value,
            across,
            down,
            inverse: [yy / determinant, -xy / determinant, xx / determinant],
        }
    }

    /// The displacement into `plane` from `start`, and the misfit there. One that runs away by more
    /// than a patch stays at its start.
    fn follow(&self, plane: &Plane, start: [f32; 2]) -> ([f32; 2], [f32; PATCH * PATCH]) {
        let [mut u, mut v] = start;
        for _ in 0..STEPS {
            let misfit = self.misfit(plane, [u, v]);
            let [mut x, mut y] = [0.0f32; 2];
            for ((across, down), misfit) in self.across.iter().zip(&self.down).zip(&misfit) {
                x += across * misfit;
                y += down * misfit;
            }
            let [xx, xy, yy] = self.inverse;
            u -= xx * x + xy * y;
            v -= xy * x + yy * y;
        }
        let runs = (u - start[0]).abs().max((v - start[1]).abs());
        let found = if runs <= PATCH as f32 { [u, v] } else { start };
        (found, self.misfit(plane, found))
    }

    fn misfit(&self, plane: &Plane, [u, v]: [f32; 2]) -> [f32; PATCH * PATCH] {
        let mut found = plane.patch(self.left + u, self.top + v);
        centre(&mut found);
        found
            .iter_mut()
            .zip(&self.value)
            .for_each(|(value, template)| *value -= template);
        found
    }
}

fn centre(values: &mut [f32]) {
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter_mut().for_each(|value| *value -= mean);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Image;
    use crate::{ImageView, PixelFormat};
    use vultus_nn::kernel::Kernels;

    const WIDTH: u32 = 320;
    const HEIGHT: u32 = 300;
    const INTERVAL_US: u64 = 33_333;

    /// Noise in 0..1 that belongs to a place.
    fn noise(x: i32, y: i32, seed: i32) -> f32 {
        let mut h = (x as u32).wrapping_mul(0x9e37_79b9) ^ (y as u32).wrapping_mul(0x85eb_ca6b);
        h ^= (seed as u32).wrapping_mul(0xc2b2_ae35);
        h = (h ^ h >> 15).wrapping_mul(0x2c1b_3c6d);
        h = (h ^ h >> 12).wrapping_mul(0x297a_2d39);
        (h ^ h >> 15) as f32 / u32::MAX as f32
    }

    /// Smooth noise at any place.
    fn texture(x: f32, y: f32, cell: f32, seed: i32) -> f32 {
        let (x, y) = (x / cell, y / cell);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let at = |dx: i32, dy: i32| noise(left as i32 + dx, top as i32 + dy, seed);
        let upper = at(0, 0) + fx * (at(1, 0) - at(0, 0));
        let lower = at(0, 1) + fx * (at(1, 1) - at(0, 1));
        upper + fy * (lower - upper)
    }

    /// A face whose middle is at (`x`, `y`): an ellipse with lids and lips.
    fn face(x: f32, y: f32) -> Vec<Point> {
        let mut points = vec![Point::new(x, y); 468];
        let mut ring = |ids: &[usize], dx: f32, dy: f32, width: f32, height: f32| {
            for (i, &id) in ids.iter().enumerate() {
                let angle = i as f32 / ids.len() as f32 * std::f32::consts::TAU;
                points[id] = Point::new(
                    x + dx + width * libm::cosf(angle),
                    y + dy + height * libm::sinf(angle),
                );
            }
        };
        ring(&landmark::OVAL, 0.0, 0.0, 50.0, 65.0);
        ring(LEFT_LIDS, -20.0, -15.0, 9.0, 5.0);
        ring(RIGHT_LIDS, 20.0, -15.0, 9.0, 5.0);
        ring(LIPS, 0.0, 30.0, 18.0, 8.0);
        points
    }

    /// Frame `i` of a head that drifts with all around it; its skin creases slowly, and is
    /// `painted` anew by that many levels.
    fn frame(i: u64, painted: f32) -> (Image, Vec<Point>) {
        let shift = 1.3 * i as f32;
        let (cx, cy) = (140.0 + shift, 150.0 + 0.4 * shift);
        let mut data = Vec::new();
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let (u, v) = (x as f32 - shift, y as f32 - 0.4 * shift);
                let mut value = 90.0 + 60.0 * texture(u, v, 17.0, 1);
                value += 25.0 * texture(u, v, 3.0, 2);
                value += 4.0 * noise(x as i32, y as i32, 100 + i as i32);
                let (dx, dy) = ((x as f32 - cx) / 50.0, (y as f32 - cy) / 65.0);
                if dx * dx + dy * dy < 1.0 {
                    let crease = 0.2 * i as f32;
                    value += 12.0 * libm::cosf(crease) * texture(u, v, 3.0, 5);
                    value += 12.0 * libm::sinf(crease) * texture(u, v, 3.0, 6);
                    value += painted * texture(u, v, 2.0, 1_000 + i as i32);
                }
                data.push(value as u8);
            }
        }
        let view =
            ImageView::new(&data, WIDTH, HEIGHT, WIDTH as usize, PixelFormat::Grey8).unwrap();
        (Image::from_view(&view), face(cx, cy))
    }

    fn seen(painted: f32, count: u64) -> Vec<Detail> {
        let mut register = Register::default();
        let see = |i: u64| {
            let (image, points) = frame(i, painted);
            register.see(
                &Pyramid::new(Kernels::best(), &image),
                &points,
                i * INTERVAL_US,
            )
        };
        (0..count).filter_map(see).collect()
    }

    fn mean(details: &[Detail], of: fn(&Detail) -> f32) -> f32 {
        details.iter().map(of).sum::<f32>() / details.len() as f32
    }

    #[test]
    fn skin_that_is_carried_along_is_explained_and_painted_skin_is_not() {
        let (carried, painted) = (seen(0.0, 24), seen(25.0, 24));
        assert!(carried.len() >= 6, "{} compared", carried.len());
        let skin = |details: &[Detail]| mean(details, |d| d.skin);
        let mouth = |details: &[Detail]| mean(details, |d| d.mouth);
        assert!(skin(&carried) < -0.1, "{carried:?}");
        assert!(
            skin(&painted) > skin(&carried) + 0.1,
            "{painted:?} {carried:?}"
        );
        assert!(
            mouth(&painted) > mouth(&carried) + 0.3,
            "{painted:?} {carried:?}"
        );
    }

    #[test]
    fn the_flow_finds_a_shift() {
        let window = around(&Rect::around(face(150.0, 150.0)));
        let through = |i: u64| {
            let (image, _) = frame(i, 0.0);
            Seen::through(&Pyramid::new(Kernels::best(), &image), &window, i)
        };
        let (now, earlier) = (through(3), through(0));
        let flow = Flow::between(&now.coarse, &earlier.coarse);
        let scale = SIDE as f32 / window.width / (SIDE / flow.side) as f32;
        let middle = flow.side / 2 * flow.side + flow.side / 2;
        let (dx, dy) = (flow.dx[middle] / scale, flow.dy[middle] / scale);
        assert!(
            (dx + 3.9).abs() < 0.3 && (dy + 1.56).abs() < 0.3,
            "{dx} {dy}"
        );
    }

    #[test]
    fn repeats_hostile_clocks_and_small_faces_are_not_compared() {
        let (image, points) = frame(0, 0.0);
        let pyramid = Pyramid::new(Kernels::best(), &image);
        let mut register = Register::default();
        for at in [0, 33_333, 66_666, 100_000, 133_333, 0, u64::MAX, 5, 5] {
            assert_eq!(register.see(&pyramid, &points, at), None);
        }
        for i in 0..400u64 {
            let (image, points) = frame(i % 20, 0.0);
            register.see(
                &Pyramid::new(Kernels::best(), &image),
                &points,
                10 + i * 1_000,
            );
            assert!(register.seen.len() <= 11);
        }
        let small: Vec<Point> = points
            .iter()
            .map(|p| Point::new(p.x / 3.0, p.y / 3.0))
            .collect();
        assert_eq!(register.see(&pyramid, &small, 10_000_000), None);
        assert!(register.seen.is_empty());
    }

    #[test]
    fn twelve_frames_a_second_are_too_few() {
        let mut register = Register::default();
        for i in 0..20 {
            let (image, points) = frame(i, 0.0);
            let found = register.see(&Pyramid::new(Kernels::best(), &image), &points, i * 83_333);
            assert_eq!(found, None);
        }
    }
}
