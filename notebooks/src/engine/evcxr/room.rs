//! The folder in which one kernel's cells are built: two kernels in one folder break each other.

use std::fs::{DirEntry, File};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const ROOM: &str = "pellucid-evcxr-";
const IN_USE: &str = "in_use";

/// A room of this process, removed when it is dropped; a room whose process was killed is removed by the next that enters one.
#[derive(Debug)]
pub struct Room {
    folder: PathBuf,
    _in_use: File,
}

impl Room {
    /// Makes a room and says to evcxr where it is.
    ///
    /// # Errors
    /// When the folder for temporary files cannot be written. A room is never below a checkout, whose workspace cargo would look for.
    ///
    /// # Safety
    /// No other thread of this process may run yet: evcxr reads its settings from the environment, which is written here.
    pub unsafe fn enter() -> Result<Self> {
        let rooms = std::env::temp_dir();
        sweep(&rooms);
        let folder = rooms.join(format!("{ROOM}{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        for part in ["build", "settings"] {
            std::fs::create_dir_all(folder.join(part)).map_err(Error::file("cannot make", folder.join(part)))?;
        }
        let path = folder.join(IN_USE);
        let in_use = File::create(&path).map_err(Error::file("cannot make", &path))?;
        in_use.lock_shared().map_err(Error::file("cannot lock", &path))?;
        // SAFETY: the caller's promise.
        unsafe {
            std::env::set_var("EVCXR_TMPDIR", folder.join("build"));
            std::env::set_var("EVCXR_CONFIG_DIR", folder.join("settings"));
        }
        Ok(Self { folder, _in_use: in_use })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Removes rooms that nobody is in.
fn sweep(rooms: &Path) {
    let is_room = |entry: &DirEntry| entry.file_name().to_string_lossy().starts_with(ROOM);
    for room in std::fs::read_dir(rooms).into_iter().flatten().flatten().filter(is_room) {
        let empty = File::open(room.path().join(IN_USE)).is_ok_and(|file| file.try_lock().is_ok());
        if empty {
            let _ = std::fs::remove_dir_all(room.path());
        }
    }
}
