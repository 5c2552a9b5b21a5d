//! The hostile pictures I01 to I31, each at both doors: the command line and the dashboard's upload.
//!
//! `cargo test --release -p workbench --test hostile -- --nocapture --test-threads 1` prints a table for each.

mod command;
mod command_rows;
mod demo;
mod makers;
mod measured;
#[path = "../../../datasets/tests/pictures/mod.rs"]
mod pictures;
mod rows;
mod traces;
mod upload;
mod upload_rows;
mod wire;
