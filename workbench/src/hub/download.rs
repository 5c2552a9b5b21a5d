//! One file's bytes: fetched, resumed where they were cut, checked, and only then given their name.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::Body;
use ureq::http::{Response, StatusCode};

use super::client::Client;
use super::part::Part;
use super::remote::{Remote, refusal};
use super::{Failure, RepoName};
use crate::progress::{self, Bar};

/// Cuts that are mended within one run; the next run goes on from there.
const MOST_TRIES: u32 = 5;

/// Before another try, times the number of tries so far.
const PAUSE: Duration = Duration::from_millis(300);

/// What is fetched.
pub(super) struct Wanted<'a> {
    pub name: &'a RepoName,
    pub file: &'a str,
    pub address: &'a str,
    pub remote: &'a Remote,
}

/// Fetches a file into `blob`; what is already there of an earlier try is gone on from.
pub(super) fn download(client: &Client, wanted: &Wanted, blob: &Path) -> Result<(), Failure> {
    let mut part = Part::open(wanted, blob)?;
    let bar = progress::transfer(wanted.file, wanted.remote.size);
    let mut inherited = part.length() > 0;
    let fetched = loop {
        if let Err(failure) = complete(client, wanted, &mut part, &bar) {
            break Err(failure);
        }
        match part.check() {
            // What an earlier program left may be wrong: begin anew, once.
            Err(_) if inherited => inherited = false,
            checked => break checked,
        }
        part.restart()?;
    };
    drop(bar);
    match fetched {
        Ok(()) => part.publish(blob),
        Err(failure) => Err(part.discard_if_wrong(failure)),
    }
}

/// Tries until every byte is there.
fn complete(client: &Client, wanted: &Wanted, part: &mut Part, bar: &Bar) -> Result<(), Failure> {
    for tries in 1.. {
        if part.length() == wanted.remote.size {
            break;
        }
        let problem = match fill(client, wanted, part, bar) {
            Ok(()) => break,
            Err(Stop::For(failure)) => return Err(failure),
            Err(Stop::Cut(problem)) => problem,
        };
        if tries == MOST_TRIES {
            return Err(Failure::Cut { file: wanted.file.into(), bytes: part.length(), size: wanted.remote.size, problem });
        }
        std::thread::sleep(PAUSE * tries);
    }
    Ok(())
}

/// How a try ends early.
enum Stop {
    /// The connection ended: what came is kept.
    Cut(String),
    /// Trying again is of no use.
    For(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::For(failure)
    }
}

/// One request for what is missing.
fn fill(client: &Client, wanted: &Wanted, part: &mut Part, bar: &Bar) -> Result<(), Stop> {
    let response = match client.contents(wanted.address, part.length()) {
        // The hub answered before: this is a line that fell, not a hub that is not there.
        Err(silence) if silence.is_silence() => return Err(Stop::Cut(silence.to_string())),
        answered => answered?,
    };
    let size = wanted.remote.size;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => expect_rest(wanted, &response, part.length())?,
        StatusCode::OK => {
            // The whole file, asked for or not.
            part.restart()?;
            expect_size(wanted, response.body().content_length().unwrap_or(size))?;
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            part.restart()?;
            return Err(Stop::Cut("the server does not go on from there".into()));
        }
        _ => {
            let gone = || Failure::NoRevision { repo: wanted.name.to_string(), host: client.host() };
            return Err(Stop::For(refusal(client, wanted.name, &response).unwrap_or_else(gone)));
        }
    }
    bar.set_position(part.length());
    bar.forget_speed();
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 128 << 10];
    while part.length() <= size {
        match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => part.append(&buffer[..read])?,
            Err(error) => return Err(Stop::Cut(error.to_string())),
        }
        bar.set_position(part.length());
    }
    Ok(expect_size(wanted, part.length())?)
}

/// `bytes FROM-TO/SIZE`: exactly what was asked for, of a file of that size.
fn expect_rest(wanted: &Wanted, response: &Response<Body>, from: u64) -> Result<(), Stop> {
    let range = response.headers().get("content-range").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (bounds, size) = range.strip_prefix("bytes ").and_then(|range| range.split_once('/')).unwrap_or_default();
    let begin = bounds.split_once('-').and_then(|(begin, _)| begin.parse().ok());
    if begin != Some(from) {
        return Err(Stop::Cut(format!("the server sent another part than byte {from} and what follows")));
    }
    size.parse().map_or(Ok(()), |size| Ok(expect_size(wanted, size)?))
}

fn expect_size(wanted: &Wanted, bytes: u64) -> Result<(), Failure> {
    let size = wanted.remote.size;
    if bytes == size { Ok(()) } else { Err(Failure::WrongSize { file: wanted.file.into(), bytes, size }) }
}
