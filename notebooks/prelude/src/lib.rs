//! What a cell sees. Built once as a dynamic library; every cell is linked against it.

pub mod display;
pub mod runtime;
