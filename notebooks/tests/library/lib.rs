//! A library as small as one can be that cells are linked against: the runtime itself, and two crates to name.

#[path = "../../prelude/src/runtime/mod.rs"]
pub mod runtime;

pub mod display;

pub use {ndarray, serde_json, tokio};

/// The runtime calls this once; there is nothing to prepare.
pub fn begin() {}

/// What every cell sees.
pub mod prelude {
    pub use crate::runtime::{Interrupted, check_interrupt, interrupted};
    pub use crate::{Lesion, lesion};
    pub use ndarray::{Array1, Array2, array};
}

/// A finding, with what a test of completion looks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesion {
    /// Its largest diameter in millimetres.
    pub diameter: f64,
}

impl Lesion {
    /// The area of a disc of this diameter, in square millimetres.
    pub fn area(&self) -> f64 {
        std::f64::consts::PI * self.diameter * self.diameter / 4.0
    }

    /// A lesion of no size.
    pub fn none() -> Self {
        Self { diameter: 0.0 }
    }
}

/// A lesion of so many millimetres.
pub fn lesion(diameter: f64) -> Lesion {
    Lesion { diameter }
}
