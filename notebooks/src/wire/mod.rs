//! Jupyter's messaging protocol over ZeroMQ, around any [`Engine`](crate::engine::Engine).
//!
//! ```text
//! shell ──▶ sockets ──queue──▶ answers (a thread; runs cells) ──▶ outgoing ──▶ sockets ──▶ shell, iopub
//! control ─▶ sockets (answered at once: interrupt, shutdown) ─────▶ outgoing
//! ```
//!
//! A kernel answers before its engine is there: what getting it ready shows, a first build for one, is shown by the first cell.

mod answers;
mod brackets;
mod clock;
mod connection;
mod control;
mod engine_slot;
mod message;
mod outgoing;
mod run_cell;
mod sockets;

pub use answers::language_info;
pub use brackets::{Completeness, completeness};
pub use connection::Connection;
pub use engine_slot::Starter;
pub use message::{Message, Session, Signer, decode};
pub use sockets::serve;
