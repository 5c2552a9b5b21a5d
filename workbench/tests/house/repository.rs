//! The repository's files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file; the path is relative to the repository and written with `/`.
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    /// The path's last part, without and with its ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }

    /// True where the path ends in one of `endings`, given without their dot.
    pub fn ends_in(&self, endings: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }
}

/// The repository's folder.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("workbench stands in the repository");
    root.to_path_buf()
}

/// Every text file of the repository: those that git knows or would take, or all but build products where there is no git.
pub fn files() -> Vec<File> {
    let root = root();
    let paths = from_git(&root).unwrap_or_else(|| walk(&root));
    let read = |path: String| Some(File { text: String::from_utf8(fs::read(root.join(&path)).ok()?).ok()?, path });
    let files: Vec<File> = paths.into_iter().filter_map(read).collect();
    assert!(files.len() > 100, "only {} files were found in {}: the walk is broken", files.len(), root.display());
    files
}

fn from_git(root: &Path) -> Option<Vec<String>> {
    if !root.join(".git").exists() {
        return None;
    }
    let git = Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root).output().ok()?;
    let listed = String::from_utf8(git.stdout).ok().filter(|_| git.status.success())?;
    Some(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn walk(root: &Path) -> Vec<String> {
    const PRODUCTS: [&str; 6] = [".git", ".tools", "target", "out", "node_modules", "__pycache__"];
    let (mut folders, mut paths) = (vec![root.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let product = PRODUCTS.iter().any(|product| entry.file_name() == *product);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !product => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => paths.extend(entry.path().strip_prefix(root).ok().map(with_slashes)),
                _ => {}
            }
        }
    }
    paths
}

fn with_slashes(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[test]
fn the_walk_finds_what_git_finds() {
    let root = root();
    let Some(known) = from_git(&root) else { return println!("skipped: no git here") };
    let walked = walk(&root);
    let missed: Vec<_> = known.iter().filter(|path| root.join(path).is_file() && !walked.contains(path)).cloned().collect();
    crate::assert_none("files that the walk misses", &missed);
}
