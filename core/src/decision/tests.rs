//! What is absent never speaks for acceptance, whatever the policy.

use super::*;
use crate::document::LeastMargins;
use crate::evidence::{
    CaptureLevel, ChallengeEvidence, ChannelEvidence, ChannelRisk, Comparator, Coverage, Date,
    Detection, Detector, DocumentLevel, Face, Format, Mrz, OperatingPoint, PadReport, Pose,
    QualityReport, Signature, SignatureStatus,
};
use crate::geometry::{Point, Rect};
use vultus_nn::Precision;

/// The evidence of a transaction in which everything was looked at and found right.
#[derive(Clone)]
struct Transaction {
    selfie: Sample,
    document: Sample,
    identity_document: Assessed<DocumentReport>,
    comparison: Assessed<Comparison>,
    sequence: SequenceEvidence,
}

fn sample(role: Role) -> Sample {
    let bounds = Rect {
        x: 200.0,
        y: 150.0,
        width: 200.0,
        height: 200.0,
    };
    let detection = Detection {
        bounds,
        score: 0.9,
        left_eye: Point::new(260.0, 220.0),
        right_eye: Point::new(340.0, 220.0),
        detector: Detector::Near,
    };
    Sample {
        role,
        width: 640,
        height: 480,
        face: Some(Face {
            detection,
            bounds,
            pose: Pose {
                yaw_deg: 0.0,
                pitch_deg: 0.0,
                roll_deg: 0.0,
            },
            inter_eye_px: 80.0,
            landmark_shift: 0.01,
            eye_gap: 0.1,
            landmarks: Vec::new(),
        }),
        rival: None,
        quality: Assessed::Yes(QualityReport::even(90)),
        pad: match role {
            Role::Document => Assessed::NotAsked,
            Role::Selfie => Assessed::Yes(PadReport {
                status: PadStatus::BonaFide,
                score: 0.99,
                threshold: 0.5,
                context: 2.0,
                views: Vec::new(),
                frames: 1,
                text: "nothing speaks for a print or a screen".to_owned(),
            }),
        },
    }
}

/// The example of Doc 9303-4; it expired on 15 April 2012.
const PASSPORT: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n\
    L898902C36UTO7408122F1204159ZE184226B<<<<<10";

fn date(text: &str) -> Option<Date> {
    Date::from_iso(text)
}

fn chip(status: SignatureStatus) -> DocumentReport {
    let text = "the signature".to_owned();
    DocumentReport::of_chip(Mrz::parse(PASSPORT).unwrap(), Signature { status, text })
}

/// A zone as it is read off a picture, every character with that margin, 3.0 being enough.
fn print(zone: &str, margin: f32) -> DocumentReport {
    let zone = Mrz::parse(zone).unwrap();
    let margins: Vec<Vec<f32>> = zone.lines().iter().map(|l| vec![margin; l.len()]).collect();
    let least = LeastMargins {
        any: 3.0,
        name: 3.0,
    };
    DocumentReport::of_print(zone, &margins, least, None, Default::default())
}

fn channel() -> ChannelEvidence {
    ChannelEvidence {
        coverage: Coverage {
            assessed: 5.0,
            of: 5.0,
        },
        finding: Assessed::Yes(ChannelRisk {
            risk: RiskLevel::Low,
            score: 0.0,
            auc: Some(0.9),
        }),
    }
}

fn good() -> Transaction {
    Transaction {
        selfie: sample(Role::Selfie),
        document: sample(Role::Document),
        identity_document: Assessed::Yes(chip(SignatureStatus::Valid)),
        comparison: Assessed::Yes(Comparison {
            comparator: Comparator::Fused,
            score: 0.8,
            fmr_at_score: None,
            operating_point: OperatingPoint {
                fmr: 1e-4,
                fmr_interval: [0.5e-4, 2e-4],
                threshold: 0.4,
                non_mated: 1_000_000,
                set: "S".to_owned(),
            },
            is_match: true,
        }),
        sequence: SequenceEvidence {
            frames: 30,
            distinct_frames: 30,
            deepfake: channel(),
            injection: channel(),
            challenge: Assessed::Yes(ChallengeEvidence {
                status: ChallengeStatus::Passed,
                entropy_bits: ChallengeEvidence::MIN_ENTROPY_BITS,
                text: "the head turned".to_owned(),
            }),
            ..SequenceEvidence::not_asked()
        },
    }
}

