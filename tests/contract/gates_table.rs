//! The final table.
fn main() {}
