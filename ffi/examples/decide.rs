//! `decide PACK LIST [REPEATS]`: prints the JSON of the decision on every pair of LIST, which has the paths of a selfie and a
//! document a line; with REPEATS instead the least time in milliseconds from two files in memory to the JSON.
#![expect(clippy::unwrap_used, reason = "a test program ends at the first fault")]

use std::time::Instant;
use vultus::{Engine, EngineOptions, Image, Limits, Policy};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pack, list, repeats @ ..] = &arguments[..] else { panic!("usage: decide PACK LIST [REPEATS]") };
    let repeats: Option<u32> = repeats.first().map(|r| r.parse().unwrap());
    let engine = Engine::open(pack, &EngineOptions::default()).unwrap();
    let decode = |file: &[u8]| Image::decode(file, &Limits::default()).unwrap();
    for line in std::fs::read_to_string(list).unwrap().lines() {
        let (selfie, document) = line.split_once(' ').unwrap();
        let (selfie, document) = (std::fs::read(selfie).unwrap(), std::fs::read(document).unwrap());
        let decide = || engine.verify(&decode(&selfie), &decode(&document), &Policy::default()).unwrap().to_json();
        match repeats {
            None => println!("{}", decide()),
            Some(repeats) => {
                let time = || {
                    let start = Instant::now();
                    std::hint::black_box(decide());
                    start.elapsed().as_secs_f64() * 1e3
                };
                println!("{:.4}", (0..repeats).map(|_| time()).fold(f64::INFINITY, f64::min));
            }
        }
    }
}
