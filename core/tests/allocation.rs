//! What a warm engine takes from the heap: nothing inside a network, and for a verification no more
//! than the answer.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use vultus::{Engine, EngineOptions, Image, Limits, Policy, SessionOptions};
use vultus_nn::Network;
use vultus_nn::kernel::Kernels;

/// Counts what the thread that asks allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<[usize; 3]> = const { Cell::new([0; 3]) };
}

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(at, layout, size) }
    }
}

fn note(size: usize) {
    COUNT.with(|count| {
        let [times, bytes, largest] = count.get();
        count.set([times + 1, bytes + size, largest.max(size)]);
    });
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns how often `run` allocates, how many bytes in all, and the largest at once.
fn allocations(run: impl FnOnce()) -> [usize; 3] {
    COUNT.set([0; 3]);
    run();
    COUNT.get()
}

/// Lets one test of this file run at a time: the buffers that calls leave for the next are shared
/// by the threads of a process, so that a neighbour may hold one which a warm call counts on.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn build() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../build")
}

fn pack() -> PathBuf {
    std::env::var_os("VULTUS_PACK").map_or_else(|| build().join("pack"), PathBuf::from)
}

#[test]
fn a_warm_network_allocates_nothing() {
    let _alone = alone();
    for (id, side) in [
        ("blazeface-short", 128),
        ("centerface", 160),
        ("facemesh-468", 192),
        ("mobilefacenet", 112),
        ("sface", 112),
        ("iris", 64),
    ] {
        let network = Network::load(
            Kernels::best(),
            &std::fs::read(pack().join(format!("{id}.onnx"))).unwrap(),
            [1, 3, side, side],
            None,
        )
        .unwrap();
        let (mut scratch, input) = (network.scratch(), vec![0.25; 3 * side * side]);
        network.run(&input, &mut scratch).unwrap();
        assert_eq!(
            allocations(|| network.run(&input, &mut scratch).unwrap()),
            [0; 3],
            "{id}"
        );
    }
}

#[test]
fn a_warm_verification_allocates_its_answer() {
    let _alone = alone();
    let photo = |name: &str| {
        let bytes = std::fs::read(build().join("photos").join(name))
            .unwrap_or_else(|e| panic!("{name}: {e}; `make photos` fetches it"));
        Image::decode(&bytes, &Limits::default()).unwrap()
    };
    let (selfie, document) = (photo("obama2.jpg"), photo("obama.jpg"));
    for isa in Kernels::all().map(|kernels| kernels.isa()) {
        let mut options = EngineOptions::default();
        options.instruction_set = Some(isa);
        let engine = Engine::open(pack(), &options).unwrap();
        let verify = || {
            engine
                .verify(&selfie, &document, &Policy::default())
                .unwrap()
        };
        let answer = verify();
        let copied = allocations(|| drop(answer.clone()));
        let [times, bytes, largest] = allocations(|| drop(verify()));
        println!(
            "a verification, {}: {times} allocations, {bytes} bytes, the largest {largest}; a copy \
            of its answer: {copied:?}",
            isa.name()
        );
        // Beside the answer there are the features of two faces and lists of what the detectors
        // saw.
        const MOST_TIMES: usize = 32;
        assert!(copied[0] > 0, "the count does not work");
        assert!(
            times <= MOST_TIMES && bytes <= 2 * copied[1] && largest <= copied[2],
            "{}: {times} allocations, {bytes} bytes, the largest {largest}",
            isa.name()
        );
    }
}

#[test]
fn a_warm_session_allocates_no_picture() {
    let _alone = alone();
    let engine = Engine::open(pack(), &EngineOptions::default()).unwrap();
    let frame = Image::decode(
        &std::fs::read(build().join("photos/obama2.jpg")).unwrap(),
        &Limits::default(),
    )
    .unwrap();
    let mut session = engine.session(&SessionOptions::default()).unwrap();
    let mut push = |i: u64| drop(session.push(&frame, i * 33_333).unwrap());
    (0..30).for_each(&mut push);
    let [times, bytes, largest] = allocations(|| (30..40).for_each(&mut push));
    println!("ten frames: {times} allocations, {bytes} bytes, the largest {largest}");
    // What is kept of a frame, reports of PAD and quality, patches of skin.
    assert!(
        times > 0 && bytes <= 10 * (64 << 10) && largest <= 64 << 10,
        "{times} allocations, {bytes} bytes, the largest {largest}"
    );
}
