//! Rust notebooks that answer like Python: a kernel for Jupyter with the workbench built, imported and warm.
//!
//! | module | does |
//! |---|---|
//! | [`api`] | what the library offers, for completion |
//! | [`engine`] | runs cells: what a cell prints, shows and leaves behind |
//! | [`prebuilt`] | the library that cells are linked against |

pub mod api;
pub mod engine;
pub mod prebuilt;
