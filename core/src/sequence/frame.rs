//! What is kept of a frame: a few kilobytes, from which every signal is computed.

use super::detail::Detail;
use super::region::{FOREHEAD, LEFT_CHEEK, LOWER_FACE, Patch, RIGHT_CHEEK};
use super::texture::Texture;
use crate::align::{AlignedFace, landmark};
use crate::embed::Features;
use crate::evidence::Pose;
use crate::geometry::{Point, Rect, Similarity};
use crate::image::{Image, Planar, Pyramid};
use crate::spare::{FLAGS, FLOATS, POINTS};

/// Side of the thumbnail.
pub(super) const THUMB: usize = 16;

/// The descriptors of a frame.
pub(super) struct Frame {
    pub(super) timestamp_us: u64,
    pub(super) size: (u32, u32),
    /// Equal for frames that are equal in every pixel.
    pub(super) digest: u64,
    /// Luminance of the middle square at `THUMB` x `THUMB`, 0..=255.
    pub(super) thumb: Vec<f32>,
    pub(super) face: Option<FaceTrace>,
    /// Features of the face, every few frames.
    pub(super) features: Option<Features>,
    /// Texture of the skin, every few frames.
    pub(super) texture: Option<Texture>,
    /// How much of the fine detail is new, where it could be compared.
    pub(super) detail: Option<Detail>,
    /// By how much steps of luminance are larger across the 8 x 8 grid than beside it, over the
    /// step; every few frames.
    pub(super) blockiness: Option<f32>,
}

/// What is kept of the face.
pub(super) struct FaceTrace {
    /// [`INNER`] landmarks, then the outline.
    pub(super) points: Vec<Point>,
    pub(super) inter_eye_px: f32,
    pub(super) pose: Pose,
    /// Direction of the head by its inner landmarks minus that by its outline, in degrees: yaw,
    /// then pitch.
    pub(super) pose_gap_deg: [f32; 2],
    /// Height of the opening of both eyes over their width by the mesh, which hardly follows the
    /// lids; the mean of the two.
    pub(super) eye_opening: f32,
    /// Mean opening of both eyes over the length of the nose by the network that sees the lids,
    /// where a challenge asked for it.
    pub(super) lid_opening: Option<f32>,
    pub(super) colours: Colours,
}

/// Landmarks of brows, eyes, nose and mouth, which move with the skull or with expression.
pub(super) const INNER: [usize; 35] = [
    33, 133, 159, 145, 263, 362, 386, 374, 1, 2, 4, 5, 6, 168, 197, 195, 98, 327, 61, 291, 13, 14,
    0, 17, 70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 55,
];

/// Mean colours (R, G, B in 0..=255) of patches of skin, and of what lies around the face.
#[derive(Clone, Copy, Default)]
pub(super) struct Colours {
    pub(super) forehead: [f32; 3],
    pub(super) cheeks: [f32; 3],
    pub(super) lower: [f32; 3],
    /// The inside of the outline.
    pub(super) face: [f32; 3],
    pub(super) around: [f32; 3],
    /// What lies to the left and right of the head, beyond the hair and above the chin; `None`
    /// where the frame ends before.
    pub(super) beside: Option<[f32; 3]>,
}

impl Frame {
    pub(super) fn describe(
        pyramid: &Pyramid<'_>,
        timestamp_us: u64,
        face: Option<&AlignedFace<'_>>,
        features: Option<Features>,
        eye_openings: Option<[f32; 2]>,
        detail: Option<Detail>,
    ) -> Frame {
        let image = pyramid.image();
        Frame {
            timestamp_us,
            size: (image.width(), image.height()),
            digest: digest(image),
            thumb: thumbnail(pyramid),
            face: face.map(|face| FaceTrace::of(face, eye_openings)),
            texture: face.filter(|_| features.is_some()).and_then(Texture::of),
            blockiness: face
                .filter(|_| features.is_some())
                .and_then(|face| blockiness(image, &face.bounds())),
            detail,
            features,
        }
    }
}

impl FaceTrace {
    fn of(face: &AlignedFace<'_>, eye_openings: Option<[f32; 2]>) -> FaceTrace {
        let points = face.points();
        let opening = |[outer, inner, upper, lower]: [usize; 4]| {
            points[upper].distance(points[lower]) / points[outer].distance(points[inner]).max(1.0)
        };
        FaceTrace {
            points: INNER
                .iter()
                .chain(&landmark::OVAL)
                .map(|&i| points[i])
                .collect(),
            inter_eye_px: face.inter_eye_px(),
            pose: face.pose(),
            pose_gap_deg: pose_gap(face),
            eye_opening: (opening(landmark::LEFT_EYE) + opening(landmark::RIGHT_EYE)) / 2.0,
            lid_opening: eye_openings.map(|[left, right]| (left + right) / 2.0),
            colours: Colours::of(face),
        }
    }

