//! Everything that can go wrong between a checkpoint and a heat map.

/// Says what was wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shapes or values that do not fit together.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The tensor or argument.
        what: String,
        /// What would have fitted.
        expected: String,
        /// What was given.
        found: String,
    },

    /// A value that may not be NaN or infinite is.
    #[error("{what} holds a value that is not finite at index {index}; check the input for NaN or infinity")]
    NotFinite {
        /// The tensor or argument.
        what: String,
        /// Flat index of the first such value.
        index: usize,
    },
}
