// Code generated DO NOT EDIT.
// Made by `VULTUS_BLESS=1 cargo test --release -p vultus-schema`; do not change it by hand.

package vultus

// Effect is one of a table. What a reason does to the outcome, the gravest first.
type Effect string

// The values of Effect.
const (
	// Rejects, whatever else speaks for the person.
	EffectReject Effect = "reject"
	// Leaves the question open.
	EffectInconclusive Effect = "inconclusive"
	// Speaks for acceptance.
	EffectSupport Effect = "support"
	// Is told, and decides nothing.
	EffectNote Effect = "note"
)

// ReasonCode is one of a table. Stable codes; one is never renamed or given another meaning.
type ReasonCode string

// The values of ReasonCode.
const (
	// The comparison score reaches the threshold.
	ReasonCodeMatch ReasonCode = "match"
	// The comparison score is below the threshold.
	ReasonCodeNonMatch ReasonCode = "non-match"
	// No face was found: a failure to acquire.
	ReasonCodeNoFace ReasonCode = "no-face"
	// A second face could be the one that is meant.
	ReasonCodeSeveralFaces ReasonCode = "several-faces"
	// The eyes are too close together in pixels.
	ReasonCodeFaceTooSmall ReasonCode = "face-too-small"
	// The face is cut by the edge of the picture.
	ReasonCodeFaceCutOff ReasonCode = "face-cut-off"
	// The head is turned or nods too far.
	ReasonCodeFaceTurnedAway ReasonCode = "face-turned-away"
	// The face is not sharp.
	ReasonCodeBlurred ReasonCode = "blurred"
	// The face is under-exposed.
	ReasonCodeTooDark ReasonCode = "too-dark"
	// The face is over-exposed.
	ReasonCodeTooBright ReasonCode = "too-bright"
	// The face has too few levels of luminance.
	ReasonCodeLowContrast ReasonCode = "low-contrast"
	// Presentation attack detection finds nothing against a bona fide presentation.
	ReasonCodeBonaFide ReasonCode = "bona-fide"
	// Presentation attack detection finds a print, a screen or another instrument.
	ReasonCodePresentationAttack ReasonCode = "presentation-attack"
	// Presentation attack detection was not run: nobody asked, or the pack has no weights.
	ReasonCodePadNotAssessed ReasonCode = "pad-not-assessed"
	// Presentation attack detection lacks what it needs to see.
	ReasonCodePadNotAssessable ReasonCode = "pad-not-assessable"
	// The frames are like bona fide material, in both channels; a support only where both were
	// measured to tell manipulated material.
	ReasonCodeSequenceConsistent ReasonCode = "sequence-consistent"
	// The frames are unusual.
	ReasonCodeSequenceSuspicious ReasonCode = "sequence-suspicious"
	// The frames are like manipulated or injected material.
	ReasonCodeSequenceManipulated ReasonCode = "sequence-manipulated"
	// No frames were given, or they show too little of a channel to say that nothing is wrong.
	ReasonCodeSequenceNotAssessed ReasonCode = "sequence-not-assessed"
	// The frames follow the challenge in time.
	ReasonCodeChallengePassed ReasonCode = "challenge-passed"
	// The frames do not follow the challenge.
	ReasonCodeChallengeFailed ReasonCode = "challenge-failed"
	// It cannot be told whether the frames follow the challenge.
	ReasonCodeChallengeNotAssessable ReasonCode = "challenge-not-assessable"
	// The landmarks do not come to rest on the face that was detected.
	ReasonCodeFaceNotPlaced ReasonCode = "face-not-placed"
	// The document's zone was read without doubt and its check digits hold; anybody can print such
	// a zone.
	ReasonCodeDocumentRead ReasonCode = "document-read"
	// The document was not looked at, shows no zone, or shows one that cannot be read without
	// doubt.
	ReasonCodeDocumentNotRead ReasonCode = "document-not-read"
	// Check digits of the document fail: it was misread, or no issuer printed it so.
	ReasonCodeDocumentDigits ReasonCode = "document-digits"
	// The document has expired, or its last day of validity is not known.
	ReasonCodeDocumentExpired ReasonCode = "document-expired"
	// The document is of a kind that the policy does not take.
	ReasonCodeDocumentKind ReasonCode = "document-kind"
	// The document names the holder that the policy states.
	ReasonCodeDocumentHolder ReasonCode = "document-holder"
	// The document names another holder than the policy states.
	ReasonCodeDocumentHolderDiffers ReasonCode = "document-holder-differs"
	// It cannot be told whether the document names the holder that the policy states.
	ReasonCodeDocumentHolderUnclear ReasonCode = "document-holder-unclear"
	// What the document shows more than once agrees.
	ReasonCodeDocumentConsistent ReasonCode = "document-consistent"
	// It is not known that what the document shows more than once agrees, or it does not.
	ReasonCodeDocumentNotConsistent ReasonCode = "document-not-consistent"
	// An issuer that the operator trusts signed what is read and the portrait.
	ReasonCodeDocumentSigned ReasonCode = "document-signed"
	// No issuer's signature was handed in.
	ReasonCodeDocumentNotSigned ReasonCode = "document-not-signed"
	// The issuer's signature does not hold, or the data are not those that it covers.
	ReasonCodeDocumentSignature ReasonCode = "document-signature"
	// No issuer of the operator's list certified who signed the document.
	ReasonCodeDocumentIssuerUnknown ReasonCode = "document-issuer-unknown"
	// The selfie and the portrait of the document come from one capture.
	ReasonCodeSamePicture ReasonCode = "same-picture"
	// It is not proven that the frames were captured as the policy demands.
	ReasonCodeCaptureLevel ReasonCode = "capture-level"
)

