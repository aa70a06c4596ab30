//! vultus.
