//! `owner/name[@revision]`, checked before any address or path is made of it.

use std::fmt;
use std::str::FromStr;

use super::Failure;

/// The branch that is meant when none is named.
const MAIN: &str = "main";

/// Longest owner or name that the hub gives out, in characters.
const LONGEST_PART: usize = 96;

/// Longest revision that git would take as a file name.
const LONGEST_REVISION: usize = 255;

/// A model repository at a revision.
///
/// Owner and name hold letters, digits, `-`, `_` and `.` only, as the hub itself demands; a revision (branch, tag, `refs/pr/7`
/// or commit) may hold `/` as well. Nothing of it can leave the folder or the address that is made of it.
///
/// ```
/// use workbench::hub::RepoName;
/// let name: RepoName = "google/vit-base-patch16-224@main".parse()?;
/// assert_eq!((name.id(), name.revision()), ("google/vit-base-patch16-224", "main"));
/// assert_eq!(name.to_string(), "hf:google/vit-base-patch16-224");
/// assert_eq!("../etc/passwd".parse::<RepoName>().unwrap_err().code(), "hub-name");
/// # Ok::<(), workbench::hub::Failure>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepoName {
    id: String,
    revision: String,
}

impl RepoName {
    /// `owner/name`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Branch, tag or commit.
    pub fn revision(&self) -> &str {
        &self.revision
    }
}

impl FromStr for RepoName {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let refuse = |problem: &'static str| Failure::Name { given: text.escape_debug().to_string(), problem };
        let (id, revision) = text.split_once('@').unwrap_or((text, MAIN));
        let parts: Vec<&str> = id.split('/').collect();
        let [owner, name] = parts[..] else { return Err(refuse("it needs an owner and a name with one `/` between them")) };
        if ![owner, name].into_iter().all(is_part) || name.ends_with(".git") {
            return Err(refuse(
                "owner and name hold 1 to 96 letters, digits, `-`, `_` and `.`, begin and end with none of `-.`, and hold no `--` or `..`",
            ));
        }
        if revision.len() > LONGEST_REVISION || !revision.split('/').all(is_step) {
            return Err(refuse("a revision is a branch, a tag or a commit of letters, digits, `-`, `_`, `.` and `/`"));
        }
        Ok(Self { id: id.to_owned(), revision: revision.to_owned() })
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hf:{}", self.id)?;
        if self.revision == MAIN { Ok(()) } else { write!(f, "@{}", self.revision) }
    }
}

/// Whether `text` is a commit: 40 hexadecimal digits.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether `text` can be a file at the top of a repository.
pub(super) fn is_file_name(text: &str) -> bool {
    text.len() <= LONGEST_REVISION && is_step(text)
}

fn is_part(text: &str) -> bool {
    let edge = |c: char| c == '-' || c == '.';
    text.len() <= LONGEST_PART && is_step(text) && !text.starts_with(edge) && !text.ends_with(edge) && !text.contains("--")
}

fn is_step(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(plain) && !text.starts_with(['.', '-']) && !text.ends_with('.') && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_place_are_refused() {
        let beyond = ["", "/", "vit", "a/b/c", "../b", "a/..", "a/.", "a\\b/c", "a/b@..", "a/b@x/../y", "a/b@/x", "a/b@x/"];
        let odd = ["a/b.git", "a--b/c", "-a/b", "a/b-", ".a/b", "a/b.", "a b/c", "a/b?x=1", "a/b#c", "a/b%2e", "a/b\n", "ä/b"];
        let revisions = ["a/b@", "a/b@-x", "a/b@x y", "a/b@x@y", "a@b/c", "a/b@x\0"];
        let wrong = beyond.iter().chain(&odd).chain(&revisions);
        for text in wrong {
            assert_eq!(text.parse::<RepoName>().map_err(|failure| failure.code()), Err("hub-name"), "{text:?}");
        }
        assert!(format!("a/{}", "b".repeat(97)).parse::<RepoName>().is_err());
        for text in
            ["a/b", "facebook/dinov2-small", "a_b/C.d-1", "a/b@v1.0", "a/b@refs/pr/7", "a/b@0123456789abcdef0123456789abcdef01234567"]
        {
            assert!(text.parse::<RepoName>().is_ok(), "{text}");
        }
    }
}
