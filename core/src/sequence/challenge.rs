//! What is asked of the person or the screen, derived from a nonce.

use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::{ChallengeKind, Direction};
use sha2::{Digest, Sha256};

/// What is asked of the person or the screen. The same nonce and kinds give the same steps; who
/// does not know the nonce cannot prepare the answer, and the answer must come within the time of
/// each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    kinds: Vec<ChallengeKind>,
    steps: Vec<Step>,
    entropy_bits: f32,
    nonce_sha256: [u8; 32],
}

/// One thing to show or to do, from `start_ms` after the beginning for `duration_ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The kind that asks for it.
    pub kind: ChallengeKind,
    /// Milliseconds from the beginning of the challenge.
    pub start_ms: u32,
    /// How long it is shown, in milliseconds.
    pub duration_ms: u32,
    /// What is shown or done.
    pub task: Task,
}

/// What a step asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Task {
    /// The screen is this colour; red, green and blue are each wholly on or off.
    Flash([bool; 3]),
    /// The head turns or nods this way, and comes back.
    HeadMove(Direction),
    /// The eyes are shut this many times.
    Blink(u8),
}

const NONCE_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// Nine colours of six, no two alike in a row: 6 x 5^8 sequences, 21.2 bits. 2.5 changes a second
/// stay below the three flashes a second that WCAG 2.3.1 allows.
const FLASHES: usize = 9;
const FLASH_MS: u32 = 400;
const COLOURS: [[bool; 3]; 6] = [
    [true, false, false],
    [false, true, false],
    [false, false, true],
    [true, true, false],
    [true, false, true],
    [false, true, true],
];
const TURN_MS: u32 = 2_000;
const SIDES: [Direction; 2] = [Direction::Left, Direction::Right];
const BLINK_MS: u32 = 3_000;
const MOST_BLINKS: u64 = 3;
/// Ten moves of four directions: 20 bits. Pauses of drawn length would look like more, and an
/// answer at their mean would pass.
const MOVES: usize = 10;
const MOVE_MS: u32 = 1_400;
const DIRECTIONS: [Direction; 4] = [
    Direction::Left,
    Direction::Right,
    Direction::Up,
    Direction::Down,
];

/// Numbers from a nonce: SHA-256 in counter mode.
struct Draw<'a> {
    nonce: &'a [u8],
    counter: u32,
    /// Base-2 logarithm of how many different draws there are.
    bits: f32,
}

impl Draw<'_> {
    /// The next number below `limit`.
    fn below(&mut self, limit: u64) -> usize {
        let digest = Sha256::new()
            .chain_update(b"vultus challenge")
            .chain_update(self.counter.to_le_bytes())
            .chain_update(self.nonce)
            .finalize();
        self.counter += 1;
        self.bits += libm::log2f(limit as f32);
        let mut number = [0; 8];
        number.copy_from_slice(&digest[..8]);
        (u64::from_le_bytes(number) % limit) as usize
    }
}

impl Challenge {
    /// Derives the steps from a nonce of 16..=64 bytes, one group for each kind in the order given.
    ///
    /// The nonce must be drawn afresh by the verifier for each session and used once. `Kind::Usage`
    /// for another length, no kind, or a kind given twice.
    pub fn new(nonce: &[u8], kinds: &[ChallengeKind]) -> Result<Challenge> {
        let usage = |message: String| Err(Error::new(Stage::Sequence, Kind::Usage, message));
        if !NONCE_BYTES.contains(&nonce.len()) {
            return usage(format!(
                "the nonce has {} bytes, allowed are {} to {}",
                nonce.len(),
                NONCE_BYTES.start(),
                NONCE_BYTES.end()
            ));
        }
        if kinds.is_empty() {
            let all: Vec<&str> = ChallengeKind::ALL.iter().map(|kind| kind.name()).collect();
            return usage(format!(
                "a challenge needs at least one kind: {}",
                all.join(", ")
            ));
        }
        if let Some(twice) = kinds
            .iter()
            .enumerate()
            .find_map(|(i, kind)| kinds[..i].contains(kind).then_some(kind))
        {
            return usage(format!("the kind {} is given twice", twice.name()));
        }
        let mut draw = Draw {
            nonce,
            counter: 0,
            bits: 0.0,
        };
        let mut steps = Vec::new();
        let mut start_ms = 0;
        for &kind in kinds {
            let mut add = |duration_ms, task| {
                steps.push(Step {
                    kind,
                    start_ms,
                    duration_ms,
                    task,
                });
                start_ms += duration_ms;
            };
            match kind {
                ChallengeKind::Flash => {
                    let mut last = draw.below(COLOURS.len() as u64);
                    add(FLASH_MS, Task::Flash(COLOURS[last]));
                    for _ in 1..FLASHES {
                        last = (last + 1 + draw.below(COLOURS.len() as u64 - 1)) % COLOURS.len();
                        add(FLASH_MS, Task::Flash(COLOURS[last]));
                    }
                }
                ChallengeKind::HeadTurn => {
                    let side = SIDES[draw.below(SIDES.len() as u64)];
                    add(TURN_MS, Task::HeadMove(side));
                }
                ChallengeKind::Blink => {
                    let times = 1 + draw.below(MOST_BLINKS) as u8;
                    add(BLINK_MS, Task::Blink(times));
                }
                ChallengeKind::HeadMoves => {
                    for _ in 0..MOVES {
                        let direction = DIRECTIONS[draw.below(DIRECTIONS.len() as u64)];
                        add(MOVE_MS, Task::HeadMove(direction));
                    }
                }
            }
        }
        Ok(Challenge {
            kinds: kinds.to_vec(),
            steps,
            entropy_bits: draw.bits,
            nonce_sha256: Sha256::digest(nonce).into(),
        })
    }