/// Every rule of a policy in every value.
fn policies() -> Vec<Policy> {
    const RULES: [RiskRule; 3] = [RiskRule::Reject, RiskRule::Inconclusive, RiskRule::Ignore];
    let mut all = vec![Policy::default()];
    let mut spread = |set: &[&dyn Fn(&mut Policy)]| {
        all = all
            .iter()
            .flat_map(|policy| {
                set.iter().map(|change| {
                    let mut policy = policy.clone();
                    change(&mut policy);
                    policy
                })
            })
            .collect();
    };
    spread(&[
        &|p| p.pad = PadRule::Require,
        &|p| p.pad = PadRule::WhenAvailable,
        &|p| p.pad = PadRule::Ignore,
    ]);
    spread(&[&|p| p.require_sequence = false, &|p| {
        p.require_sequence = true
    }]);
    spread(
        &RULES
            .map(|rule| move |p: &mut Policy| p.sequence.medium = rule)
            .each_ref()
            .map(|f| f as &dyn Fn(&mut Policy)),
    );
    spread(
        &RULES
            .map(|rule| move |p: &mut Policy| p.sequence.high = rule)
            .each_ref()
            .map(|f| f as &dyn Fn(&mut Policy)),
    );
    spread(
        &RULES
            .map(|rule| move |p: &mut Policy| p.sequence.challenge_failed = rule)
            .each_ref()
            .map(|f| f as &dyn Fn(&mut Policy)),
    );
    spread(
        &RULES
            .map(|rule| move |p: &mut Policy| p.sequence.challenge_not_assessable = rule)
            .each_ref()
            .map(|f| f as &dyn Fn(&mut Policy)),
    );
    spread(&[
        &|_| (),
        &|p| p.document.require = Some(DocumentLevel::Read),
        &|p| p.document.require = Some(DocumentLevel::Consistent),
        &|p| p.document.require = Some(DocumentLevel::Signed),
        &|p| {
            p.document.unexpired = true;
            p.document.today = date("2010-01-01");
        },
        &|p| p.document.kinds = vec![Format::Td1, Format::Td3],
        &|p| p.document.holder.family_name = Some("Eriksson".to_owned()),
    ]);
    // Limits that nothing fails: they must not let an absent sample pass.
    spread(&[&|_| (), &|p| {
        for limits in [&mut p.selfie, &mut p.document.portrait] {
            limits.min_inter_eye_px = 0.0;
            limits.min_inside = 0;
            limits.min_component = 0;
        }
    }]);
    all
}

fn outcome(of: &Transaction, policy: &Policy) -> (Outcome, Vec<Reason>) {
    decide(
        &Evidence {
            selfie: &of.selfie,
            reference: Reference::Document(&of.document),
            identity_document: &of.identity_document,
            comparison: &of.comparison,
            sequence: &of.sequence,
        },
        policy,
    )
}

/// What is kept of a sample when it is enrolled.
fn stored(sample: &Sample) -> Template {
    let (role, findings) = (sample.role, sample.findings().unwrap());
    Template::new(role, Precision::Exact, findings, Vec::new(), None)
}

fn absences<T>() -> impl Iterator<Item = Assessed<T>> {
    let obstacles = Obstacle::ALL.iter().map(|o| Assessed::NotPossible(*o));
    std::iter::once(Assessed::NotAsked).chain(obstacles)
}

fn supports(reasons: &[Reason], codes: &[ReasonCode]) -> bool {
    reasons
        .iter()
        .any(|r| r.effect == Effect::Support && codes.contains(&r.code))
}

