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

impl vultus_comparison {
    /// What a caller's struct holds until there is a comparison.
    pub(crate) fn cleared(struct_size: usize) -> vultus_comparison {
        vultus_comparison {
            struct_size,
            ..vultus_comparison::default()
        }
    }

    pub(crate) fn fill(&mut self, comparison: &Comparison) {
        let point = &comparison.operating_point;
        *self = vultus_comparison {
            struct_size: self.struct_size,
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
        };
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

impl vultus_operating_point {
    pub(crate) fn fill(&mut self, point: &OperatingPoint) {
        *self = vultus_operating_point {
            struct_size: self.struct_size,
            threshold: point.threshold,
            reserved: 0,
            fmr: point.fmr,
            fmr_low: point.fmr_interval[0],
            fmr_high: point.fmr_interval[1],
            non_mated: point.non_mated,
        };
    }
}
