//! What the hub says about a file before any of its bytes are taken.

use ureq::Body;
use ureq::http::{HeaderMap, Response};

use super::checksum::Checksum;
use super::client::{Ask, Client, Hop, MOST_HOPS};
use super::name::is_commit;
use super::{Failure, RepoName};

/// A file of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remote {
    /// The commit that the asked revision stands for.
    pub commit: String,
    pub checksum: Checksum,
    /// Bytes.
    pub size: u64,
}

/// The hub's answer about a file.
pub(super) enum Asked {
    File(Remote),
    /// The repository is there and the file is not; the commit where the answer names it.
    Missing {
        commit: Option<String>,
    },
}

/// The address of a file at a branch, tag or commit.
pub(super) fn address(endpoint: &str, name: &RepoName, revision: &str, file: &str) -> String {
    let repo = hf_hub::Repo::with_revision(name.id().to_owned(), hf_hub::RepoType::Model, revision.to_owned());
    format!("{endpoint}/{}/resolve/{}/{file}", repo.url(), repo.url_revision())
}

/// Asks for a file's commit, size and checksum.
///
/// The hub gives them with its own answer (`X-Repo-Commit`, `X-Linked-Size`, `X-Linked-Etag`) before it sends large files' readers on
/// to a store, whose tags mean something else; small files carry `Content-Length` and `ETag`.
pub(super) fn ask(client: &Client, name: &RepoName, address: &str, file: &str) -> Result<Asked, Failure> {
    let (mut facts, mut at) = (Facts::default(), address.to_owned());
    for _ in 0..MOST_HOPS {
        match client.hop(Ask::Facts, &at)? {
            Hop::Onward { headers, to } => {
                facts.take_linked(&headers);
                if facts.are_whole() {
                    return facts.remote(client, file).map(Asked::File);
                }
                at = to;
            }
            Hop::Answer(response) if response.status().is_success() => {
                facts.take_linked(response.headers());
                facts.take_own(response.headers());
                return facts.remote(client, file).map(Asked::File);
            }
            Hop::Answer(response) => {
                facts.take_linked(response.headers());
                return match refusal(client, name, &response) {
                    None => Ok(Asked::Missing { commit: facts.commit }),
                    Some(failure) => Err(failure),
                };
            }
        }
    }
    Err(client.too_far())
}

/// What a status that is no success means; `None` where just the file is missing.
pub(super) fn refusal(client: &Client, name: &RepoName, response: &Response<Body>) -> Option<Failure> {
    let (host, status) = (client.host(), response.status().as_u16());
    let repo = || name.id().to_owned();
    Some(match (status, text(response.headers(), "x-error-code")) {
        (404, None | Some("EntryNotFound")) => return None,
        (_, Some("RevisionNotFound")) => Failure::NoRevision { repo: name.to_string(), host },
        (401 | 403, Some("GatedRepo")) => Failure::Gated { page: format!("{host}/{}", name.id()), repo: repo(), status },
        (401 | 403 | 404, _) => Failure::NoRepository { repo: repo(), host, status },
        (408 | 429 | 500.., _) => Failure::Busy { host, status },
        _ => Failure::Unverifiable { file: repo(), host, problem: format!("the answer's status is {status}") },
    })
}

/// Headers as they come in, hop by hop; the first of a kind counts.
#[derive(Default)]
struct Facts {
    commit: Option<String>,
    tag: Option<String>,
    size: Option<u64>,
}

impl Facts {
    /// What only the hub itself says.
    fn take_linked(&mut self, headers: &HeaderMap) {
        let own = |name: &str| text(headers, name).map(str::to_owned);
        self.commit = self.commit.take().or_else(|| own("x-repo-commit").filter(|commit| is_commit(commit)));
        self.tag = self.tag.take().or_else(|| own("x-linked-etag"));
        self.size = self.size.or_else(|| own("x-linked-size")?.parse().ok());
    }

    /// What every server says about what it serves.
    fn take_own(&mut self, headers: &HeaderMap) {
        self.tag = self.tag.take().or_else(|| text(headers, "etag").map(str::to_owned));
        self.size = self.size.or_else(|| text(headers, "content-length")?.parse().ok());
    }

    fn are_whole(&self) -> bool {
        self.commit.is_some() && self.tag.is_some() && self.size.is_some()
    }

    fn remote(self, client: &Client, file: &str) -> Result<Remote, Failure> {
        let lacks = |problem: &str| Failure::Unverifiable { file: file.into(), host: client.host(), problem: problem.into() };
        let tag = self.tag.ok_or_else(|| lacks("the answer has no checksum (ETag)"))?;
        Ok(Remote {
            commit: self.commit.ok_or_else(|| lacks("the answer names no commit (X-Repo-Commit)"))?,
            checksum: Checksum::parse(&tag).ok_or_else(|| lacks("its ETag is neither a SHA-256 nor a git SHA-1"))?,
            size: self.size.ok_or_else(|| lacks("the answer does not say how large it is"))?,
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