/// Takes away one part of the evidence in every way there is, and shows the rest to every policy.
/// No policy may give the absence any support, nor decide better than with the part found right;
/// `accepts` says whether a policy may accept without the part at all.
fn without(
    codes: &[ReasonCode],
    accepts: fn(&Policy) -> bool,
    take: impl Fn(&mut Transaction, usize) -> bool,
) {
    let (policies, mut shown) = (policies(), 0);
    let severity = |outcome: Outcome| outcome as i32;
    for way in 0.. {
        let mut absent = good();
        if !take(&mut absent, way) {
            break;
        }
        for policy in &policies {
            let (whole, _) = outcome(&good(), policy);
            let (found, reasons) = outcome(&absent, policy);
            assert_eq!(whole, Outcome::Accept);
            assert!(severity(found) <= severity(whole));
            assert!(!supports(&reasons, codes), "{policy:?}: {reasons:#?}");
            if !accepts(policy) {
                assert_ne!(found, Outcome::Accept, "{policy:?}: {reasons:#?}");
            }
            shown += 1;
        }
    }
    assert!(shown >= policies.len() * Obstacle::ALL.len());
}

/// Puts the absence of that number in the place of a part; false when there are no more.
fn put<T>(part: &mut Assessed<T>, way: usize) -> bool {
    absences().nth(way).map(|absent| *part = absent).is_some()
}

#[test]
fn everything_found_right_is_accepted_and_supported() {
    let (found, reasons) = outcome(&good(), &Policy::default());
    assert_eq!(found, Outcome::Accept);
    let codes: Vec<&str> = reasons.iter().map(|r| r.code.name()).collect();
    assert_eq!(
        codes,
        [
            "bona-fide",
            "sequence-consistent",
            "challenge-passed",
            "document-signed",
            "match"
        ]
    );
    assert!(reasons.iter().all(|r| r.effect == Effect::Support));
}

#[test]
fn an_absent_comparison_is_never_accepted() {
    without(
        &[ReasonCode::Match],
        |_| false,
        |t, way| put(&mut t.comparison, way),
    );
}

#[test]
fn an_absent_quality_is_never_accepted() {
    without(&[], |_| false, |t, way| put(&mut t.selfie.quality, way));
    without(&[], |_| false, |t, way| put(&mut t.document.quality, way));
}

#[test]
fn absent_pad_is_never_support_and_never_enough_where_it_is_required() {
    without(
        &[ReasonCode::BonaFide],
        |policy| policy.pad != PadRule::Require,
        |t, way| put(&mut t.selfie.pad, way),
    );
    // What could not be judged is a doubt even where only what is there must be judged.
    for absent in absences() {
        let mut transaction = good();
        transaction.selfie.pad = absent;
        let (found, _) = outcome(&transaction, &Policy::default());
        let nobody_looked = matches!(
            transaction.selfie.pad,
            Assessed::NotAsked | Assessed::NotPossible(Obstacle::NoWeights)
        );
        assert_eq!(found == Outcome::Accept, nobody_looked);
    }
}

#[test]
fn an_absent_channel_is_never_support_and_never_enough_where_frames_are_required() {
    let codes = [ReasonCode::SequenceConsistent];
    let accepts = |policy: &Policy| !policy.require_sequence;
    without(&codes, accepts, |t, way| {
        put(&mut t.sequence.deepfake.finding, way)
    });
    without(&codes, accepts, |t, way| {
        put(&mut t.sequence.injection.finding, way)
    });
    // A suspicion that the policy ignores does not stand for the channel that is missing.
    for risk in [RiskLevel::Medium, RiskLevel::High] {
        without(&codes, accepts, |t, way| {
            t.sequence.deepfake.finding = Assessed::Yes(ChannelRisk {
                risk,
                score: 0.5,
                auc: Some(0.9),
            });
            put(&mut t.sequence.injection.finding, way)
        });
    }
}

