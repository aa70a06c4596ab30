//! Head pose (ISO/IEC 29794-5, 7.4.11 to 7.4.13).

use super::{Measure, ramp};
use crate::align::Pose;

pub(super) fn measure(pose: &Pose, into: &mut Vec<Measure>) {
    into.push(ramp(
        "head-pose-yaw",
        pose.yaw_deg.abs(),
        "degrees",
        50.0,
        10.0,
    ));
    into.push(ramp(
        "head-pose-pitch",
        pose.pitch_deg.abs(),
        "degrees",
        30.0,
        2.0,
    ));
    into.push(ramp(
        "head-pose-roll",
        pose.roll_deg.abs(),
        "degrees",
        60.0,
        15.0,
    ));
}
