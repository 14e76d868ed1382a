//! What the benches of whole exchanges are made of: a vendor that answers at once, plain relays to
//! compare with, callers, and what a process took.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a part tells its address, and a bench ends where it cannot go on"
)]

pub mod load;
pub mod process;
pub mod relay;
pub mod upstream;
