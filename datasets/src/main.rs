//! vultus.
fn main() {}