// Obstacle is one of a table. Why something could not be assessed. Rows are added at the end:
// templates hold their place.
type Obstacle string

// The values of Obstacle.
const (
	// No face was found.
	ObstacleNoFace Obstacle = "no-face"
	// The face is too small for its texture to be judged; come closer.
	ObstacleFaceTooSmall Obstacle = "face-too-small"
	// Too little of the surroundings is in the picture; hold the camera farther away.
	ObstacleTooLittleAround Obstacle = "too-little-around"
	// The picture is grey or of one tint, which hides what prints and screens do to colours; send
	// the camera's own picture.
	ObstacleColourless Obstacle = "colourless"
	// The picture has the few tones of a posterised or dithered one; send the camera's own picture.
	ObstaclePosterised Obstacle = "posterised"
	// The face is made of areas of one colour, as a drawing is; send the camera's own picture.
	ObstacleFlatAreas Obstacle = "flat-areas"
	// The reference is a stored template; a document is read off a picture.
	ObstacleNoPicture Obstacle = "no-picture"
	// The model pack holds no weights for it.
	ObstacleNoWeights Obstacle = "no-weights"
	// The model pack does not say what is usual.
	ObstacleNoCalibration Obstacle = "no-calibration"
	// Too few frames that differ from each other show it.
	ObstacleTooFewFrames Obstacle = "too-few-frames"
	// Too few of the signals could be measured to say that nothing is wrong.
	ObstacleTooLittleCovered Obstacle = "too-little-covered"
	// The challenge was not begun.
	ObstacleNotBegun Obstacle = "not-begun"
	// The challenge was not seen to its end.
	ObstacleCutShort Obstacle = "cut-short"
	// The timestamps are not in order, so the answer cannot be followed in time.
	ObstacleOutOfOrder Obstacle = "out-of-order"
	// The light of the screen hardly reaches the face; the room is too bright or the screen too
	// dark.
	ObstacleTooLittleLight Obstacle = "too-little-light"
	// Too many frames reached the host long after their capture, so it cannot be told when they
	// were made.
	ObstacleLateFrames Obstacle = "late-frames"
)