#[test]
fn a_script_that_is_easy_to_foresee_supports_nothing() {
    let mut weak = good();
    let Assessed::Yes(found) = &mut weak.sequence.challenge else {
        unreachable!()
    };
    found.entropy_bits = ChallengeEvidence::MIN_ENTROPY_BITS - 0.1;
    for policy in policies() {
        let (_, reasons) = outcome(&weak, &policy);
        assert!(!supports(&reasons, &[ReasonCode::ChallengePassed]));
    }
    let (_, reasons) = outcome(&weak, &Policy::default());
    let told = reasons
        .iter()
        .find(|r| r.code == ReasonCode::ChallengePassed);
    let told = told.unwrap();
    assert_eq!(told.effect, Effect::Note);
    assert!(told.text.contains("20 bits is too easy"), "{}", told.text);
}

#[test]
fn a_capture_below_the_level_that_is_demanded_stays_inconclusive() {
    for is in CaptureLevel::ALL {
        for least in CaptureLevel::ALL {
            let mut of = good();
            of.sequence.capture = *is;
            let policy = Policy {
                min_capture: *least,
                ..Policy::default()
            };
            let (found, reasons) = outcome(&of, &policy);
            let is_told = reasons.iter().any(|r| r.code == ReasonCode::CaptureLevel);
            assert_eq!(is_told, is < least, "{is:?} {least:?}");
            let expected = if is < least {
                Outcome::Inconclusive
            } else {
                Outcome::Accept
            };
            assert_eq!(found, expected, "{is:?} {least:?}");
        }
    }
}

#[test]
fn an_absent_challenge_is_never_support() {
    without(
        &[ReasonCode::ChallengePassed],
        |policy| policy.sequence.challenge_not_assessable == RiskRule::Ignore,
        // One that nobody asked for needs no answer, so the first absence is left out.
        |t, way| put(&mut t.sequence.challenge, way + 1),
    );
}

const OF_DOCUMENTS: [ReasonCode; 4] = [
    ReasonCode::DocumentRead,
    ReasonCode::DocumentConsistent,
    ReasonCode::DocumentSigned,
    ReasonCode::DocumentHolder,
];

#[test]
fn an_absent_document_is_never_support_and_never_enough_where_it_is_asked_for() {
    without(
        &OF_DOCUMENTS,
        |policy| policy.document.level().is_none(),
        |t, way| put(&mut t.identity_document, way),
    );
}

#[test]
fn what_is_not_established_is_never_support_and_never_enough_where_it_is_asked_for() {
    let mut doubtful = print(PASSPORT, 9.0);
    doubtful.level = None;
    for report in [
        DocumentReport::without_zone("no zone".to_owned()),
        print(PASSPORT, 2.0),
        print(PASSPORT, f32::NAN),
        print(&PASSPORT.replace("L898902C3", "L898902C8"), 9.0),
        print(&PASSPORT.replace("UTO", "UT0"), 9.0),
        chip(SignatureStatus::IssuerUnknown),
        doubtful,
    ] {
        assert_eq!(report.level, None, "{report:?}");
        for policy in policies() {
            let mut transaction = good();
            transaction.identity_document = Assessed::Yes(report.clone());
            let (found, reasons) = outcome(&transaction, &policy);
            assert!(!supports(&reasons, &OF_DOCUMENTS), "{reasons:#?}");
            let asked = policy.document.level().is_some();
            assert_eq!(found == Outcome::Accept, !asked, "{policy:?}: {reasons:#?}");
        }
    }
}

