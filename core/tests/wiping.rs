//! What stays of a person's landmarks and features in the memory of the process when all was
//! dropped: nothing. The memory is searched by what the system shows of it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use vultus::{Engine, EngineOptions, Image, Limits, Role};

/// Bytes to look for, kept so that the search does not find itself.
struct Needle(Vec<u8>);

const MASK: u8 = 0x5a;

impl Needle {
    fn of(bytes: &[u8]) -> Needle {
        Needle(bytes.iter().map(|b| b ^ MASK).collect())
    }

    fn is_at(&self, at: &[u8]) -> bool {
        at.iter()
            .zip(&self.0)
            .all(|(b, masked)| b ^ MASK == *masked)
    }

    /// How often it is in the memory that the process may write.
    fn copies(&self) -> usize {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut piece = vec![0; 1 << 20];
        let mut found = 0;
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let (mut at, end) = (
                u64::from_str_radix(from, 16).unwrap(),
                u64::from_str_radix(to, 16).unwrap(),
            );
            while at < end {
                let count = piece.len().min((end - at) as usize);
                if memory.seek(SeekFrom::Start(at)).is_err()
                    || memory.read_exact(&mut piece[..count]).is_err()
                {
                    break;
                }
                let own = piece.as_ptr() as u64;
                let first = self.0[0] ^ MASK;
                let starts = (0..count.saturating_sub(self.0.len()))
                    .filter(|&i| piece[i] == first && self.is_at(&piece[i..]));
                // What was read is no other copy.
                found += starts
                    .filter(|&i| !(own..own + (1 << 20)).contains(&(at + i as u64)))
                    .count();
                at += count as u64;
            }
        }
        piece.fill(0);
        found
    }
}

#[test]
fn nothing_of_a_person_stays_in_memory() {
    // The search finds what is there.
    let kept: Vec<u8> = (0..20u8).map(|i| i.wrapping_mul(37) ^ 0xc3).collect();
    let needle = Needle::of(&kept);
    assert!(needle.copies() > 0);
    drop(std::hint::black_box(kept));

    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let pack =
        std::env::var_os("VULTUS_PACK").map_or_else(|| root.join("build/pack"), PathBuf::from);
    let engine = Engine::open(pack, &EngineOptions::default()).expect("`make pack` builds it");
    let bytes = std::fs::read(root.join("build/photos/obama2.jpg")).unwrap();
    let image = Image::decode(&bytes, &Limits::default()).unwrap();
    let enrolment = engine.enrol(&image, Role::Selfie).unwrap();
    let template = enrolment.template.unwrap();
    let bytes_of = |values: &[f32]| -> Vec<u8> {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()
    };
    let mut shown = bytes_of(&template.values("sface").unwrap()[..8]);
    let features = Needle::of(&shown);
    shown.fill(0);
    let points = &enrolment.sample.face.as_ref().unwrap().landmarks[..3];
    let points: Vec<f32> = points.iter().flat_map(|p| [p.x, p.y]).collect();
    let mut shown = bytes_of(&points);
    let landmarks = Needle::of(&shown);
    shown.fill(0);
    drop(points);
    assert!(
        features.copies() > 0 && landmarks.copies() > 0,
        "they are alive"
    );
    drop(template);
    drop(enrolment.sample);
    drop(image);
    assert_eq!(features.copies(), 0, "copies of the features");
    assert_eq!(landmarks.copies(), 0, "copies of the landmarks");
}
