//! Rust notebooks that answer like Python: a kernel for Jupyter with the workbench built, imported and warm.
//!
//! | module | does |
//! |---|---|
//! | [`api`] | what the library offers, for completion |
//! | [`engine`] | runs cells: what a cell prints, shows and leaves behind |
//! | [`wire`] | speaks with Jupyter |
//! | [`prebuilt`] | builds the library that cells are linked against, once |
//! | [`runner`] | runs a whole notebook without Jupyter |
//! | [`kernelspec`] | makes Jupyter know the kernel |
//! | [`cli`] | what `pellucid notebook …` hands over to |

pub mod api;
pub mod cli;
pub mod engine;
pub mod error;
pub mod kernelspec;
pub mod prebuilt;
pub mod runner;
pub mod wire;

pub use error::{Error, Result};