    pub(super) fn inner(&self) -> &[Point] {
        &self.points[..INNER.len()]
    }

    pub(super) fn outline(&self) -> &[Point] {
        &self.points[INNER.len()..]
    }
}

/// Angles out of the plane of the picture between two pairs of axes of the mesh: the outer corners
/// of the eyes against the sides of the face, and the bridge of the nose to the lower lip against
/// forehead to chin.
fn pose_gap(face: &AlignedFace<'_>) -> [f32; 2] {
    let (points, depths) = (face.points(), face.depths());
    let angle = |from: usize, to: usize| {
        libm::atan2f(depths[to] - depths[from], points[from].distance(points[to])).to_degrees()
    };
    [
        angle(33, 263) - angle(234, 454),
        angle(168, 17) - angle(landmark::FOREHEAD, landmark::CHIN),
    ]
}

/// Blocks of a coder lie on a grid of eight pixels from the corner of the picture.
const BLOCK: usize = 8;

fn blockiness(image: &Image, bounds: &Rect) -> Option<f32> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let clip = |v: f32, limit: usize| (v.max(0.0) as usize).min(limit);
    let (left, right) = (clip(bounds.x, width), clip(bounds.x + bounds.width, width));
    let (top, bottom) = (
        clip(bounds.y, height),
        clip(bounds.y + bounds.height, height),
    );
    // Green stands for luminance: one byte in three, no arithmetic.
    let (mut across, mut beside) = ([0u64; 2], [0u64; 2]);
    for y in (top..bottom).step_by(2) {
        let row = &image.rgb()[y * width * 3..][..width * 3];
        for x in left.max(1)..right {
            let step = u64::from(row[x * 3 + 1].abs_diff(row[x * 3 - 2]));
            let sums = if x % BLOCK == 0 {
                &mut across
            } else {
                &mut beside
            };
            sums[0] += step;
            sums[1] += 1;
        }
    }
    let mean = |[sum, count]: [u64; 2]| (count > 0).then(|| sum as f32 / count as f32);
    let beside = mean(beside)?;
    (beside > 0.0)
        .then(|| mean(across).map(|across| across / beside - 1.0))
        .flatten()
}

/// Side of the crop that colours are read from; the eyes are 28 pixels apart in it.
const SIDE: usize = 96;
const EYES: [Point; 2] = [Point::new(34.0, 40.32), Point::new(62.0, 40.32)];

impl Colours {
    fn of(face: &AlignedFace<'_>) -> Colours {
        let form = Planar::pixels(SIDE, SIDE);
        let mut planes = FLOATS.take(form.len());
        let to_picture = Similarity::fit(&EYES, &face.eye_centres());
        face.pyramid().sample(&to_picture, &form, &mut planes);
        let to_crop = to_picture.inverse();
        let points = POINTS.collect(face.points().iter().map(|&p| to_crop.apply(p)));
        let mean = |patches: &[Patch]| {
            let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
            for (y, first, end) in patches.iter().flat_map(|patch| patch.rows(SIDE, SIDE)) {
                for (c, total) in sum.iter_mut().enumerate() {
                    *total += planes[c * SIDE * SIDE + y * SIDE + first..][..end - first]
                        .iter()
                        .sum::<f32>();
                }
                count += (end - first) as f32;
            }
            sum.map(|total| if count > 0.0 { total / count } else { 0.0 })
        };
        let oval = |factor| Patch::of(&points, (&landmark::OVAL, factor));
        Colours {
            forehead: mean(&[Patch::of(&points, FOREHEAD)]),
            cheeks: mean(&[
                Patch::of(&points, LEFT_CHEEK),
                Patch::of(&points, RIGHT_CHEEK),
            ]),
            lower: mean(&[Patch::of(&points, LOWER_FACE)]),
            face: mean(&[oval(0.85)]),
            around: around(&planes, &oval(1.15)),
            beside: beside(face.pyramid().image(), &face.bounds()),
        }
    }
}

/// The mean colour of the crop without the patch.
fn around(planes: &[f32], patch: &Patch) -> [f32; 3] {
    let mut outside = FLAGS.take(SIDE * SIDE);
    outside.fill(true);
    for (y, first, end) in patch.rows(SIDE, SIDE) {
        outside[y * SIDE + first..y * SIDE + end].fill(false);
    }
    let count = outside.iter().filter(|&&outside| outside).count().max(1) as f32;
    let mean = |plane: &[f32]| {
        plane
            .iter()
            .zip(&outside[..])
            .map(|(value, &outside)| if outside { *value } else { 0.0 })
            .sum::<f32>()
            / count
    };
    let mut planes = planes.chunks_exact(SIDE * SIDE).map(mean);
    std::array::from_fn(|_| planes.next().unwrap_or(0.0))
}

