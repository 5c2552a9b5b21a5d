//! What a caller may say about a checkpoint.

use super::Hints;
use super::pth::child::ChildProgram;

/// How a checkpoint is read, and what its files leave open.
///
/// ```no_run
/// use xai::{Device, LoadOptions, Pickles, Vit};
/// let options = LoadOptions { pickles: Pickles::InProcess, ..LoadOptions::default() };
/// let vit = Vit::load_with("my_own_model.pth".as_ref(), options, &Device::Cpu)?;
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// What is said about the architecture.
    pub hints: Hints,
    /// SHA-256 in hexadecimal that the weights' bytes must have; of a sharded checkpoint as in [`Source::sha256`](crate::Source).
    pub sha256: Option<String>,
    /// Which of several state dicts in one `.pth` is meant.
    pub key: Option<String>,
    /// Who reads PyTorch's pickles.
    pub pickles: Pickles,
}

impl From<&Hints> for LoadOptions {
    fn from(hints: &Hints) -> Self {
        Self { hints: hints.clone(), ..Self::default() }
    }
}

impl From<&LoadOptions> for LoadOptions {
    fn from(options: &LoadOptions) -> Self {
        options.clone()
    }
}

/// Who reads the pickle in a `.pth`, `.pt`, `.bin` or `.ckpt`; all do so within the same bounds, and none runs anything of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Pickles {
    /// Nobody: the refusal says how to convert the file. A library cannot know which program it is part of.
    #[default]
    Refuse,
    /// A process of its own, which the operating system holds to limits of memory, time and files.
    InChild(ChildProgram),
    /// This process: for files whose origin is trusted.
    InProcess,
}
