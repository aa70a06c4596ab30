//! What was found in the picture, as bytes: the unified score, flags (1 where the landmarks lie on
//! the face, 2 where there is another face), a code of PAD, the number of scores; four f32 (the
//! eyes' distance, yaw, pitch, share of the other face); a score u8 for each component in the order
//! of their table, 255 for one that was not measured.

use crate::evidence::{Assessed, Component, Findings, Obstacle, PadStatus};
use zeroize::Zeroizing;

const HEAD: usize = 20;
const PLACED: u8 = 1;
const RIVAL: u8 = 2;
const UNMEASURED: u8 = 255;

/// Codes from here on are obstacles, in the order of their table.
const FIRST_OBSTACLE: u8 = 16;

impl Findings {
    pub(super) fn to_bytes(self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEAD + self.scores.len()));
        let placed = if self.is_placed { PLACED } else { 0 };
        let rival = self.rival_share.map_or(0, |_| RIVAL);
        let pad = pad_code(self.pad);
        bytes.extend([self.unified, placed | rival, pad, self.scores.len() as u8]);
        let share = self.rival_share.unwrap_or(0.0);
        for value in [self.inter_eye_px, self.yaw_deg, self.pitch_deg, share] {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(self.scores.map(|score| score.unwrap_or(UNMEASURED)));
        bytes
    }

    /// `None` for bytes that are no findings. Of components that it does not know it reads nothing.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Findings> {
        let (&[unified, flags, pad, count], rest) = bytes.split_first_chunk()?;
        let (values, scores) = rest.split_first_chunk::<16>()?;
        let (values, _) = values.as_chunks::<4>();
        let [inter_eye_px, yaw_deg, pitch_deg, share] =
            std::array::from_fn(|i| f32::from_le_bytes(values[i]));
        let is_sound = unified <= 100
            && flags <= PLACED | RIVAL
            && scores.len() == usize::from(count)
            && scores
                .iter()
                .all(|&score| score <= 100 || score == UNMEASURED)
            && [inter_eye_px, yaw_deg, pitch_deg, share]
                .iter()
                .all(|v| v.is_finite())
            && (flags & RIVAL != 0 || share.to_bits() == 0);
        let mut measured = [None; Component::ALL.len()];
        for (to, &score) in measured.iter_mut().zip(scores) {
            *to = (score != UNMEASURED).then_some(score);
        }
        is_sound.then_some(Findings {
            unified,
            scores: measured,
            inter_eye_px,
            yaw_deg,
            pitch_deg,
            is_placed: flags & PLACED != 0,
            rival_share: (flags & RIVAL != 0).then_some(share),
            pad: pad_of(pad)?,
        })
    }
}

fn pad_code(pad: Assessed<PadStatus>) -> u8 {
    match pad {
        Assessed::NotAsked => 0,
        Assessed::Yes(PadStatus::BonaFide) => 1,
        Assessed::Yes(PadStatus::Attack) => 2,
        Assessed::NotPossible(obstacle) => FIRST_OBSTACLE + obstacle as u8,
    }
}

fn pad_of(code: u8) -> Option<Assessed<PadStatus>> {
    match code {
        0 => Some(Assessed::NotAsked),
        1 => Some(Assessed::Yes(PadStatus::BonaFide)),
        2 => Some(Assessed::Yes(PadStatus::Attack)),
        code => {
            let place = usize::from(code.checked_sub(FIRST_OBSTACLE)?);
            Obstacle::ALL.get(place).copied().map(Assessed::NotPossible)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_pad_comes_back() {
        let known = [
            Assessed::NotAsked,
            Assessed::Yes(PadStatus::BonaFide),
            Assessed::Yes(PadStatus::Attack),
        ];
        let obstacles = Obstacle::ALL.iter().copied().map(Assessed::NotPossible);
        for pad in known.into_iter().chain(obstacles) {
            assert_eq!(pad_of(pad_code(pad)), Some(pad));
        }
        for code in [3, FIRST_OBSTACLE - 1, 255] {
            assert_eq!(pad_of(code), None);
        }
    }
}
