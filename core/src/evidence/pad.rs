//! What is known of a presentation attack (ISO/IEC 30107-3).

use super::names;
use serde::Serialize;

/// What presentation attack detection found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PadReport {
    /// What the evidence amounts to.
    pub status: PadStatus,
    /// 0..=1, larger is more bona fide: the logistic of the views' mean log odds less those of the
    /// pack's threshold.
    pub score: f32,
    /// From this score on a presentation counts as bona fide.
    pub threshold: f32,
    /// Side of the square that was looked at over the side of the face; larger shows more of the
    /// surroundings.
    pub context: f32,
    /// What each view says.
    pub views: Vec<PadView>,
    /// Frames that were assessed.
    pub frames: u32,
    /// One sentence for a person.
    pub text: String,
}

names! {
    /// What presentation attack detection has to say.
    pub enum PadStatus {
        /// Nothing speaks against a bona fide presentation.
        BonaFide => "bona-fide",
        /// A print, a screen or another instrument was presented.
        Attack => "attack",
    }
}

/// What a network says of a presentation through one view. All views count alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PadView {
    /// Id of the network.
    pub network: &'static str,
    /// How many times the face's box it looks at, where the picture has as much.
    pub context: f32,
    /// Log odds of "bona fide" against every kind of attack; larger is more bona fide.
    pub log_odds: f32,
}
