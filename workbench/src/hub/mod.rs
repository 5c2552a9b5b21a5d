//! Models of the Hugging Face hub: `hf:owner/name[@revision]` becomes a folder of files that are known to be the hub's.
//!
//! Reading order: `name` (what may be asked for), `settings` (where the hub and its cache are), this file (the way of one model),
//! `files` (which files make a checkpoint), `remote` (what the hub says about one), `download` and `part` (its bytes), `checksum`,
//! `cache` (where they lie), `client` (one request), `failure` (everything that can go wrong).
//!
//! The crate `hf-hub` gives the addresses and the layout of the cache. Its synchronous client (0.5) is not used for the bytes, because
//! it sends the token on to whatever host a large file is redirected to, appends the whole file where a server ignores the range that a
//! resumed download asks for, gives blobs their name without comparing size or checksum, and turns every refusal into a bare status.
//! The requests here go through `ureq`, which it brings.

mod cache;
mod checksum;
mod client;
mod download;
mod failure;
mod files;
mod name;
mod part;
mod remote;
mod settings;

use std::path::PathBuf;

use cache::{Known, Shelf};
use client::Client;
use download::{Wanted, download};
use files::{Gap, gather};
use remote::{Asked, Remote};

pub use cache::expect_named_bytes;
pub use failure::Failure;
pub use name::RepoName;
pub use settings::{Hub, Reach, Token};

/// A model's files on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The folder that holds them, under the names they have on the hub.
    pub folder: PathBuf,
    /// The commit that they are from.
    pub commit: String,
    /// What to tell: from where they came, and why not from the hub.
    pub notes: Vec<String>,
}

/// Brings a model's files onto this machine: `config.json`, `preprocessor_config.json`, and the weights as `model.safetensors`, as
/// shards with their index, or as `pytorch_model.bin`.
///
/// What is in the cache is not fetched again: for a commit no request is made at all, for a branch one asks whether it moved. All
/// files are of one commit. A file gets its name in the cache only after its size and checksum (SHA-256 of large files, git's SHA-1
/// of small ones) were found to be the hub's; a download that was cut goes on where it ended, in the same run and in the next.
/// Where the hub is silent, the cache answers, and [`Snapshot::notes`] says so.
///
/// ```
/// use workbench::hub::{Hub, Reach, fetch};
/// let hub = Hub { endpoint: "https://huggingface.co".into(), cache: "no/such/folder".into(), token: None, reach: Reach::Offline };
/// let failure = fetch(&hub, &"facebook/dinov2-small".parse()?).unwrap_err();
/// assert_eq!(failure.code(), "hub-not-cached");
/// # Ok::<(), workbench::hub::Failure>(())
/// ```
///
/// # Errors
/// A [`Failure`] with a stable code, which says what, where, and the remedy.
pub fn fetch(hub: &Hub, name: &RepoName) -> Result<Snapshot, Failure> {
    let shelf = Shelf::new(&hub.cache, name);
    if hub.reach == Reach::Offline {
        let cached = from_cache(&shelf)?;
        return cached.ok_or_else(|| Failure::NotCached { repo: name.id().into(), cache: hub.cache.display().to_string() });
    }
    match Errand::new(hub, name, &shelf)?.run() {
        Err(failure) if failure.is_silence() => {
            let mut cached = from_cache(&shelf)?.ok_or_else(|| failure.clone())?;
            cached.notes.push(format!("the hub was not asked whether there is anything newer: {failure}"));
            Ok(cached)
        }
        done => done,
    }
}

/// What the cache alone has; `None` where something is missing.
fn from_cache(shelf: &Shelf) -> Result<Option<Snapshot>, Failure> {
    let Some(commit) = shelf.commit() else { return Ok(None) };
    let mut notes = vec![format!("commit {commit}, from the cache")];
    let gathered = gather(|file| {
        let known = shelf.known(&commit, file);
        if known == Known::Nothing && files::BESIDE.contains(&file) {
            notes.push(format!("the cache does not say whether there is a {file}"));
        }
        Ok::<_, Failure>(if let Known::Here(path) = known { Some(path) } else { None })
    });
    Ok(gathered.is_ok().then(|| Snapshot { folder: shelf.snapshot(&commit), commit, notes }))
}

