//! Buffers of calls that are over, wiped and kept for the next.

use crate::geometry::Point;
use vultus_nn::spare::Spare;
pub(crate) use vultus_nn::spare::{BYTES, Buffer, FLAGS, FLOATS};

pub(crate) static POINTS: Spare<Point> = Spare::new();
