//! Groups of real processes: every rank is this test's own program, started anew with the variables of a launcher, on 127.0.0.1.

mod devices;
#[allow(dead_code)]
#[path = "../../emulator/library.rs"]
mod emulator;
mod faults;
mod ranks;
mod strangers;
mod sums;
