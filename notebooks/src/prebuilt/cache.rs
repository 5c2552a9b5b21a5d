//! The folder of builds: one process builds at a time, old builds go unless somebody uses them.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use super::progress::Progress;
use crate::error::{Error, Result};

/// Builds that are kept besides those in use.
const KEPT: usize = 2;
const IN_USE: &str = "in_use";
/// What a build is called until it is whole.
pub const UNFINISHED: &str = "unfinished-";

/// Builds that this process uses; the system lets go of them when it ends, however it ends.
static HELD: Mutex<Vec<(PathBuf, File)>> = Mutex::new(Vec::new());

/// Waits until no other process builds here.
pub fn lock(cache: &Path, tell: &mut dyn FnMut(Progress)) -> Result<File> {
    let path = cache.join("lock");
    let failed = || Error::file("cannot lock", &path);
    let file = File::create(&path).map_err(failed())?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(failed()(error)),
            Err(TryLockError::WouldBlock) => {
                tell(Progress::Waiting);
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }
}

/// Keeps a build from being swept while this process lives.
pub fn hold(folder: &Path) -> Result<()> {
    let mut held = HELD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if held.iter().any(|(other, _)| other == folder) {
        return Ok(());
    }
    let path = folder.join(IN_USE);
    let file = File::create(&path).map_err(Error::file("cannot use the build", &path))?;
    file.lock_shared().map_err(Error::file("cannot use the build", &path))?;
    // The time of the last use decides what is swept.
    let _ = file.set_modified(SystemTime::now());
    held.push((folder.to_owned(), file));
    Ok(())
}

/// Removes unfinished builds and all but the newest; only under the lock. What cannot be removed is left for the next time.
pub fn sweep(cache: &Path, newest: &str) {
    let mut builds = Vec::new();
    for entry in std::fs::read_dir(cache).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _ = std::fs::remove_dir_all(path);
        } else if entry.file_name() != *newest && path.join(IN_USE).is_file() {
            let used = std::fs::metadata(path.join(IN_USE)).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            builds.push((used, path));
        }
    }
    builds.sort();
    let swept = builds.len().saturating_sub(KEPT - 1);
    for (_, path) in builds.into_iter().take(swept) {
        let unused = File::open(path.join(IN_USE)).is_ok_and(|file| file.try_lock().is_ok());
        if unused {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
