//! What the code around a cell calls: variables between cells, the run of one cell, interruption, frames on standard output.
//!
//! A cell is a small library of its own; whatever must outlive it stands here, once, in the library that all cells share.
//!
//! | module | does |
//! |---|---|
//! | `variables` | keeps variables by name between cells |
//! | `ending` | runs a cell's body: how it ended, with the place in the cell |
//! | `failure` | takes every error that `?` can meet, with its causes |
//! | `panics` | notes the message and the place of a panic |
//! | `interrupt` | ends loops when Jupyter interrupts, and keeps variables |
//! | `frames` | shows content between printed lines |
//! | `waiting` | runs `.await` at the top of a cell |
//! | `tail` | shows a cell's last expression, whatever its type can do |
//! | [`evcxr`] | shows it to evcxr |
//! | `probe` | makes the compiler say the type of a variable |
//! | `entry` | what the process around the cells calls, by C's rules |

mod ending;
mod entry;
pub mod evcxr;
mod failure;
mod frames;
mod interrupt;
mod panics;
mod probe;
mod tail;
mod variables;
mod waiting;

pub use ending::{guard, run};
pub use entry::{pellucid_finish, pellucid_forget, pellucid_start};
pub use failure::Fail;
pub use frames::{DisplayId, frame, new_display, show_frame, update_frame};
pub use interrupt::{Interrupted, check_interrupt, checkpoint, interrupted, set_interrupted};
pub use probe::{TypeOf, type_of};
pub use tail::{ShowDebug, ShowName, Shown, show_debug};
pub use variables::{holds, put, take};
pub use waiting::block_on;
