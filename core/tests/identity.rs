//! Pairs of pictures, galleries and sessions, wholly on every instruction set, with 1, 2 and 8
//! threads and spread over a pool, again and again: the same bits each time.
//!
//! The pairs are those of the demo portraits. `VULTUS_PAIRS` names a file with pairs of your own
//! instead, two paths a line with a tab between them; `VULTUS_REPEATS` says how often each is
//! repeated, `VULTUS_SCALAR_PAIRS` how many the scalar twin runs, which takes seconds for one.
//! `VULTUS_REQUIRED_ISA` names instruction sets, with commas between, without which the test fails.
//!
//! `VULTUS_DIGESTS` names a file that carries the bits from one machine to another: what is found
//! is held to it, and written to it where it does not exist. In an emulator, where one verification
//! takes minutes, `VULTUS_ISA` names the only instruction set that runs, and `VULTUS_WAYS` in how
//! many ways of threads.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use vultus::{
    Comparator, Engine, EngineOptions, Image, Isa, Kind, Limits, Precision, Role, SessionOptions,
};

fn build() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../build")
}

fn pairs() -> Vec<[PathBuf; 2]> {
    if let Some(list) = std::env::var_os("VULTUS_PAIRS") {
        let list = std::fs::read_to_string(list).unwrap();
        return list
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(a, b)| [a.into(), b.into()])
            .collect();
    }
    let photo = |name: &str| build().join("photos").join(name);
    let pairs = [("obama.jpg", "obama2.jpg"), ("biden.jpg", "obama.jpg")];
    pairs.map(|(a, b)| [photo(a), photo(b)]).to_vec()
}

