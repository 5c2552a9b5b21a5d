//! Rust notebooks that answer like Python: a kernel for Jupyter with the workbench built, imported and warm.
//!
//! | module | does |
//! |---|---|
//! | [`engine`] | runs cells: what a cell prints, shows and leaves behind |

pub mod engine;
