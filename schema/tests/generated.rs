//! The committed files are those that the engine's tables make.

use std::path::Path;

#[test]
fn the_committed_files_are_those_of_the_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let bless = std::env::var_os("VULTUS_BLESS").is_some();
    let mut differ = Vec::new();
    for (path, made) in vultus_schema::files() {
        if bless {
            std::fs::write(root.join(path), &made).expect("the file can be written");
        }
        let committed = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        if committed != made {
            differ.push(path);
        }
    }
    assert!(
        differ.is_empty(),
        "{differ:?} are not what the source says; run this test with VULTUS_BLESS=1 and look at \
        the diff"
    );
}