/// From where to where what is beside the head lies, in half widths of the face from its middle.
const BESIDE: [f32; 2] = [1.6, 2.8];
/// Every so many pixels of a row and of a column are looked at there.
const BESIDE_STEP: usize = 4;
/// The area that must be seen, in areas of the face's box.
const LEAST_BESIDE: f32 = 0.1;

fn beside(image: &Image, face: &Rect) -> Option<[f32; 3]> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let clip = |v: f32, limit: usize| (v.max(0.0) as usize).min(limit);
    let (centre, half) = (face.x + face.width / 2.0, face.width / 2.0);
    let [near, far] = BESIDE.map(|times| times * half);
    let sides = [(centre - far, centre - near), (centre + near, centre + far)]
        .map(|(from, to)| clip(from, width)..clip(to, width));
    let rows = clip(face.y, height)..clip(face.y + face.height, height);
    let (mut sums, mut count) = ([0u64; 3], 0u64);
    for y in rows.step_by(BESIDE_STEP) {
        let row = &image.rgb()[y * width * 3..][..width * 3];
        for x in sides
            .iter()
            .flat_map(|side| side.clone().step_by(BESIDE_STEP))
        {
            for (c, sum) in sums.iter_mut().enumerate() {
                *sum += u64::from(row[x * 3 + c]);
            }
            count += 1;
        }
    }
    let seen = count as f32 * (BESIDE_STEP * BESIDE_STEP) as f32;
    (count > 0 && seen >= LEAST_BESIDE * face.width * face.height)
        .then(|| sums.map(|sum| sum as f32 / count as f32))
}

/// A hash of all pixels in eight lanes, so that it costs little beside reading them. Not
/// cryptographic: who can choose the pixels gains nothing from two different frames that look
/// equal.
fn digest(image: &Image) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |h: u64, word: u64| (h ^ word).wrapping_mul(ODD).rotate_left(29);
    let mut lanes = [
        u64::from(image.width()),
        u64::from(image.height()),
        2,
        3,
        4,
        5,
        6,
        7,
    ];
    let mut chunks = image.rgb().chunks_exact(64);
    for chunk in &mut chunks {
        for (lane, bytes) in lanes.iter_mut().zip(chunk.chunks_exact(8)) {
            *lane = mix(
                *lane,
                bytes
                    .iter()
                    .rev()
                    .fold(0, |word, &byte| word << 8 | u64::from(byte)),
            );
        }
    }
    let rest = chunks
        .remainder()
        .iter()
        .fold(0, |h, &byte| mix(h, u64::from(byte)));
    lanes.iter().fold(rest, |h, &lane| mix(h, lane))
}

/// The middle square at `THUMB` x `THUMB`: sixteen samples to each value.
fn thumbnail(pyramid: &Pyramid<'_>) -> Vec<f32> {
    const FINE: usize = 4 * THUMB;
    let form = Planar::pixels(FINE, FINE);
    let mut planes = FLOATS.take(form.len());
    let (width, height) = (pyramid.width(), pyramid.height());
    let map = Similarity::onto_square(
        FINE as f32,
        Point::new(width / 2.0, height / 2.0),
        width.min(height),
        Point::new(1.0, 0.0),
    );
    pyramid.sample(&map, &form, &mut planes);
    let (red, rest) = planes.split_at(FINE * FINE);
    let (green, blue) = rest.split_at(FINE * FINE);
    let mut thumb = vec![0.0; THUMB * THUMB];
    for y in 0..FINE {
        for x in 0..FINE {
            let i = y * FINE + x;
            thumb[y / 4 * THUMB + x / 4] += luminance([red[i], green[i], blue[i]]) / 16.0;
        }
    }
    thumb
}

/// BT.709 luminance of R, G, B.
pub(super) fn luminance([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageView, PixelFormat};

    fn grey(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Image {
        let data: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| value(x, y))
            .collect();
        Image::from_view(
            &ImageView::new(&data, width, height, width as usize, PixelFormat::Grey8).unwrap(),
        )
    }

    #[test]
    fn every_pixel_and_the_size_are_in_the_digest() {
        let whole = digest(&grey(40, 30, |_, _| 9));
        assert_eq!(whole, digest(&grey(40, 30, |_, _| 9)));
        assert_ne!(whole, digest(&grey(30, 40, |_, _| 9)));
        for changed in [(0, 0), (39, 29), (17, 11)] {
            assert_ne!(
                whole,
                digest(&grey(40, 30, |x, y| if (x, y) == changed { 8 } else { 9 }))
            );
        }
    }

    #[test]
    fn the_thumbnail_shows_the_middle_square() {
        let image = grey(300, 200, |x, _| if x < 150 { 0 } else { 200 });
        let thumb = thumbnail(&Pyramid::new(vultus_nn::kernel::Kernels::best(), &image));
        assert!(thumb[5 * THUMB] < 1.0 && thumb[5 * THUMB + THUMB - 1] > 199.0);
    }
}
