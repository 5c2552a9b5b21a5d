//! Why the bytes of a checkpoint are refused, before any of them becomes a weight.

use crate::Error;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)+) => {
        /// Why a checkpoint's files are refused; [`Reason::code`] does not change with the text of a message.
        ///
        /// ```
        /// use xai::Reason;
        /// assert_eq!(Reason::ForbiddenGlobal.code(), "forbidden-global");
        /// assert_eq!(Reason::by_code("hash-mismatch"), Some(Reason::HashMismatch));
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// A word for logs, tests and clients.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

reasons! {
    /// There is no such file or folder, or the folder holds no checkpoint.
    NotFound = "not-found",
    /// A file that cannot be opened or read.
    Unreadable = "unreadable",
    /// The file's name or its first bytes say that it is something else.
    WrongKind = "wrong-kind",
    /// More bytes than are read.
    TooLarge = "too-large",
    /// A header longer than any real one.
    HeaderTooLong = "header-too-long",
    /// The file ends too early.
    Incomplete = "incomplete",
    /// A structure that breaks the format's rules, or a damaged one.
    Malformed = "malformed",
    /// Not one tensor.
    NoTensors = "no-tensors",
    /// More tensors, values or nesting than any real checkpoint has.
    TooComplex = "too-complex",
    /// Two things of one name.
    DuplicateName = "duplicate-name",
    /// A name that is empty, too long or not printable.
    BadName = "bad-name",
    /// A shape that no memory holds, or that holds no value.
    BadShape = "bad-shape",
    /// Offsets that overlap, leave holes or leave the file.
    BadOffsets = "bad-offsets",
    /// A kind of number or tensor that is not read: quantised, sparse, complex.
    UnsupportedTensor = "unsupported-tensor",
    /// NaN or infinity among the weights.
    NotFinite = "not-finite",
    /// Weights far outside what training produces.
    OutOfRange = "out-of-range",
    /// A pickle that asks for something that no tensor needs.
    ForbiddenGlobal = "forbidden-global",
    /// A pickle with an instruction that no state dict needs.
    ForbiddenOpcode = "forbidden-opcode",
    /// A whole pickled module instead of its state dict.
    PickledModule = "pickled-module",
    /// PyTorch's format before version 1.6.
    LegacyFormat = "legacy-format",
    /// A `TorchScript` archive.
    TorchScript = "torchscript",
    /// PyTorch's oldest format.
    TarFormat = "tar-format",
    /// An archive with compressed members.
    Compressed = "compressed",
    /// Several state dicts in one file, and none was chosen.
    Ambiguous = "ambiguous",
    /// No reader of pickles was chosen.
    PickleNotRead = "pickle-not-read",
    /// Reading took longer than it may.
    TimeLimit = "time-limit",
    /// The reading process ended without an answer, as when it meets its memory limit.
    ReaderDied = "reader-died",
    /// An index that contradicts itself or points outside its folder.
    BadIndex = "bad-index",
    /// A shard or a tensor of the index is not there.
    MissingShard = "missing-shard",
    /// A shard or a tensor that the index does not name.
    UnexpectedShard = "unexpected-shard",
    /// Other bytes than were expected.
    HashMismatch = "hash-mismatch",
    /// A result that cannot be written.
    NotWritten = "not-written",
}

impl Reason {
    /// The reason of a code.
    pub fn by_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

/// A refusal as the readers make it; [`Refusal::of`] names the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub reason: Reason,
    pub problem: String,
}

impl Refusal {
    pub fn new(reason: Reason, problem: impl Into<String>) -> Self {
        Self { reason, problem: problem.into() }
    }

    pub fn malformed(problem: impl Into<String>) -> Self {
        Self::new(Reason::Malformed, problem)
    }

    pub fn of(self, path: impl Into<String>) -> Error {
        Error::Refused { path: path.into(), reason: self.reason, problem: self.problem }
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn every_code_stands_for_one_reason() {
        for reason in Reason::ALL {
            assert_eq!(Reason::by_code(reason.code()), Some(*reason));
        }
        assert_eq!(Reason::by_code("no-such-code"), None);
    }
}
