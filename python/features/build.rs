//! Nothing: it is here so that build dependencies are taken into account.

fn main() {}