    /// Returns what is asked, in order.
    pub fn kinds(&self) -> &[ChallengeKind] {
        &self.kinds
    }

    /// Returns how long the steps take together in milliseconds.
    pub fn duration_ms(&self) -> u32 {
        self.steps
            .last()
            .map_or(0, |step| step.start_ms + step.duration_ms)
    }

    /// Returns the base-2 logarithm of how many different scripts the kinds have, one of which the
    /// nonce drew. How often an answer to another script passes is another question, which the
    /// limits of each kind answer.
    pub fn entropy_bits(&self) -> f32 {
        self.entropy_bits
    }

    /// Returns the steps, each of which begins where the one before ends.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the SHA-256 of the nonce.
    pub(crate) fn nonce_sha256(&self) -> [u8; 32] {
        self.nonce_sha256
    }

    /// Returns the whole script for whoever shows it: kinds, duration, and the steps with their
    /// times in milliseconds. The nonce is not in it.
    ///
    /// Whoever has it can prepare the answer to its later steps:
    /// [`Session::next_step`](crate::Session::next_step) gives each out when it is due.
    pub fn to_json(&self) -> String {
        let steps: Vec<serde_json::Value> = self.steps.iter().map(|step| step.to_value()).collect();
        let (kinds, duration_ms) = (&self.kinds, self.duration_ms());
        serde_json::json!({ "kinds": kinds, "duration_ms": duration_ms, "steps": steps })
            .to_string()
    }
}

impl Step {
    /// When it begins and ends, in milliseconds since the beginning of the challenge.
    pub(super) fn span_ms(&self) -> (i64, i64) {
        let end_ms = self.start_ms + self.duration_ms;
        (self.start_ms.into(), end_ms.into())
    }

    /// Returns the step as JSON: `kind`, `start_ms`, `duration_ms`, and `colour` (#rrggbb of the
    /// screen), `towards` (a [`Direction`] of the head) or `times` (how often both eyes are shut).
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    fn to_value(self) -> serde_json::Value {
        let (name, what) = match self.task {
            Task::Flash(on) => {
                let colour: String = on.iter().map(|&on| if on { "ff" } else { "00" }).collect();
                ("colour", serde_json::json!(format!("#{colour}")))
            }
            Task::HeadMove(direction) => ("towards", serde_json::json!(direction)),
            Task::Blink(times) => ("times", serde_json::json!(times)),
        };
        let Step {
            kind,
            start_ms,
            duration_ms,
            ..
        } = self;
        serde_json::json!({
            "kind": kind, "start_ms": start_ms, "duration_ms": duration_ms, name: what
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const ALL: [ChallengeKind; 3] = [
        ChallengeKind::Flash,
        ChallengeKind::HeadTurn,
        ChallengeKind::Blink,
    ];

    #[test]
    fn the_nonce_decides() {
        let first = Challenge::new(&[7; 16], &ALL).unwrap();
        assert_eq!(first, Challenge::new(&[7; 16], &ALL).unwrap());
        let scripts: HashSet<String> = (0..200u8)
            .map(|n| Challenge::new(&[n; 32], &ALL[..1]).unwrap().to_json())
            .collect();
        assert_eq!(scripts.len(), 200);
    }

    #[test]
    fn no_two_colours_in_a_row_are_alike_and_steps_follow_each_other() {
        for n in 0..100u8 {
            let challenge = Challenge::new(&[n; 20], &ALL).unwrap();
            let mut at = 0;
            for pair in challenge.steps().windows(2) {
                assert!(!matches!(pair[0].task, Task::Flash(_)) || pair[0].task != pair[1].task);
            }
            for step in challenge.steps() {
                assert_eq!(step.start_ms, at);
                at += step.duration_ms;
            }
            assert_eq!(at, challenge.duration_ms());
        }
    }

    #[test]
    fn the_script_tells_the_steps_and_not_the_nonce() {
        let script: serde_json::Value =
            serde_json::from_str(&Challenge::new(b"sixteen bytes ok", &ALL).unwrap().to_json())
                .unwrap();
        assert_eq!(
            script["kinds"],
            serde_json::json!(["flash", "head-turn", "blink"])
        );
        assert_eq!(script["duration_ms"], 8_600);
        assert_eq!(script["steps"].as_array().unwrap().len(), 11);
        assert!(
            script["steps"][0]["colour"]
                .as_str()
                .unwrap()
                .starts_with('#')
        );
        assert!(script.get("nonce").is_none());
    }

    #[test]
    fn the_entropy_is_that_of_the_draws() {
        let bits =
            |kinds: &[ChallengeKind]| Challenge::new(&[1; 16], kinds).unwrap().entropy_bits();
        assert!((bits(&[ChallengeKind::Flash]) - 21.16).abs() < 0.01);
        assert_eq!(bits(&[ChallengeKind::HeadMoves]), 20.0);
        assert_eq!(bits(&[ChallengeKind::HeadTurn]), 1.0);
        assert!((bits(&ALL) - bits(&ALL[..1]) - 1.0 - 3.0f32.log2()).abs() < 1e-4);
    }

    #[test]
    fn bad_nonces_and_kinds_are_refused() {
        let message = |nonce: &[u8], kinds: &[ChallengeKind]| {
            Challenge::new(nonce, kinds).unwrap_err().to_string()
        };
        assert_eq!(
            message(&[0; 15], &ALL),
            "the nonce has 15 bytes, allowed are 16 to 64"
        );
        assert_eq!(
            message(&[0; 65], &ALL),
            "the nonce has 65 bytes, allowed are 16 to 64"
        );
        assert!(message(&[0; 16], &[]).contains("at least one"));
        assert_eq!(
            message(&[0; 16], &[ALL[0], ALL[0]]),
            "the kind flash is given twice"
        );
    }
}