/// One model's way from the hub into the cache.
struct Errand<'a> {
    name: &'a RepoName,
    shelf: &'a Shelf,
    client: Client,
    endpoint: &'a str,
    /// Known from the first answer on; then every file is asked for at this commit.
    commit: Option<String>,
    fetched: usize,
    bytes: u64,
}

impl<'a> Errand<'a> {
    fn new(hub: &'a Hub, name: &'a RepoName, shelf: &'a Shelf) -> Result<Self, Failure> {
        let commit = shelf.commit().filter(|commit| commit == name.revision());
        Ok(Self { name, shelf, client: Client::new(hub)?, endpoint: &hub.endpoint, commit, fetched: 0, bytes: 0 })
    }

    fn run(mut self) -> Result<Snapshot, Failure> {
        let repo = self.name.id().to_owned();
        let gathered = gather(|file| self.obtain(file));
        gathered.map_err(|gap| match gap {
            Gap::Source(failure) => failure,
            Gap::NoWeights if self.commit.is_none() => Failure::NoRepository { repo, host: self.client.host(), status: 404 },
            Gap::NoWeights => Failure::NoWeights { repo },
            Gap::Index(problem) => Failure::Index { repo, problem },
        })?;
        let commit = self.commit.ok_or_else(|| Failure::NoWeights { repo: self.name.id().into() })?;
        self.shelf.remember(&commit)?;
        let from = match self.fetched {
            0 => "from the cache".into(),
            1 => format!("1 file fetched from {}, {} bytes", self.client.host(), self.bytes),
            files => format!("{files} files fetched from {}, {} bytes", self.client.host(), self.bytes),
        };
        Ok(Snapshot { folder: self.shelf.snapshot(&commit), notes: vec![format!("commit {commit}, {from}")], commit })
    }

    /// A file's path, from the cache or from the hub; `None` where the repository has none.
    fn obtain(&mut self, file: &str) -> Result<Option<PathBuf>, Failure> {
        if let Some(known) = self.known(file) {
            return Ok(known);
        }
        let asked = self.commit.clone().unwrap_or_else(|| self.name.revision().to_owned());
        let address = remote::address(self.endpoint, self.name, &asked, file);
        match remote::ask(&self.client, self.name, &address, file)? {
            Asked::Missing { commit } => {
                self.commit = self.commit.take().or(commit);
                if let Some(commit) = &self.commit {
                    self.shelf.mark_absent(commit, file);
                }
                Ok(None)
            }
            Asked::File(remote) => {
                self.expect_commit(&remote, file)?;
                // Only now is the commit known, and with it what of it lies in the cache.
                match self.known(file) {
                    Some(known @ Some(_)) => Ok(known),
                    _ => self.take(file, &remote).map(Some),
                }
            }
        }
    }

    /// What the cache knows: nothing, that there is no such file, or where it is.
    fn known(&self, file: &str) -> Option<Option<PathBuf>> {
        match self.shelf.known(self.commit.as_deref()?, file) {
            Known::Here(path) => Some(Some(path)),
            Known::Absent => Some(None),
            Known::Nothing => None,
        }
    }

    fn expect_commit(&mut self, remote: &Remote, file: &str) -> Result<(), Failure> {
        let commit = self.commit.get_or_insert_with(|| remote.commit.clone());
        if *commit == remote.commit {
            return Ok(());
        }
        let problem = format!("asked for commit {commit}, the answer is of {}", remote.commit);
        Err(Failure::Unverifiable { file: file.into(), host: self.client.host(), problem })
    }

    /// Fetches a file unless its contents are there under another commit.
    fn take(&mut self, file: &str, remote: &Remote) -> Result<PathBuf, Failure> {
        let (bytes, limit) = (self.bytes.saturating_add(remote.size), files::limit(file));
        if remote.size > limit || bytes > files::LARGEST {
            return Err(Failure::TooLarge { file: file.into(), bytes: remote.size.max(bytes), limit });
        }
        let _held = self.shelf.lock(&remote.checksum)?;
        let blob = self.shelf.blob(&remote.checksum);
        if !part::is_whole(&blob, remote) {
            let address = remote::address(self.endpoint, self.name, &remote.commit, file);
            download(&self.client, &Wanted { name: self.name, file, address: &address, remote }, &blob)?;
            (self.fetched, self.bytes) = (self.fetched + 1, bytes);
        }
        self.shelf.link(&remote.commit, file, &remote.checksum)
    }
}
