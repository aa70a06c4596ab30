//! The committed header is what the source says. `VULTUS_BLESS=1 cargo test -p vultus-ffi --release
//! --test header` writes it anew.

use std::path::Path;

/// In the order in which a reader meets them in the header.
const SOURCES: [&str; 17] = [
    "version",
    "status",
    "error",
    "image",
    "template",
    "sample",
    "comparison",
    "decision",
    "engine",
    "document",
    "face",
    "challenge",
    "evidence",
    "session",
    "gallery",
    "log",
    "handle",
];

#[test]
fn the_header_is_generated_from_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let builder = SOURCES.iter().fold(
        cbindgen::Builder::new().with_config(config),
        |builder, file| builder.with_src(root.join("src").join(file).with_extension("rs")),
    );
    let mut generated = Vec::new();
    builder.generate().unwrap().write(&mut generated);
    let path = root.join("include/vultus.h");
    if std::env::var_os("VULTUS_BLESS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read(&path).unwrap();
    assert!(
        committed == generated,
        "include/vultus.h differs from the source; run this test with VULTUS_BLESS=1 and look at \
        the diff"
    );
}

#[test]
fn no_status_is_used_twice() {
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/status.rs"))
            .unwrap();
    let codes: Vec<&str> = source
        .lines()
        .filter_map(|l| l.strip_prefix("pub const VULTUS_ERROR_"))
        .map(|l| l.split("= ").nth(1).unwrap())
        .collect();
    assert!(codes.len() >= 10, "only {} codes were found", codes.len());
    assert_eq!(
        std::collections::HashSet::<&str>::from_iter(codes.iter().copied()).len(),
        codes.len()
    );
}
