//! Where the networks look.

use crate::geometry::Rect;

/// A square of whole pixels inside the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Square {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) side: u32,
}

impl Square {
    /// The square of `context` times the face about its centre, moved to lie inside the picture,
    /// never padded, never stretched.
    pub(super) fn about(face: &Rect, context: f32, width: u32, height: u32) -> Self {
        let side = (context * face.side())
            .min(width.min(height) as f32)
            .max(1.0)
            .floor();
        let centre = face.centre();
        let inside = |middle: f32, whole: u32| {
            ((middle - side / 2.0).clamp(0.0, whole as f32 - side) + 0.5).floor() as u32
        };
        let side_px = side as u32;
        Square {
            left: inside(centre.x, width).min(width - side_px),
            top: inside(centre.y, height).min(height - side_px),
            side: side_px,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_stays_inside() {
        let face = Rect {
            x: 10.0,
            y: 20.0,
            width: 100.0,
            height: 100.0,
        };
        let square = |face: &Rect, width, height| {
            let Square { left, top, side } = Square::about(face, 3.4, width, height);
            (left, top, side)
        };
        assert_eq!(square(&face, 1000, 1000), (0, 0, 340));
        assert_eq!(
            square(
                &Rect {
                    x: 450.0,
                    y: 450.0,
                    ..face
                },
                1000,
                1000
            ),
            (330, 330, 340)
        );
        assert_eq!(square(&Rect { y: 480.0, ..face }, 120, 500), (0, 380, 120));
        assert_eq!(square(&face, 1, 1), (0, 0, 1));
    }
}
