use crate::handle::Struct;
use vultus::{Comparison, OperatingPoint};

/// The score reaches the threshold.
pub const VULTUS_MATCH: i32 = 1;
/// The score is below the threshold.
pub const VULTUS_NON_MATCH: i32 = 2;

/// How alike a probe and a reference are, and what that is worth. The caller sets `struct_size`,
/// the library the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct vultus_comparison {
    /// sizeof(vultus_comparison).
    pub struct_size: usize,
    /// VULTUS_MATCH or VULTUS_NON_MATCH; 0 when nothing was compared.
    pub result: i32,
    /// How alike they are, -1 to 1; larger means more alike.
    pub score: f32,
    /// Scores from here on are matches.
    pub threshold: f32,
    /// 0.
    pub reserved: u32,
    /// The false match rate that was asked for.
    pub fmr: f64,
    /// Lower end of the 95 % confidence interval of the false match rate at the threshold.
    pub fmr_low: f64,
    /// Upper end of that interval.
    pub fmr_high: f64,
    /// Non-mated comparisons behind it.
    pub non_mated: u64,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_comparison {}

impl vultus_comparison {
    pub(crate) fn of(comparison: &Comparison) -> vultus_comparison {
        let point = &comparison.operating_point;
        vultus_comparison {
            struct_size: 0,
            result: if comparison.is_match {
                VULTUS_MATCH
            } else {
                VULTUS_NON_MATCH
            },
            score: comparison.score,
            threshold: point.threshold,
            reserved: 0,
            fmr: point.fmr,
            fmr_low: point.fmr_interval[0],
            fmr_high: point.fmr_interval[1],
            non_mated: point.non_mated,
        }
    }
}

/// A threshold with the false match rate that was observed at it. The caller sets `struct_size`,
/// the library the rest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct vultus_operating_point {
    /// sizeof(vultus_operating_point).
    pub struct_size: usize,
    /// Scores from here on are matches.
    pub threshold: f32,
    /// 0.
    pub reserved: u32,
    /// The false match rate of one comparison at the threshold.
    pub fmr: f64,
    /// Lower end of the 95 % confidence interval of that rate.
    pub fmr_low: f64,
    /// Upper end of that interval.
    pub fmr_high: f64,
    /// Non-mated comparisons behind it.
    pub non_mated: u64,
}

// SAFETY: plain data, whose size comes first.
unsafe impl Struct for vultus_operating_point {}

impl vultus_operating_point {
    pub(crate) fn of(point: &OperatingPoint) -> vultus_operating_point {
        vultus_operating_point {
            struct_size: 0,
            threshold: point.threshold,
            reserved: 0,
            fmr: point.fmr,
            fmr_low: point.fmr_interval[0],
            fmr_high: point.fmr_interval[1],
            non_mated: point.non_mated,
        }
    }
}
