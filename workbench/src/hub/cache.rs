//! The hub's cache folder, laid out as Python's `huggingface_hub` does it, so that both share every file.
//!
//! ```text
//! models--owner--name/blobs/CHECKSUM               contents
//! models--owner--name/snapshots/COMMIT/FILE        a link to them
//! models--owner--name/refs/REVISION                the commit that a branch or tag stood for
//! models--owner--name/.no_exist/COMMIT/FILE        an empty mark: the commit has no such file
//! .locks/models--owner--name/CHECKSUM.lock         held while a blob is written
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};

use super::checksum::Checksum;
use super::files::WHOLE;
use super::name::is_commit;
use super::{Failure, RepoName};
use crate::progress;

/// The part of the cache that holds one repository.
pub(super) struct Shelf {
    root: PathBuf,
    folder: String,
    revision: String,
    inner: CacheRepo,
}

/// What the cache knows about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    Here(PathBuf),
    /// The hub said that there is none.
    Absent,
    Nothing,
}

impl Shelf {
    pub fn new(root: &Path, name: &RepoName) -> Self {
        let repo = Repo::with_revision(name.id().to_owned(), RepoType::Model, name.revision().to_owned());
        let (folder, revision) = (repo.folder_name(), name.revision().to_owned());
        Self { root: root.to_owned(), folder, revision, inner: Cache::new(root.to_owned()).repo(repo) }
    }

    /// The commit that the revision stood for when the hub was last asked.
    pub fn commit(&self) -> Option<String> {
        if is_commit(&self.revision) {
            return Some(self.revision.clone());
        }
        let text = fs::read_to_string(self.place("refs").join(&self.revision)).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_commit(commit))
    }

    /// Remembers the commit of a branch or tag.
    pub fn remember(&self, commit: &str) -> Result<(), Failure> {
        if is_commit(&self.revision) || self.commit().as_deref() == Some(commit) {
            return Ok(());
        }
        self.inner.create_ref(commit).map_err(|error| Failure::disk(&self.place("refs"), &error))
    }

    /// The folder of a commit's files.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.inner.pointer_path(commit)
    }

    /// What is known of a file.
    pub fn known(&self, commit: &str, file: &str) -> Known {
        let path = self.snapshot(commit).join(file);
        if path.is_file() {
            Known::Here(path)
        } else if self.place(".no_exist").join(commit).join(file).is_file() {
            Known::Absent
        } else {
            Known::Nothing
        }
    }

    /// Remembers that a commit has no such file; where that cannot be written it is asked for again.
    pub fn mark_absent(&self, commit: &str, file: &str) {
        let folder = self.place(".no_exist").join(commit);
        let _ = fs::create_dir_all(&folder).and_then(|()| File::create(folder.join(file)));
    }

    /// Where contents lie.
    pub fn blob(&self, checksum: &Checksum) -> PathBuf {
        self.inner.blob_path(checksum.digits())
    }

    /// Waits until nobody else, of whatever program, writes these contents.
    pub fn lock(&self, checksum: &Checksum) -> Result<File, Failure> {
        let folder = self.root.join(".locks").join(&self.folder);
        let path = folder.join(format!("{}.lock", checksum.digits()));
        let locked = || {
            fs::create_dir_all(&folder)?;
            let file = File::options().write(true).create(true).truncate(false).open(&path)?;
            wait_for(&file).map(|()| file)
        };
        locked().map_err(|error| Failure::disk(&path, &error))
    }

    /// Gives contents their name in a commit.
    pub fn link(&self, commit: &str, file: &str, checksum: &Checksum) -> Result<PathBuf, Failure> {
        let (folder, blob) = (self.snapshot(commit), self.blob(checksum));
        let path = folder.join(file);
        let made = fs::create_dir_all(&folder).and_then(|()| {
            // A dangling link of a cache that somebody tidied is in the way.
            let _ = fs::remove_file(&path);
            link(&blob, &path, checksum)
        });
        made.map_err(|error| Failure::disk(&path, &error)).map(|()| path)
    }

    fn place(&self, part: &str) -> PathBuf {
        self.root.join(&self.folder).join(part)
    }
}

/// Where `folder` is a snapshot whose weights are one large file: checks that the bytes that were read are those that the file is named
/// after, so that a cache that rotted or was tampered with is found.
///
/// # Errors
/// [`Failure::Spoilt`] with the file and what to do.
pub fn expect_named_bytes(folder: &Path, sha256: &str) -> Result<(), Failure> {
    let Ok(blob) = fs::read_link(folder.join(WHOLE)) else { return Ok(()) };
    let named = blob.file_name().and_then(|name| Checksum::parse(name.to_str()?));
    match named {
        Some(Checksum::Sha256(wanted)) if wanted != sha256 => {
            let blob = folder.join(blob);
            Err(Failure::Spoilt { path: blob.canonicalize().unwrap_or(blob).display().to_string(), found: sha256.into() })
        }
        _ => Ok(()),
    }
}

/// Takes a lock; where the file system has none, two programs at once may fetch the same file twice, and no worse.
fn wait_for(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let waiting = progress::spinner("waiting: another program fetches the same file");
            let locked = file.lock();
            drop(waiting);
            locked
        }
    }
}

/// Relative, so that the cache can be moved.
#[cfg(unix)]
fn link(_blob: &Path, path: &Path, checksum: &Checksum) -> io::Result<()> {
    std::os::unix::fs::symlink(Path::new("../../blobs").join(checksum.digits()), path)
}

/// Links need a privilege on Windows: the file itself stands in the snapshot, as Python has it there.
#[cfg(not(unix))]
fn link(blob: &Path, path: &Path, _checksum: &Checksum) -> io::Result<()> {
    fs::copy(blob, path).map(|_| ())
}