// Component is one of a table. A component of quality, after ISO/IEC 29794-5. Rows are added at the
// end: templates hold scores by their place.
type Component string

// The values of Component.
const (
	// Whether both halves of the face are lit alike.
	ComponentIlluminationUniformity Component = "illumination-uniformity"
	// Whether the face is bright enough to show detail.
	ComponentUnderExposurePrevention Component = "under-exposure-prevention"
	// Whether the face is dark enough to show detail.
	ComponentOverExposurePrevention Component = "over-exposure-prevention"
	// How many levels of luminance the face has.
	ComponentDynamicRange Component = "dynamic-range"
	// Fine detail of the face against its contrast.
	ComponentSharpness Component = "sharpness"
	// How little a JPEG was compressed; 100 for other formats, of which nothing is known.
	ComponentCompressionArtefacts Component = "compression-artefacts"
	// Whether there is no other face that could be meant.
	ComponentSingleFacePresent Component = "single-face-present"
	// The distance between the centres of the eyes.
	ComponentInterEyeDistance Component = "inter-eye-distance"
	// How much of the face lies inside the picture.
	ComponentFaceInsidePicture Component = "face-inside-picture"
	// Room to the left of the face.
	ComponentLeftwardCrop Component = "leftward-crop"
	// Room to the right of the face.
	ComponentRightwardCrop Component = "rightward-crop"
	// Room above the face.
	ComponentMarginAbove Component = "margin-above"
	// Room below the face.
	ComponentMarginBelow Component = "margin-below"
	// How far the head is turned to a side.
	ComponentHeadPoseYaw Component = "head-pose-yaw"
	// How far the head nods up or down.
	ComponentHeadPosePitch Component = "head-pose-pitch"
	// How far the head is tilted to a shoulder.
	ComponentHeadPoseRoll Component = "head-pose-roll"
	// How far the eyes are open.
	ComponentEyesOpen Component = "eyes-open"
	// How far the mouth is closed.
	ComponentMouthClosed Component = "mouth-closed"
)

// PadStatus is one of a table. What presentation attack detection has to say.
type PadStatus string

// The values of PadStatus.
const (
	// Nothing speaks against a bona fide presentation.
	PadStatusBonaFide PadStatus = "bona-fide"
	// A print, a screen or another instrument was presented.
	PadStatusAttack PadStatus = "attack"
)

// Channel is one of a table. What a signal speaks for. The two are kept apart, and apart from
// presentation attack detection.
type Channel string

// The values of Channel.
const (
	// The face was made or changed: a swap, a reenactment.
	ChannelDeepfake Channel = "deepfake"
	// The frames did not come from a camera as it saw them: a virtual camera, a file, a replaced
	// stream.
	ChannelInjection Channel = "injection"
)

// SignalName is one of a table. What is measured over frames. Larger values are more suspicious.
type SignalName string

