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

    /// A configuration file says something that is not supported or contradicts itself.
    #[error("{file}, field {field}: {problem}")]
    Config {
        /// The file.
        file: String,
        /// The field, dotted where it is nested.
        field: String,
        /// What is wrong with it and what to write instead.
        problem: String,
    },

    /// A picture that cannot be prepared for a model.
    #[error("picture of {height}x{width} pixels (height x width): {problem}")]
    Picture {
        /// Height in pixels.
        height: u32,
        /// Width in pixels.
        width: u32,
        /// What is wrong with it and what to do.
        problem: String,
    },
}
