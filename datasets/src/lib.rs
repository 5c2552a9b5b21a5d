//! Skin lesions.

mod error;
mod lesion_class;
pub mod synthetic;

pub use error::Error;
pub use lesion_class::LesionClass;