// The values of SignalName.
const (
	// How unlike the face is to itself from frame to frame, heads in like pose.
	SignalNameIdentityConsistency SignalName = "identity-consistency"
	// How much the likeness of the face to itself varies.
	SignalNameIdentityScatter SignalName = "identity-scatter"
	// How unlike the person before a moment is to the one after it.
	SignalNameIdentitySwitch SignalName = "identity-switch"
	// How much the colour of the lower face flickers against the forehead.
	SignalNameColourFlicker SignalName = "colour-flicker"
	// How much the colour of the face flickers.
	SignalNameHueFlicker SignalName = "hue-flicker"
	// How much more the face flickers in brightness than its surroundings.
	SignalNameBrightnessFlicker SignalName = "brightness-flicker"
	// How much smoother or noisier than usual cheeks and nose are beside the forehead.
	SignalNameTextureBalance SignalName = "texture-balance"
	// How much of the skin's fine detail is made anew from frame to frame, against the ring around
	// the face.
	SignalNameSkinRenewal SignalName = "skin-renewal"
	// How much of the fine detail along the edge of the face is made anew.
	SignalNameEdgeRenewal SignalName = "edge-renewal"
	// How much of the mouth is drawn anew.
	SignalNameMouthRenewal SignalName = "mouth-renewal"
	// How much the landmarks tremble about a rigid head.
	SignalNameLandmarkJitter SignalName = "landmark-jitter"
	// How much the inside of the face slips against its outline.
	SignalNameInnerOuterMotion SignalName = "inner-outer-motion"
	// How much the direction of the head by its inside trembles against that by its outline.
	SignalNameInnerOuterPose SignalName = "inner-outer-pose"
	// How still the eyelids are.
	SignalNameEyeStillness SignalName = "eye-stillness"
	// How little of a pulse the colour of the skin shows. Told and not trusted: recordings carry
	// the pulse too, and coding destroys it.
	SignalNamePulseAbsence SignalName = "pulse-absence"
	// The longest run of frames that show the same.
	SignalNameFrozenFrames SignalName = "frozen-frames"
	// Frames that equal the one before in every pixel.
	SignalNameRepeatedFrames SignalName = "repeated-frames"
	// Frames that were replaced by the one before them.
	SignalNameDoubledFrames SignalName = "doubled-frames"
	// How exactly a moving scene comes again.
	SignalNameLoopedFrames SignalName = "looped-frames"
	// How exactly a moving scene runs backwards.
	SignalNameReversedFrames SignalName = "reversed-frames"
	// Timestamps that repeat or go backwards.
	SignalNameTimestampOrder SignalName = "timestamp-order"
	// Intervals that are shorter than any camera's.
	SignalNameTimestampHaste SignalName = "timestamp-haste"
	// How much the frame rate changes from the beginning to the end.
	SignalNameTimestampDrift SignalName = "timestamp-drift"
	// How even the intervals are.
	SignalNameTimestampEvenness SignalName = "timestamp-evenness"
	// How often the frames change their size.
	SignalNameFrameSizeChanges SignalName = "frame-size-changes"
	// The greatest change between neighbouring frames beside the movement around it.
	SignalNameSceneCut SignalName = "scene-cut"
	// How strongly the frames carry the grid of a video coder.
	SignalNameBlockCoding SignalName = "block-coding"
)

// ChallengeStatus is one of a table. How a challenge went.
type ChallengeStatus string

// The values of ChallengeStatus.
const (
	// The frames follow the challenge in time.
	ChallengeStatusPassed ChallengeStatus = "passed"
	// They do not.
	ChallengeStatusFailed ChallengeStatus = "failed"
)

// DocumentSight is one of a table. What was found where a document was looked for.
type DocumentSight string

// The values of DocumentSight.
const (
	// A machine-readable zone, every character of it beyond doubt.
	DocumentSightZone DocumentSight = "mrz"
	// A machine-readable zone of which characters are in doubt or check digits fail.
	DocumentSightUnclearZone DocumentSight = "mrz-unclear"
	// No machine-readable zone.
	DocumentSightNoZone DocumentSight = "no-mrz"
	// The files of a chip.
	DocumentSightChip DocumentSight = "chip"
)

// DocumentFormat is one of a table. The shapes of a machine-readable zone (ICAO Doc 9303).
type DocumentFormat string

// The values of DocumentFormat.
const (
	// Card of the size ID-1, three lines of 30 (Doc 9303-5).
	DocumentFormatTd1 DocumentFormat = "TD1"
	// Document of the size ID-2, two lines of 36 (Doc 9303-6).
	DocumentFormatTd2 DocumentFormat = "TD2"
	// Passport, two lines of 44 (Doc 9303-4).
	DocumentFormatTd3 DocumentFormat = "TD3"
	// Visa of full size, two lines of 44 (Doc 9303-7).
	DocumentFormatMrvA DocumentFormat = "MRV-A"
	// Small visa, two lines of 36 (Doc 9303-7).
	DocumentFormatMrvB DocumentFormat = "MRV-B"
)
