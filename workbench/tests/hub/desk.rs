//! A hub, an empty cache, and what is looked at in both.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use workbench::hub::{Failure, Reach, RepoName, Snapshot, fetch};

use crate::repository::{ID, Repository};
use crate::server::{Fault, LocalHub, Place, Seen};

/// One row's own hub and cache.
pub struct Desk {
    pub hub: LocalHub,
    pub cache: TempDir,
}

impl Desk {
    pub fn of(repository: Repository) -> Self {
        Self { hub: LocalHub::of(repository), cache: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder") }
    }

    /// A hub that misbehaves from the start.
    pub fn with(faults: &[Fault]) -> Self {
        let desk = Self::of(Repository::whole());
        desk.hub.behave(faults);
        desk
    }

    pub fn fetch(&self) -> Result<Snapshot, Failure> {
        self.fetch_named(ID)
    }

    pub fn fetch_named(&self, name: &str) -> Result<Snapshot, Failure> {
        fetch(&self.hub.settings(self.cache.path()), &name.parse::<RepoName>()?)
    }

    pub fn fetch_offline(&self) -> Result<Snapshot, Failure> {
        let settings = workbench::hub::Hub { reach: Reach::Offline, ..self.hub.settings(self.cache.path()) };
        fetch(&settings, &ID.parse()?)
    }

    /// The repository's folder in the cache.
    pub fn shelf(&self) -> PathBuf {
        self.cache.path().join("models--pellucid--tiny")
    }

    /// Names in a folder of the repository's cache, sorted; none where it does not exist.
    pub fn names(&self, folder: &str) -> Vec<String> {
        names(&self.shelf().join(folder))
    }

    /// The refusal's code; nothing that could pass for the file may be left.
    pub fn refused(&self) -> String {
        let failure = self.fetch().expect_err("this must be refused");
        assert!(!failure.to_string().contains("only-for-you"), "a signed address is shown: {failure}");
        let blobs = self.names("blobs");
        let left: Vec<_> = blobs.iter().filter(|blob| blob.len() != 40).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        failure.code().into()
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The requests for contents among all, as the store saw them: their ranges and statuses.
pub fn transfers(asked: &[Seen]) -> Vec<(Option<String>, u16)> {
    let of_store = asked.iter().filter(|seen| seen.at == Place::Store && seen.method == "GET");
    of_store.map(|seen| (seen.range.clone(), seen.status)).collect()
}
