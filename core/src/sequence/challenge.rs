//! What is asked of the person or the screen, derived from a nonce.

use crate::error::{Error, Kind, Result, Stage};
use crate::evidence::ChallengeKind;
use sha2::{Digest, Sha256};

/// What is asked of the person or the screen. The same nonce and kinds give the same steps; who
/// does not know the nonce cannot prepare the answer, and the answer must come within the time of
/// each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Challenge {
    kinds: Vec<ChallengeKind>,
    steps: Vec<Step>,
}

/// One thing to show or to do, from `start_ms` after the beginning for `duration_ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) start_ms: u32,
    pub(crate) duration_ms: u32,
    pub(crate) task: Task,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Task {
    /// The screen is this colour, each channel wholly on or off.
    Flash([bool; 3]),
    /// The head turns towards the person's own left, or right.
    HeadTurn { left: bool },
    /// The eyes are shut this many times.
    Blink { times: u8 },
}

const NONCE_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

/// Eight colours of six, no two alike in a row: 468,750 sequences. 2.5 changes a second stay below
/// the three flashes a second that WCAG 2.3.1 allows.
const FLASHES: usize = 8;
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
const BLINK_MS: u32 = 3_000;

/// Numbers from a nonce: SHA-256 in counter mode.
struct Draw<'a> {
    nonce: &'a [u8],
    counter: u32,
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
            return usage(
                "a challenge needs at least one kind: flash, head-turn, blink".to_owned(),
            );
        }
        if let Some(twice) = kinds
            .iter()
            .enumerate()
            .find_map(|(i, kind)| kinds[..i].contains(kind).then_some(kind))
        {
            return usage(format!("the kind {} is given twice", twice.name()));
        }
        let mut draw = Draw { nonce, counter: 0 };
        let mut steps = Vec::new();
        let mut start_ms = 0;
        let mut add = |duration_ms, task| {
            steps.push(Step {
                start_ms,
                duration_ms,
                task,
            });
            start_ms += duration_ms;
        };
        for kind in kinds {
            match kind {
                ChallengeKind::Flash => {
                    let mut last = draw.below(COLOURS.len() as u64);
                    add(FLASH_MS, Task::Flash(COLOURS[last]));
                    for _ in 1..FLASHES {
                        last = (last + 1 + draw.below(COLOURS.len() as u64 - 1)) % COLOURS.len();
                        add(FLASH_MS, Task::Flash(COLOURS[last]));
                    }
                }
                ChallengeKind::HeadTurn => add(
                    TURN_MS,
                    Task::HeadTurn {
                        left: draw.below(2) == 0,
                    },
                ),
                ChallengeKind::Blink => add(
                    BLINK_MS,
                    Task::Blink {
                        times: 1 + draw.below(3) as u8,
                    },
                ),
            }
        }
        Ok(Challenge {
            kinds: kinds.to_vec(),
            steps,
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

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Returns the script for whoever shows it: kinds, duration, and the steps with their times in
    /// milliseconds. `towards` is the person's own left or right. The nonce is not in it.
    pub fn to_json(&self) -> String {
        let steps: Vec<serde_json::Value> = self.steps.iter().map(|step| step.to_json()).collect();
        serde_json::json!({ "kinds": self.kinds, "duration_ms": self.duration_ms(), "steps": steps }).to_string()
    }
}

impl Step {
    /// When it begins and ends, since the beginning of the challenge.
    pub(crate) fn span_ms(&self) -> (i64, i64) {
        (
            self.start_ms.into(),
            (self.start_ms + self.duration_ms).into(),
        )
    }

    fn to_json(self) -> serde_json::Value {
        let (kind, name, what) = match self.task {
            Task::Flash(on) => {
                let colour: String = on.iter().map(|&on| if on { "ff" } else { "00" }).collect();
                (
                    ChallengeKind::Flash,
                    "colour",
                    serde_json::json!(format!("#{colour}")),
                )
            }
            Task::HeadTurn { left } => (
                ChallengeKind::HeadTurn,
                "towards",
                serde_json::json!(if left { "left" } else { "right" }),
            ),
            Task::Blink { times } => (ChallengeKind::Blink, "times", serde_json::json!(times)),
        };
        serde_json::json!({ "kind": kind, "start_ms": self.start_ms, "duration_ms": self.duration_ms, name: what })
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
        assert_eq!(script["duration_ms"], 8_200);
        assert_eq!(script["steps"].as_array().unwrap().len(), 10);
        assert!(
            script["steps"][0]["colour"]
                .as_str()
                .unwrap()
                .starts_with('#')
        );
        assert!(script.get("nonce").is_none());
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
