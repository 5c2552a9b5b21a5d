//! The parent's side: starts the program that reads a pickle, waits for as long as it may take, and judges its answer.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::super::refusal::{Reason, Refusal};
use super::confined::Verdict;

/// A program that reads a PyTorch checkpoint for this one, in a process of its own.
///
/// It is called with `arguments`, then `--bytes N` and, where one is chosen, `--key KEY`, and must hand both to
/// [`read_pickle_confined`](crate::read_pickle_confined). The file is its standard input; it needs no name and no other file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildProgram {
    /// The program, as a rule the running one.
    pub program: PathBuf,
    /// What makes it read.
    pub arguments: Vec<OsString>,
    /// How long it may take before it is ended; `None` allows 30 seconds and one more for every 20 MB.
    pub time_limit: Option<Duration>,
}

/// What a child made of a checkpoint.
pub(crate) struct Answer {
    pub safetensors: Vec<u8>,
    pub sha256: String,
    pub notes: Vec<String>,
}

/// A verdict is a line or two.
const LONGEST_VERDICT: u64 = 64 << 10;
/// Names and shapes of all tensors.
const LARGEST_HEADER: u64 = 4 << 20;

impl ChildProgram {
    /// Lets the program read `file`, which has `size` bytes.
    pub(crate) fn read(&self, file: File, size: u64, key: Option<&str>) -> Result<Answer, Refusal> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg("--bytes").arg(size.to_string());
        if let Some(key) = key {
            command.arg("--key").arg(key);
        }
        // Nothing of the surroundings is needed, and nothing of them should be there to be found.
        #[cfg(target_os = "linux")]
        command.env_clear();
        let command = command.stdin(file).stdout(Stdio::piped()).stderr(Stdio::piped());
        let died = |problem: String| Refusal::new(Reason::ReaderDied, problem);
        let child = command.spawn();
        let child = child.map_err(|error| died(format!("the reading process {} does not start ({error})", self.program.display())))?;
        let patience = Duration::from_secs(30 + size / (20 << 20));
        let (status, output, words) = finish(child, self.time_limit.unwrap_or(patience), size.saturating_mul(2) + LARGEST_HEADER)?;
        match serde_json::from_slice(&words) {
            Ok(Verdict::Converted { sha256, notes }) if status.success() => Ok(Answer { safetensors: output, sha256, notes }),
            Ok(Verdict::Refused { code, problem }) => Err(Refusal::new(Reason::by_code(&code).unwrap_or(Reason::ReaderDied), problem)),
            _ => Err(died(format!("the reading process ended without an answer ({status}), as where memory or time run out"))),
        }
    }
}

/// Waits for the child's end and both its outputs; a child that takes too long is ended.
fn finish(mut child: Child, patience: Duration, most: u64) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), Refusal> {
    let output = std::thread::spawn(drain(child.stdout.take(), most));
    let words = std::thread::spawn(drain(child.stderr.take(), LONGEST_VERDICT));
    let started = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if started.elapsed() < patience => std::thread::sleep(Duration::from_millis(2)),
            waited => {
                let _ = child.kill();
                let _ = child.wait();
                break Err(match waited {
                    Err(error) => Refusal::new(Reason::ReaderDied, format!("the reading process is out of reach ({error})")),
                    Ok(_) => Refusal::new(Reason::TimeLimit, format!("reading took longer than {} s and was ended", patience.as_secs())),
                });
            }
        }
    };
    let (output, words) = (output.join().unwrap_or_default(), words.join().unwrap_or_default());
    Ok((status?, output, words))
}

/// Reads a pipe to its end, but no more than `most` bytes; then the pipe is closed and the writer fails.
fn drain(pipe: Option<impl Read>, most: u64) -> impl FnOnce() -> Vec<u8> {
    move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // An error ends the bytes early, which the verdict or the header's check then finds.
            let _ = pipe.take(most).read_to_end(&mut bytes);
        }
        bytes
    }
}
