//! The direction of the head.

use super::landmark;
use crate::evidence::Pose;
use crate::geometry::Point;

/// The pitch that the line from forehead to chin shows for a level head: the median over LFW View
/// 1.
const LEVEL_PITCH_DEG: f32 = 5.7;

impl Pose {
    /// From two axes of the mesh: outer eye corner to outer eye corner, and forehead to chin.
    pub(super) fn of(points: &[Point], depths: &[f32]) -> Pose {
        let axis = |from: usize, to: usize| {
            [
                points[to].x - points[from].x,
                points[to].y - points[from].y,
                depths[to] - depths[from],
            ]
        };
        let across = axis(landmark::LEFT_EYE[0], landmark::RIGHT_EYE[0]);
        let down = axis(landmark::FOREHEAD, landmark::CHIN);
        let degrees = |y: f32, x: f32| libm::atan2f(y, x).to_degrees();
        let in_plane = |v: [f32; 3]| (v[0] * v[0] + v[1] * v[1]).sqrt();
        Pose {
            yaw_deg: degrees(across[2], in_plane(across)),
            pitch_deg: degrees(down[2], in_plane(down)) - LEVEL_PITCH_DEG,
            roll_deg: degrees(across[1], across[0]),
        }
    }
}