#[test]
fn the_bits_depend_on_nothing_but_the_input() {
    let pack = std::env::var_os("VULTUS_PACK").map_or_else(|| build().join("pack"), PathBuf::from);
    let (pairs, mut runs) = (pairs(), 0);
    assert!(!pairs.is_empty(), "the list holds no pair");
    let number =
        |name: &str, default: usize| std::env::var(name).map_or(default, |n| n.parse().unwrap());
    let (repeats, scalar_pairs) = (
        number("VULTUS_REPEATS", 2),
        number("VULTUS_SCALAR_PAIRS", usize::MAX),
    );
    let required: Vec<Isa> = std::env::var("VULTUS_REQUIRED_ISA")
        .unwrap_or_default()
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.parse().unwrap())
        .collect();
    let only: Option<Isa> = std::env::var("VULTUS_ISA")
        .ok()
        .map(|name| name.parse().unwrap());
    let most_ways = number("VULTUS_WAYS", usize::MAX);
    let mut lines = Vec::new();
    for precision in [Precision::Exact, Precision::Fast] {
        let mut expected: BTreeMap<usize, [u8; 32]> = BTreeMap::new();
        let all = Isa::ALL
            .into_iter()
            .filter(|isa| only.is_none_or(|only| only == *isa));
        for isa in all {
            let open = |parallel| {
                let mut options = EngineOptions::default();
                (options.precision, options.parallel) = (precision, parallel);
                options.instruction_set = Some(isa);
                Engine::open(&pack, &options)
            };
            // The scalar twin is slow: it runs once, and the others must equal it.
            let (ways, repeats, pairs): (&[(bool, usize)], usize, _) = match isa {
                Isa::Scalar => (&[(false, 2)], 1, &pairs[..scalar_pairs.min(pairs.len())]),
                _ => (
                    &[(false, 1), (false, 2), (false, 8), (true, 1), (true, 2)],
                    repeats,
                    &pairs[..],
                ),
            };
            let ways = &ways[..most_ways.min(ways.len())];
            let opened: Result<Vec<Engine>, _> = [false, true]
                .into_iter()
                .filter(|parallel| ways.iter().any(|(wanted, _)| wanted == parallel))
                .map(open)
                .collect();
            let engines = match opened {
                Ok(engines) => engines,
                Err(error) => {
                    assert_eq!(error.kind(), Kind::Unsupported, "{error}");
                    assert!(!required.contains(&isa), "{error}, and it is required");
                    println!("{error}");
                    continue;
                }
            };
            for (way, repeat) in
                (0..ways.len()).flat_map(|way| (0..repeats).map(move |repeat| (way, repeat)))
            {
                let (parallel, threads) = ways[way];
                let engine = &engines[usize::from(parallel)];
                for (at, digest) in digests(engine, pairs, threads).into_iter().enumerate() {
                    let first = expected.entry(at).or_insert(digest);
                    assert!(
                        *first == digest,
                        "{:?}: {precision:?}, {isa:?}, way {way}, {threads} threads, repeat \
                        {repeat}",
                        pairs[at]
                    );
                    runs += 1;
                }
            }
        }
        assert!(
            !expected.is_empty(),
            "no instruction set ran in {precision:?}"
        );
        lines.extend(
            expected
                .iter()
                .map(|(at, digest)| format!("{precision:?} {at} {}\n", hex(digest))),
        );
    }
    if let Some(path) = std::env::var_os("VULTUS_DIGESTS").map(PathBuf::from) {
        let found = lines.concat();
        if path.exists() {
            let other = std::fs::read_to_string(&path).unwrap();
            assert_eq!(found, other, "the other machine's, {}", path.display());
            println!("{}: the bits of the other machine", path.display());
        } else {
            std::fs::write(&path, found).unwrap();
        }
    }
    println!("{} pairs, {runs} verifications: the same bits", pairs.len());
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a digest of what is found in the pictures of each pair, their templates and their score,
/// of a search and of a short session.
fn digests(engine: &Engine, pairs: &[[PathBuf; 2]], threads: usize) -> Vec<[u8; 32]> {
    let next = AtomicUsize::new(0);
    let mut found: Vec<(usize, [u8; 32])> = std::thread::scope(|scope| {
        let work = || {
            let mut own = Vec::new();
            while let Some(pair) = pairs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let at = pairs
                    .iter()
                    .position(|other| std::ptr::eq(other, pair))
                    .unwrap();
                own.push((at, digest(engine, pair)));
            }
            own
        };
        if threads == 1 {
            return work(); // there may be no threads
        }
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        started
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    found.sort_unstable();
    found.into_iter().map(|(_, digest)| digest).collect()
}

fn digest(engine: &Engine, pair: &[PathBuf; 2]) -> [u8; 32] {
    let [selfie, document] = pair.each_ref().map(|path| {
        let bytes = std::fs::read(path)
            .unwrap_or_else(|e| panic!("{}: {e}; `make photos` fetches it", path.display()));
        Image::decode(&bytes, &Limits::default()).unwrap()
    });
    let mut hash = Sha256::new();
    let templates =
        [(&selfie, Role::Selfie), (&document, Role::Document)].map(|(picture, role)| {
            let enrolled = engine.enrol(picture, role).unwrap();
            hash.update(format!("{:?}", enrolled.sample));
            hash.update(
                enrolled
                    .template
                    .as_ref()
                    .map_or(&[][..], |template| template.to_bytes()),
            );
            enrolled.template
        });
    let read = engine.read_document(&document).unwrap();
    let lines = read
        .yes()
        .and_then(|read| Some(read.zone.as_ref()?.lines()));
    hash.update(format!("{read:?} {lines:?}"));
    if let [Some(probe), Some(reference)] = &templates {
        hash.update(
            engine
                .score(probe, reference, Comparator::Fused)
                .unwrap()
                .to_bits()
                .to_le_bytes(),
        );
        let mut gallery = engine.gallery();
        for id in 0..8 {
            let member = if id % 2 == 0 { reference } else { probe };
            gallery.insert(id, member).unwrap();
        }
        hash.update(format!("{:?}", gallery.search(probe, 5).unwrap()));
    }
    let mut session = engine.session(&SessionOptions::default()).unwrap();
    for frame in 0..2 {
        hash.update(format!(
            "{:?}",
            session.push(&selfie, frame * 400_000).unwrap()
        ));
    }
    hash.update(format!("{:?}", session.evidence()));
    let fused = session.template().unwrap();
    hash.update(fused.as_ref().map_or(&[][..], |fused| fused.to_bytes()));
    hash.finalize().into()
}
