//! Why a model could not be taken from the hub: what, where, and the remedy.

use std::io;
use std::path::Path;

/// Every way in which a model of the hub can fail to arrive; [`Failure::code`] is stable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A name that is none.
    #[error("`hf:{given}` names no repository: {problem}; write hf:owner/name or hf:owner/name@revision")]
    Name {
        /// What was written.
        given: String,
        /// The rule that it breaks.
        problem: &'static str,
    },
    /// An endpoint that is none.
    #[error(
        "HF_ENDPOINT `{given}` is no address of a hub; write http:// or https:// with a host, without name and password, or unset \
         it"
    )]
    Endpoint {
        /// What was given.
        given: String,
    },
    /// A token that cannot be one.
    #[error("HF_TOKEN holds characters that no token has; copy it again from the hub's settings")]
    Token,
    /// Nowhere to keep files.
    #[error("there is no folder to keep downloads in, because this user has no home; set HF_HOME to one")]
    NoHome,
    /// Offline, and not in the cache.
    #[error(
        "{repo} is not (or not wholly) in {cache}, and HF_HUB_OFFLINE forbids asking the hub; unset it, or copy that folder from a \
         machine that has the model"
    )]
    NotCached {
        /// The repository.
        repo: String,
        /// The cache's folder.
        cache: String,
    },
    /// No answer.
    #[error(
        "{host} cannot be reached ({problem}); check the network, the proxy's settings and HF_ENDPOINT, then run the same command \
         again"
    )]
    Unreachable {
        /// Whom was asked.
        host: String,
        /// What the system says.
        problem: String,
    },
    /// An answer that asks to come again later.
    #[error("{host} cannot answer now (status {status}); run the same command again later")]
    Busy {
        /// Whom was asked.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// No such repository, or a private one.
    #[error(
        "{host} has no repository {repo}, or does not show it to you (status {status}); check the name's spelling, and for a \
         private one set HF_TOKEN to a token that may read it"
    )]
    NoRepository {
        /// The repository.
        repo: String,
        /// Whom was asked.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// No such branch, tag or commit.
    #[error("{host} has {repo}, but not at that revision; write one that its page lists, or none for `main`")]
    NoRevision {
        /// The repository with its revision.
        repo: String,
        /// Whom was asked.
        host: String,
    },
    /// A repository with terms to accept first.
    #[error(
        "{repo} is given only to those who accepted its terms (status {status}); open {page} in a browser, accept them, and set \
         HF_TOKEN to a token of that account"
    )]
    Gated {
        /// The repository.
        repo: String,
        /// Its page.
        page: String,
        /// The HTTP status.
        status: u16,
    },
    /// Nothing in it that can be loaded.
    #[error(
        "{repo} holds neither model.safetensors, nor model.safetensors.index.json, nor pytorch_model.bin; name a repository with \
         weights in one of these files"
    )]
    NoWeights {
        /// The repository.
        repo: String,
    },
    /// An index of shards that is none, or names a shard that is not there.
    #[error("model.safetensors.index.json of {repo} {problem}; the repository is incomplete: tell its owner, or name another revision")]
    Index {
        /// The repository.
        repo: String,
        /// What is wrong.
        problem: String,
    },
    /// An answer without what is needed to trust what follows.
    #[error("{file} from {host} cannot be checked: {problem}; is HF_ENDPOINT a hub, and is no proxy in between?")]
    Unverifiable {
        /// The file.
        file: String,
        /// Whom was asked.
        host: String,
        /// What is missing.
        problem: String,
    },
    /// More bytes than are taken.
    #[error("{file} has {bytes} bytes and at most {limit} are taken; it is no vision transformer that can be explained here")]
    TooLarge {
        /// The file.
        file: String,
        /// Its size, or that of all so far.
        bytes: u64,
        /// Most bytes.
        limit: u64,
    },
    /// Cut off too often.
    #[error(
        "the download of {file} was cut after {bytes} of {size} bytes ({problem}); run the same command again: it goes on from \
         there"
    )]
    Cut {
        /// The file.
        file: String,
        /// Bytes that are kept.
        bytes: u64,
        /// Its size.
        size: u64,
        /// How the last try ended.
        problem: String,
    },
    /// Another size than was said.
    #[error(
        "{file} arrived with {bytes} bytes instead of {size}; it was thrown away: run the same command again, without a proxy in \
         between if it stays so"
    )]
    WrongSize {
        /// The file.
        file: String,
        /// Bytes that arrived or were announced.
        bytes: u64,
        /// Bytes that the hub says it has.
        size: u64,
    },
    /// Other bytes than were said.
    #[error(
        "{file} is damaged: its {found} is not the hub's {wanted}; it was thrown away: run the same command again, without a proxy \
         in between if it stays so"
    )]
    Damaged {
        /// The file.
        file: String,
        /// The checksum of what arrived.
        found: String,
        /// The checksum that the hub gives.
        wanted: String,
    },
    /// A file of the cache whose bytes changed since.
    #[error("{path} changed since it was fetched: its SHA-256 is now {found}; delete it and run the same command again")]
    Spoilt {
        /// The file.
        path: String,
        /// Its checksum now.
        found: String,
    },
    /// A redirection that is not followed.
    #[error("{host} sends the request on {problem}, which is not followed; check HF_ENDPOINT and the proxy's settings")]
    Redirect {
        /// Who redirects.
        host: String,
        /// Where to.
        problem: &'static str,
    },
    /// A cache that cannot be written.
    #[error("{path} cannot be written ({problem}); {remedy}, or set HF_HUB_CACHE to a folder elsewhere")]
    Disk {
        /// The file or folder.
        path: String,
        /// What the system says.
        problem: String,
        /// What helps.
        remedy: &'static str,
    },
}

impl Failure {
    /// A word for logs, tests and programs that does not change with the text.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "hub-name",
            Self::Endpoint { .. } => "hub-endpoint",
            Self::Token => "hub-token",
            Self::NoHome => "hub-no-home",
            Self::NotCached { .. } => "hub-not-cached",
            Self::Unreachable { .. } => "hub-unreachable",
            Self::Busy { .. } => "hub-busy",
            Self::NoRepository { .. } => "hub-no-repository",
            Self::NoRevision { .. } => "hub-no-revision",
            Self::Gated { .. } => "hub-gated",
            Self::NoWeights { .. } => "hub-no-weights",
            Self::Index { .. } => "hub-index",
            Self::Unverifiable { .. } => "hub-unverifiable",
            Self::TooLarge { .. } => "hub-too-large",
            Self::Cut { .. } => "hub-cut",
            Self::WrongSize { .. } => "hub-wrong-size",
            Self::Damaged { .. } => "hub-damaged",
            Self::Spoilt { .. } => "hub-spoilt",
            Self::Redirect { .. } => "hub-redirect",
            Self::Disk { .. } => "hub-disk",
        }
    }

    /// Whether the hub itself said nothing, so that the cache may answer for it.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. })
    }

    /// What a write that failed means.
    pub(super) fn disk(path: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "make room and run the same command again: it goes on where it ended"
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "allow this user to write there",
            _ => "check that folder",
        };
        Self::Disk { path: path.display().to_string(), problem: error.to_string(), remedy }
    }
}
