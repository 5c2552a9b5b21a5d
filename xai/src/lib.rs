//! The explained vision transformer: engine, probes, explanations, heat maps and overlays.

mod error;

pub use error::Error;