/// The outcome and the reasons that are of the document.
fn of_document(report: DocumentReport, rules: &str) -> (Outcome, Vec<&'static str>) {
    let policy = Policy::from_json(&format!(r#"{{"document": {rules}}}"#)).unwrap();
    let mut transaction = good();
    transaction.identity_document = Assessed::Yes(report);
    let (found, reasons) = outcome(&transaction, &policy);
    let names = reasons.iter().map(|reason| reason.code.name());
    (
        found,
        names.filter(|name| name.starts_with("document-")).collect(),
    )
}

#[test]
fn the_document_is_weighed_by_the_rules_that_are_stated() {
    use Outcome::{Accept, Inconclusive, Reject};
    for (rules, expected, codes) in [
        ("{}", Accept, vec!["document-read"]),
        (r#"{"require": "read"}"#, Accept, vec!["document-read"]),
        (
            r#"{"require": "consistent"}"#,
            Inconclusive,
            vec!["document-not-consistent"],
        ),
        (
            r#"{"require": "signed"}"#,
            Inconclusive,
            vec!["document-not-signed"],
        ),
        (
            r#"{"unexpired": true, "today": "2012-04-15"}"#,
            Accept,
            vec!["document-read"],
        ),
        (
            r#"{"unexpired": true, "today": "2012-04-16"}"#,
            Inconclusive,
            vec!["document-expired", "document-read"],
        ),
        (
            r#"{"kinds": ["TD1", "TD3"]}"#,
            Accept,
            vec!["document-read"],
        ),
        (
            r#"{"kinds": ["TD1"]}"#,
            Inconclusive,
            vec!["document-kind", "document-read"],
        ),
        (
            r#"{"holder": {"family_name": "Eriksson", "given_names": "Anna",
                "birthdate": "1974-08-12"}}"#,
            Accept,
            vec!["document-holder", "document-read"],
        ),
        (
            r#"{"holder": {"family_name": "Svensson"}}"#,
            Reject,
            vec!["document-holder-differs", "document-read"],
        ),
        (
            r#"{"holder": {"given_names": "A."}}"#,
            Inconclusive,
            vec!["document-holder-unclear", "document-read"],
        ),
        (
            r#"{"holder": {"family_name": "Eriksson", "birthdate": "1974-08-13"}}"#,
            Reject,
            vec!["document-holder-differs", "document-read"],
        ),
    ] {
        let found = of_document(print(PASSPORT, 9.0), rules);
        assert_eq!(found, (expected, codes), "{rules}");
    }
    let required = r#"{"require": "read"}"#;
    let digits = print(&PASSPORT.replace("L898902C3", "L898902C8"), 9.0);
    assert_eq!(
        of_document(digits, required),
        (Inconclusive, vec!["document-digits"])
    );
    // What is in doubt is held against nobody.
    let doubtful = print(PASSPORT, 2.0);
    let other = r#"{"holder": {"family_name": "Svensson"}}"#;
    assert_eq!(
        of_document(doubtful, other),
        (Inconclusive, vec!["document-not-read"])
    );
}

#[test]
fn a_signature_is_told_whether_it_is_asked_for_or_not() {
    use Outcome::{Accept, Inconclusive, Reject};
    for (status, rules, expected, code) in [
        (
            SignatureStatus::Valid,
            r#"{"require": "signed"}"#,
            Accept,
            "document-signed",
        ),
        (SignatureStatus::Valid, "{}", Accept, "document-signed"),
        (SignatureStatus::Invalid, "{}", Reject, "document-signature"),
        (
            SignatureStatus::Invalid,
            r#"{"require": "read"}"#,
            Reject,
            "document-signature",
        ),
        (
            SignatureStatus::IssuerUnknown,
            "{}",
            Accept,
            "document-issuer-unknown",
        ),
        (
            SignatureStatus::IssuerUnknown,
            r#"{"require": "read"}"#,
            Inconclusive,
            "document-issuer-unknown",
        ),
    ] {
        assert_eq!(
            of_document(chip(status), rules),
            (expected, vec![code]),
            "{rules}"
        );
    }
}

#[test]
fn nothing_personal_is_shown() {
    let mut transaction = good();
    transaction.identity_document = Assessed::Yes(print(PASSPORT, 9.0));
    let holder = r#"{"family_name": "Eriksson", "given_names": "Karl", "birthdate": "1974-08-13"}"#;
    let policy = Policy::from_json(&format!(r#"{{"document": {{"holder": {holder}}}}}"#)).unwrap();
    let (_, reasons) = outcome(&transaction, &policy);
    let report = transaction.identity_document.yes().unwrap();
    let shown = [
        format!("{report:?} {policy:?} {reasons:?}"),
        report.to_json(),
        serde_json::to_string(&policy).unwrap(),
        serde_json::to_string(&reasons).unwrap(),
    ];
    for text in shown {
        let text = text.to_uppercase();
        for personal in [
            "ERIKSSON",
            "ANNA",
            "KARL",
            "1974",
            "7408",
            "L898902",
            "ZE184226B",
        ] {
            assert!(!text.contains(personal), "{personal}: {text}");
        }
    }
}

#[test]
fn a_stored_reference_without_a_face_before_the_camera_is_inconclusive() {
    for policy in policies() {
        let mut transaction = good();
        transaction.selfie.face = None;
        transaction.selfie.quality = Assessed::NotPossible(Obstacle::NoFace);
        transaction.selfie.pad = Assessed::NotPossible(Obstacle::NoFace);
        transaction.comparison = Assessed::NotPossible(Obstacle::NoFace);
        let (found, reasons) = decide(
            &Evidence {
                selfie: &transaction.selfie,
                reference: Reference::Stored(&stored(&transaction.document)),
                identity_document: &Assessed::NotAsked,
                comparison: &transaction.comparison,
                sequence: &SequenceEvidence::not_asked(),
            },
            &policy,
        );
        assert_eq!(found, Outcome::Inconclusive);
        assert_eq!(reasons[0].code, ReasonCode::NoFace);
        assert!(reasons.iter().all(|r| r.effect != Effect::Support));
    }
}

/// Shows the document, and then what was kept of it.
fn by_both_routes(of: &Transaction, policy: &Policy) -> [(Outcome, Vec<Reason>); 2] {
    let evidence = Evidence {
        selfie: &of.selfie,
        reference: Reference::Document(&of.document),
        identity_document: &Assessed::NotAsked,
        comparison: &of.comparison,
        sequence: &of.sequence,
    };
    let kept = stored(&of.document);
    let later = Evidence {
        reference: Reference::Stored(&kept),
        ..evidence
    };
    [decide(&evidence, policy), decide(&later, policy)]
}

#[test]
fn a_stored_reference_is_weighed_as_the_picture_that_it_came_from() {
    let face = |of: &mut Transaction, change: fn(&mut Face)| {
        change(of.document.face.as_mut().unwrap());
    };
    let score = |of: &mut Transaction, component: Component| {
        let Assessed::Yes(quality) = &mut of.document.quality else {
            panic!("it was assessed");
        };
        quality.components[component as usize].score = 5;
    };
    type Fault<'a> = (ReasonCode, &'a dyn Fn(&mut Transaction));
    let faults: [Fault<'_>; 8] = [
        (ReasonCode::SeveralFaces, &|t| {
            t.document.rival = Some(t.document.face.as_ref().unwrap().detection.clone());
        }),
        (ReasonCode::FaceNotPlaced, &|t| {
            face(t, |f| f.landmark_shift = 0.3)
        }),
        (ReasonCode::FaceTooSmall, &|t| {
            face(t, |f| f.inter_eye_px = 12.0)
        }),
        (ReasonCode::FaceTurnedAway, &|t| {
            face(t, |f| f.pose.yaw_deg = -50.0)
        }),
        (ReasonCode::FaceCutOff, &|t| {
            score(t, Component::FaceInsidePicture)
        }),
        (ReasonCode::Blurred, &|t| score(t, Component::Sharpness)),
        (ReasonCode::TooDark, &|t| {
            score(t, Component::UnderExposurePrevention)
        }),
        (ReasonCode::LowContrast, &|t| {
            score(t, Component::DynamicRange)
        }),
    ];
    let mut policy = Policy::default();
    policy.document.portrait.min_component = 10;
    for is_match in [true, false] {
        for (code, change) in &faults {
            let mut transaction = good();
            change(&mut transaction);
            if let Assessed::Yes(comparison) = &mut transaction.comparison {
                comparison.is_match = is_match;
            }
            let [shown, later] = by_both_routes(&transaction, &policy);
            assert_eq!(
                (shown.0, later.0),
                (Outcome::Inconclusive, Outcome::Inconclusive)
            );
            for (a, b) in shown.1.iter().zip(&later.1) {
                assert_eq!((a.code, a.effect, a.role), (b.code, b.effect, b.role));
            }
            assert_eq!(shown.1.len(), later.1.len());
            let told = later.1.iter().find(|r| r.code == *code).unwrap();
            assert!(
                told.text.starts_with("when the reference was enrolled: "),
                "{told:?}"
            );
            // A policy that asks for less takes it by either route.
            let mut loose = policy.clone();
            loose.document.portrait = QualityLimits {
                min_inter_eye_px: 0.0,
                max_yaw_deg: 90.0,
                max_pitch_deg: 90.0,
                min_inside: 0,
                min_component: 0,
            };
            let [shown, later] = by_both_routes(&transaction, &loose);
            assert_eq!(shown.0, later.0);
        }
    }
}

#[test]
fn an_attack_at_enrolment_is_weighed_and_its_absence_is_no_support() {
    let decide_by = |pad: Assessed<PadReport>, policy: &Policy| {
        let mut transaction = good();
        let mut enrolled = sample(Role::Selfie);
        enrolled.pad = pad;
        transaction.document = enrolled;
        let [_, later] = by_both_routes(&transaction, policy);
        later
    };
    let Assessed::Yes(report) = sample(Role::Selfie).pad else {
        panic!("it was assessed");
    };
    let (found, reasons) = decide_by(Assessed::Yes(report.clone()), &Policy::default());
    let supports = reasons.iter().filter(|r| r.code == ReasonCode::BonaFide);
    assert_eq!((found, supports.count()), (Outcome::Accept, 1));
    let attack = PadReport {
        status: PadStatus::Attack,
        ..report
    };
    let (found, reasons) = decide_by(Assessed::Yes(attack.clone()), &Policy::default());
    assert_eq!(found, Outcome::Reject);
    assert_eq!(reasons[0].code, ReasonCode::PresentationAttack);
    let ignored = Policy {
        pad: PadRule::Ignore,
        ..Policy::default()
    };
    assert_eq!(
        decide_by(Assessed::Yes(attack), &ignored).0,
        Outcome::Accept
    );
    let required = Policy {
        pad: PadRule::Require,
        ..Policy::default()
    };
    for absent in absences() {
        assert_eq!(decide_by(absent, &required).0, Outcome::Inconclusive);
    }
}

#[test]
fn a_copy_of_the_document_is_no_selfie() {
    let outcomes = |score, rule| {
        let mut transaction = good();
        if let Assessed::Yes(comparison) = &mut transaction.comparison {
            comparison.score = score;
        }
        let policy = Policy {
            same_picture: rule,
            ..Policy::default()
        };
        let [shown, later] = by_both_routes(&transaction, &policy);
        assert_eq!(shown, later);
        let told = shown.1.iter().any(|r| r.code == ReasonCode::SamePicture);
        (shown.0, told)
    };
    assert_eq!(Policy::default().same_picture, RiskRule::Inconclusive);
    let [reject, doubt, ignore] = [RiskRule::Reject, RiskRule::Inconclusive, RiskRule::Ignore];
    for score in [0.95, 1.0] {
        assert_eq!(outcomes(score, reject), (Outcome::Reject, true));
        assert_eq!(outcomes(score, doubt), (Outcome::Inconclusive, true));
        assert_eq!(outcomes(score, ignore), (Outcome::Accept, true));
    }
    assert_eq!(outcomes(0.949, reject), (Outcome::Accept, false));
}
