//! `decide PACK json|time`: reads lines, each with the paths of a document and of a selfie, or of
//! the frames of a session, and answers each with the JSON of its decision, behind that of a
//! session's evidence; or with the milliseconds from the files in memory to it, and how many of
//! these the stages of the engine took.
#![expect(clippy::unwrap_used, reason = "a test program ends at the first fault")]

use std::time::Instant;
use vultus::{
    Challenge, ChallengeKind, Decision, Engine, EngineOptions, Image, Limits, Policy,
    SessionOptions,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pack, wanted] = &arguments[..] else {
        panic!("usage: decide PACK json|time")
    };
    let engine = Engine::open(pack, &EngineOptions::default()).unwrap();
    for line in std::io::stdin().lines() {
        let files: Vec<Vec<u8>> = line
            .unwrap()
            .split(' ')
            .map(|path| std::fs::read(path).unwrap())
            .collect();
        let (document, frames) = files.split_first().unwrap();
        let start = Instant::now();
        let (json, stages_ms) = decide(&engine, document, frames);
        let spent = start.elapsed();
        if wanted == "time" {
            println!("{:.4} {stages_ms:.4}", spent.as_secs_f64() * 1e3)
        } else {
            println!("{json}")
        }
    }
}

fn decide(engine: &Engine, document: &[u8], frames: &[Vec<u8>]) -> (String, f32) {
    let decode = |file: &[u8]| Image::decode(file, &Limits::default()).unwrap();
    if let [selfie] = frames {
        let decision = engine
            .verify(&decode(selfie), &decode(document), &Policy::default())
            .unwrap();
        return (decision.to_json(), stages_ms(&decision));
    }
    let mut options = SessionOptions::default();
    options.challenge = Some(
        Challenge::new(
            b"sixteen bytes ok",
            &[ChallengeKind::Flash, ChallengeKind::HeadTurn],
        )
        .unwrap(),
    );
    let mut session = engine.session(&options).unwrap();
    session.begin_challenge(0).unwrap();
    for (frame, timestamp_us) in frames.iter().zip((0..).step_by(500_000)) {
        session.push(&decode(frame), timestamp_us).unwrap();
    }
    let evidence = session.evidence().to_json();
    let decision = session
        .verify(&decode(document), &Policy::default())
        .unwrap();
    (
        format!("{evidence} {}", decision.to_json()),
        stages_ms(&decision),
    )
}

fn stages_ms(decision: &Decision) -> f32 {
    decision.times_ms.iter().map(|(_, ms)| ms).sum()
}
