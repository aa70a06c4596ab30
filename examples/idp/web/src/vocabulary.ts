// Made by `VULTUS_BLESS=1 cargo test --release -p vultus-schema`; do not change it by hand.

/**
 * What was decided. There is no boolean: a doubt is its own answer.
 */
export type Outcome =
  | "reject"
  | "inconclusive"
  | "accept";

/**
 * What a reason does to the outcome, the gravest first.
 */
export type Effect =
  | "reject"
  | "inconclusive"
  | "support"
  | "note";

/**
 * Stable codes; one is never renamed or given another meaning.
 */
export type ReasonCode =
  | "match"
  | "non-match"
  | "no-face"
  | "several-faces"
  | "face-too-small"
  | "face-cut-off"
  | "face-turned-away"
  | "blurred"
  | "too-dark"
  | "too-bright"
  | "low-contrast"
  | "bona-fide"
  | "presentation-attack"
  | "pad-not-assessed"
  | "pad-not-assessable"
  | "sequence-consistent"
  | "sequence-suspicious"
  | "sequence-manipulated"
  | "sequence-not-assessed"
  | "challenge-passed"
  | "challenge-failed"
  | "challenge-not-assessable"
  | "face-not-placed"
  | "document-read"
  | "document-not-read"
  | "document-digits"
  | "document-expired"
  | "document-kind"
  | "document-holder"
  | "document-holder-differs"
  | "document-holder-unclear"
  | "document-consistent"
  | "document-not-consistent"
  | "document-signed"
  | "document-not-signed"
  | "document-signature"
  | "document-issuer-unknown"
  | "same-picture"
  | "capture-level";

/**
 * What a picture is in the transaction. A selfie is live and upright; a reference picture may be a
 * print, any way up, with a small portrait.
 */
export type Role =
  | "selfie"
  | "document";

/**
 * Why something could not be assessed. Rows are added at the end: templates hold their place.
 */
export type Obstacle =
  | "no-face"
  | "face-too-small"
  | "too-little-around"
  | "colourless"
  | "posterised"
  | "flat-areas"
  | "no-picture"
  | "no-weights"
  | "no-calibration"
  | "too-few-frames"
  | "too-little-covered"
  | "not-begun"
  | "cut-short"
  | "out-of-order"
  | "too-little-light"
  | "late-frames";

/**
 * A component of quality, after ISO/IEC 29794-5. Rows are added at the end: templates hold scores
 * by their place.
 */
export type Component =
  | "illumination-uniformity"
  | "under-exposure-prevention"
  | "over-exposure-prevention"
  | "dynamic-range"
  | "sharpness"
  | "compression-artefacts"
  | "single-face-present"
  | "inter-eye-distance"
  | "face-inside-picture"
  | "leftward-crop"
  | "rightward-crop"
  | "margin-above"
  | "margin-below"
  | "head-pose-yaw"
  | "head-pose-pitch"
  | "head-pose-roll"
  | "eyes-open"
  | "mouth-closed";

/**
 * The detectors, from near to far.
 */
export type Detector =
  | "near"
  | "far"
  | "small"
  | "yunet";

/**
 * What presentation attack detection has to say.
 */
export type PadStatus =
  | "bona-fide"
  | "attack";

/**
 * Which features are compared.
 */
export type Comparator =
  | "single"
  | "fused";

/**
 * How much the frames speak for a deepfake or an injected stream.
 */
export type RiskLevel =
  | "LOW"
  | "MEDIUM"
  | "HIGH";

/**
 * What a signal speaks for. The two are kept apart, and apart from presentation attack detection.
 */
export type Channel =
  | "deepfake"
  | "injection";

/**
 * What is measured over frames. Larger values are more suspicious.
 */
export type SignalName =
  | "identity-consistency"
  | "identity-scatter"
  | "identity-switch"
  | "colour-flicker"
  | "hue-flicker"
  | "brightness-flicker"
  | "texture-balance"
  | "skin-renewal"
  | "edge-renewal"
  | "mouth-renewal"
  | "landmark-jitter"
  | "inner-outer-motion"
  | "inner-outer-pose"
  | "eye-stillness"
  | "pulse-absence"
  | "frozen-frames"
  | "repeated-frames"
  | "doubled-frames"
  | "looped-frames"
  | "reversed-frames"
  | "timestamp-order"
  | "timestamp-haste"
  | "timestamp-drift"
  | "timestamp-evenness"
  | "frame-size-changes"
  | "scene-cut"
  | "block-coding";

/**
 * What can be asked.
 */
export type ChallengeKind =
  | "flash"
  | "head-turn"
  | "blink"
  | "head-moves";

/**
 * How a challenge went.
 */
export type ChallengeStatus =
  | "passed"
  | "failed";

/**
 * Where the head goes, for the person.
 */
export type Direction =
  | "left"
  | "right"
  | "up"
  | "down";

/**
 * How the frames were captured, as far as it was proven; each level holds those before it.
 */
export type CaptureLevel =
  | "none"
  | "challenge"
  | "host-time"
  | "attested";

/**
 * Stable codes; one is never renamed or given another meaning.
 */
export type GuidanceCode =
  | "ready"
  | "no-face"
  | "several-faces"
  | "come-closer"
  | "move-back"
  | "centre-face"
  | "look-ahead"
  | "turn-to-the-light"
  | "too-bright"
  | "hold-still";

/**
 * How far a document was established, the weakest first. The three are never mixed: only a
 * signature proves that an issuer said what is read.
 */
export type DocumentLevel =
  | "read"
  | "consistent"
  | "signed";

/**
 * What was found where a document was looked for.
 */
export type DocumentSight =
  | "mrz"
  | "mrz-unclear"
  | "no-mrz"
  | "chip";

/**
 * The shapes of a machine-readable zone (ICAO Doc 9303).
 */
export type Format =
  | "TD1"
  | "TD2"
  | "TD3"
  | "MRV-A"
  | "MRV-B";

/**
 * What stands in a zone.
 */
export type FieldName =
  | "document-code"
  | "issuer"
  | "name"
  | "number"
  | "nationality"
  | "birth-date"
  | "sex"
  | "expiry-date"
  | "optional"
  | "optional-2";

/**
 * What a check digit covers.
 */
export type Check =
  | "number"
  | "birth-date"
  | "expiry-date"
  | "optional"
  | "composite";

/**
 * What a check digit says.
 */
export type CheckResult =
  | "holds"
  | "fails"
  | "absent";

/**
 * What became of the issuer's signature over the data of a chip.
 */
export type SignatureStatus =
  | "valid"
  | "issuer-unknown"
  | "invalid";
