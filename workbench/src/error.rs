//! What can go wrong on the way of one image.

/// A picture, a model or a question that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A picture that is refused, with its stable code.
    #[error(transparent)]
    Picture(#[from] datasets::Refusal),

    /// The model, or the question to it.
    #[error(transparent)]
    Explain(#[from] xai::Error),

    /// A model of the hub that did not arrive, with its stable code.
    #[error(transparent)]
    Hub(#[from] crate::hub::Failure),

    /// A model source that is not understood.
    #[error("model `{given}`: {problem}")]
    Model {
        /// What was given.
        given: String,
        /// What is wrong with it and what can be written instead.
        problem: String,
    },
}
