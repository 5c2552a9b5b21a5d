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
    #[error("{file}, field {field}: {problem} [config]")]
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

    /// A mask that marks no pixel: nothing can be said about localisation.
    #[error("the mask of {height}x{width} pixels (height x width) marks no lesion; leave this image out or give its mask")]
    EmptyMask {
        /// Height in pixels.
        height: u32,
        /// Width in pixels.
        width: u32,
    },

    /// A name that does not exist, with those that do.
    #[error("there is no {what} `{given}`; there are: {}", known.join(", "))]
    Unknown {
        /// What kind of thing was named.
        what: String,
        /// The name that was given.
        given: String,
        /// The names that exist.
        known: Vec<String>,
    },

    /// A checkpoint's files that are refused before any of their bytes becomes a weight.
    #[error("checkpoint {path}: {problem} [{}]", reason.code())]
    Refused {
        /// The file or folder.
        path: String,
        /// Why, in a word that does not change.
        reason: crate::Reason,
        /// What is wrong and what to do.
        problem: String,
    },

    /// A checkpoint whose tensors make no model.
    #[error("checkpoint {path}: {problem} [no-model]")]
    Checkpoint {
        /// The file or folder.
        path: String,
        /// What is wrong, with names and shapes, and what to do.
        problem: String,
    },

    /// A method that needs more than the trace has kept.
    #[error("{method} needs a trace with {needed}, this one was made with {kept}; trace again with that probe")]
    NotKept {
        /// The method or read-out.
        method: &'static str,
        /// The probe it needs.
        needed: &'static str,
        /// The probe it met.
        kept: &'static str,
    },

    /// A class was asked of a model that has no head.
    #[error(
        "{what} needs class scores, but this model has no head: it gives features and class-agnostic methods only \
         (attention, rollout); load a checkpoint with a classifier for the others"
    )]
    NoHead {
        /// What was asked for.
        what: &'static str,
    },

    /// Weight gradients were asked of a model that cannot give them.
    #[error("a model with {head} cannot be trained by this loop; use f32 weights and a linear or DNN-3-hidden head")]
    Untrainable {
        /// The head it has.
        head: &'static str,
    },

    /// The process was asked to stop, see [`cancellation`](crate::cancellation).
    #[error("stopped on request before the result was there; nothing was changed, run it again to have it")]
    Cancelled,

    /// A kernel's refusal: shapes inside the engine, or a device that is not there.
    #[error(transparent)]
    Kernel(#[from] kernels::Error),
}

impl Error {
    /// A word for logs, tests and clients that does not change with the text.
    ///
    /// ```
    /// use xai::{Device, Vit};
    /// assert_eq!(Vit::load("no/such/file".as_ref(), &Device::Cpu).unwrap_err().code(), "not-found");
    /// ```
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shape { .. } => "shape",
            Self::NotFinite { .. } => "not-finite",
            Self::Config { .. } => "config",
            Self::Picture { .. } => "picture",
            Self::EmptyMask { .. } => "empty-mask",
            Self::Unknown { .. } => "unknown-name",
            Self::Refused { reason, .. } => reason.code(),
            Self::Checkpoint { .. } => "no-model",
            Self::NotKept { .. } => "not-kept",
            Self::NoHead { .. } => "no-head",
            Self::Untrainable { .. } => "untrainable",
            Self::Cancelled => "cancelled",
            Self::Kernel(_) => "kernel",
        }
    }
}
