//! The bytes of a file that is not yet whole, beside where it will stand, with their checksum so far.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use super::checksum::{Checksum, Sum};
use super::download::Wanted;
use super::remote::Remote;

/// `CHECKSUM.incomplete` in the cache.
pub(super) struct Part {
    path: PathBuf,
    handle: File,
    length: u64,
    sum: Sum,
    file: String,
    size: u64,
    checksum: Checksum,
}

impl Part {
    /// Takes up what an earlier try left, if it is not too long.
    pub fn open(wanted: &Wanted, blob: &Path) -> Result<Self, Failure> {
        let path = blob.with_extension("incomplete");
        let opened = fs::create_dir_all(blob.parent().unwrap_or(Path::new(".")))
            .and_then(|()| File::options().read(true).append(true).create(true).open(&path));
        let handle = opened.map_err(|error| Failure::disk(&path, &error))?;
        let (size, checksum) = (wanted.remote.size, wanted.remote.checksum.clone());
        let mut part = Self { sum: checksum.begin(size), path, handle, length: 0, file: wanted.file.into(), size, checksum };
        part.take_up().map_err(|error| Failure::disk(&part.path, &error))?;
        if part.length > size {
            part.restart()?;
        }
        Ok(part)
    }

    fn take_up(&mut self) -> io::Result<()> {
        let there = self.handle.metadata()?.len();
        self.length = read_all(&mut self.handle, there, |bytes| self.sum.add(bytes))?;
        Ok(())
    }

    /// Bytes that are there.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Throws away what is there.
    pub fn restart(&mut self) -> Result<(), Failure> {
        if self.length > 0 {
            self.handle.set_len(0).map_err(|error| Failure::disk(&self.path, &error))?;
        }
        (self.length, self.sum) = (0, self.checksum.begin(self.size));
        Ok(())
    }

    pub fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.handle.write_all(bytes).map_err(|error| Failure::disk(&self.path, &error))?;
        self.sum.add(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Whether these are the bytes that the hub has.
    pub fn check(&self) -> Result<(), Failure> {
        let found = self.sum.clone().finish();
        if found == self.checksum {
            return Ok(());
        }
        Err(Failure::Damaged { file: self.file.clone(), found: found.to_string(), wanted: self.checksum.to_string() })
    }

    /// Makes the bytes durable and gives them their name.
    pub fn publish(self, blob: &Path) -> Result<(), Failure> {
        let published = self.handle.sync_all().and_then(|()| fs::rename(&self.path, blob));
        published.map_err(|error| Failure::disk(blob, &error))
    }

    /// Removes what can never become the file; what was merely cut stays.
    pub fn discard_if_wrong(self, failure: Failure) -> Failure {
        if matches!(failure, Failure::Damaged { .. } | Failure::WrongSize { .. }) {
            let _ = fs::remove_file(&self.path);
        }
        failure
    }
}

/// Whether contents are already there and are the right ones.
pub(super) fn is_whole(blob: &Path, remote: &Remote) -> bool {
    let summed = || {
        let mut sum = remote.checksum.begin(remote.size);
        let mut file = File::open(blob).ok().filter(|file| file.metadata().is_ok_and(|facts| facts.len() == remote.size))?;
        read_all(&mut file, remote.size, |bytes| sum.add(bytes)).ok()?;
        Some(sum.finish())
    };
    summed().is_some_and(|found| found == remote.checksum)
}

/// Gives `take` the first `most` bytes, piece by piece, and returns how many there were.
fn read_all(file: &mut File, most: u64, mut take: impl FnMut(&[u8])) -> io::Result<u64> {
    let (mut buffer, mut bytes) = (vec![0; 128 << 10], 0);
    while bytes < most {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        take(&buffer[..read]);
        bytes += read as u64;
    }
    Ok(bytes)
}
