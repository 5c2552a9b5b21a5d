//! One cell in the process: its output while it runs, and how it ended.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::interrupts::{Interrupts, PATIENCE};
use super::process::{Message, Process};
use super::stream::{Limited, Stream};
use crate::engine::Event;

const LOOK: Duration = Duration::from_millis(100);
/// How long output is awaited that a dead process may have left in its pipes.
const REST: Duration = Duration::from_millis(300);

/// How a cell's run ended.
#[derive(Debug)]
pub enum Ran {
    /// It came back, and says how it ended.
    Back(Value),
    /// The process ended under it.
    Died(Option<ExitStatus>),
}

/// A library to run.
pub struct Job<'a> {
    pub library: &'a str,
    pub symbol: &'a str,
}

/// Runs a cell and hands out its output.
pub fn run(process: &mut Process, job: &Job, interrupts: &Interrupts, output: &mut dyn FnMut(Event)) -> Ran {
    let marker = format!("\u{1e}PELLUCID-END {:016x}{:016x}", random(), random());
    let command = json!({ "library": job.library, "symbol": job.symbol, "marker": marker });
    let mut streams = Streams { stdout: Stream::new(&marker), stderr: Stream::new(&marker), output: Limited::new(output) };
    interrupts.runs(Some(process.id));
    let ran = match process.send(&command) {
        Ok(()) => streams.follow(process, interrupts),
        Err(_) => streams.last_words(process, None),
    };
    interrupts.runs(None);
    streams.output.finish();
    ran
}

struct Streams<'a> {
    stdout: Stream,
    stderr: Stream,
    output: Limited<'a>,
}

impl Streams<'_> {
    fn follow(&mut self, process: &Process, interrupts: &Interrupts) -> Ran {
        let mut warned = false;
        loop {
            match process.next(LOOK) {
                Some(Message::Ended(status)) => return self.last_words(process, Some(status)),
                Some(Message::Closed) => {}
                Some(message) => self.take(message),
                None => {}
            }
            if let (Some(ending), Some(_)) = (self.stdout.ending(), self.stderr.ending()) {
                return Ran::Back(ending);
            }
            if !warned && interrupts.since().is_some_and(|first: Instant| first.elapsed() >= PATIENCE) {
                warned = true;
                let text =
                    "\nThe cell does not listen to the interrupt. Interrupt once more to end its process: all variables will be lost.\n";
                self.output.say(text);
            }
        }
    }

    /// A cell may have come to its end just before its process did.
    fn last_words(&mut self, process: &Process, status: Option<ExitStatus>) -> Ran {
        let (mut status, mut open) = (status, 2);
        while let Some(message) = process.next(REST) {
            match message {
                Message::Ended(ended) => status = Some(ended),
                Message::Closed => open -= 1,
                message => self.take(message),
            }
            if open <= 0 && status.is_some() {
                break;
            }
        }
        self.stdout.flush(&mut self.output);
        self.stderr.flush(&mut self.output);
        Ran::Died(status)
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Stdout(bytes) => self.stdout.feed(&bytes, Side::Out, &mut self.output),
            Message::Stderr(bytes) => self.stderr.feed(&bytes, Side::Err, &mut self.output),
            Message::Closed | Message::Ended(_) => {}
        }
    }
}

pub use super::stream::Side;

/// The standard library's own source of randomness: a cell cannot guess the marker of its end.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
