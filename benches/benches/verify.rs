//! The stages of one verification, on the photos that `make photos` fetches and the pack that `make
//! pack` builds.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::Path;
use vultus::{Comparator, Engine, EngineOptions, Image, Limits, Policy, Role};

fn stages(c: &mut Criterion) {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("../build");
    let engine = Engine::open(build.join("pack"), &EngineOptions::default())
        .expect("`make pack` builds the pack");
    let file = |name: &str| {
        std::fs::read(build.join("photos").join(name)).expect("`make photos` fetches the photos")
    };
    let decode =
        |bytes: &[u8]| Image::decode(bytes, &Limits::default()).expect("the photos are pictures");
    let (selfie_file, card_file) = (file("obama2.jpg"), file("specimen-obama.png"));
    let (selfie, card) = (decode(&selfie_file), decode(&card_file));
    c.bench_function("decode a selfie", |b| {
        b.iter(|| decode(black_box(&selfie_file)))
    });
    c.bench_function("detect faces", |b| {
        b.iter(|| engine.detect(black_box(&selfie), Role::Selfie))
    });
    c.bench_function("examine a selfie", |b| {
        b.iter(|| engine.examine(black_box(&selfie), Role::Selfie))
    });
    for comparator in [Comparator::Single, Comparator::Fused] {
        let policy = Policy {
            comparator,
            ..Policy::default()
        };
        c.bench_function(&format!("verify, {}", comparator.name()), |b| {
            b.iter(|| engine.verify(black_box(&selfie), &card, &policy))
        });
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
