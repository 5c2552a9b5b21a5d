//! What can go wrong with lesions and their tables.

use thiserror::Error;

use crate::LesionClass;

/// Errors of this crate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A class's name that is none of the seven.
    #[error("unknown lesion class {found:?}; use one of: {}", class_names())]
    UnknownClass {
        /// The text that was read.
        found: String,
    },
}

fn class_names() -> String {
    LesionClass::ALL.map(|class| format!("{} ({})", class.name(), class.abbreviation())).join(", ")
}
