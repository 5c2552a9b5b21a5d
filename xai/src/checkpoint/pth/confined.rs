//! The child's side: this process gives up what it does not need, then reads.

use std::io::{BufWriter, Read, Write};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::super::refusal::{Reason, Refusal};
use crate::fingerprint::sha256;

/// Address space beyond what the file itself takes: the program, its stack and the directory of tensors.
#[cfg(target_os = "linux")]
const SPACE: u64 = 512 << 20;
/// One CPU second reads some 300 MB.
#[cfg(target_os = "linux")]
const SLOWEST_BYTES_A_SECOND: u64 = 20 << 20;

/// The child's last words, one line of JSON on its standard error.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Verdict {
    /// Everything was written; the hash is of the bytes that were read.
    Converted { sha256: String, notes: Vec<String> },
    /// Nothing was written.
    Refused { code: String, problem: String },
}

/// Reads a PyTorch checkpoint of `bytes` bytes from standard input and writes safetensors to standard output.
///
/// A program that [`ChildProgram`](crate::ChildProgram) names calls this before it does anything else. On Linux the process
/// first gives up opening files, writing files, starting processes and taking more memory and time than the file can need.
pub fn read_pickle_confined(bytes: u64, key: Option<&str>) -> ExitCode {
    let verdict = match confine(bytes).and_then(|()| read(bytes, key)) {
        Ok(converted) => converted,
        Err(refusal) => Verdict::Refused { code: refusal.reason.code().into(), problem: refusal.problem },
    };
    let text = serde_json::to_string(&verdict).unwrap_or_default();
    let told = writeln!(std::io::stderr(), "{text}").is_ok();
    if told && matches!(verdict, Verdict::Converted { .. }) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn read(bytes: u64, key: Option<&str>) -> Result<Verdict, Refusal> {
    let refuse = |problem: String| Refusal::new(Reason::Unreadable, problem);
    let mut held = Vec::new();
    let size = usize::try_from(bytes).map_err(|_| refuse("it is larger than any memory".into()))?;
    held.try_reserve_exact(size).map_err(|_| refuse(format!("there is no memory for its {bytes} bytes")))?;
    let mut input = std::io::stdin().lock();
    input.by_ref().take(bytes).read_to_end(&mut held).map_err(|error| refuse(format!("it cannot be read ({error})")))?;
    if held.len() != size {
        return Err(refuse(format!("it changed while it was read: {} of {bytes} bytes came", held.len())));
    }
    let sha256 = sha256(&held);
    let mut output = BufWriter::new(std::io::stdout().lock());
    let notes = super::convert(&held, key, &mut output)?;
    Ok(Verdict::Converted { sha256, notes })
}

#[cfg(target_os = "linux")]
fn confine(bytes: u64) -> Result<(), Refusal> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits = [
        // The three streams are open; nothing else can be opened, nothing written to a disk and no program started.
        (Resource::Nofile, 3),
        (Resource::Fsize, 0),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
        // The file, and one tensor that does not lie in order.
        (Resource::As, bytes.saturating_mul(2).saturating_add(SPACE)),
        (Resource::Cpu, 10 + bytes / SLOWEST_BYTES_A_SECOND),
    ];
    for (resource, limit) in limits {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        let refuse = |error| Refusal::new(Reason::ReaderDied, format!("the reading process cannot limit itself ({error})"));
        setrlimit(resource, limit).map_err(refuse)?;
    }
    Ok(())
}

/// Other systems have the parent's time limit only.
#[cfg(not(target_os = "linux"))]
fn confine(_: u64) -> Result<(), Refusal> {
    Ok(())
}
