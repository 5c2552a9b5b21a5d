//! Progress of whatever takes more than a second, shown by whoever runs it: bars on a terminal, a line of a notebook, nothing.

#[cfg(feature = "program")]
mod terminal;

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use xai::Progress;

use crate::pipeline::Question;

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task<'a> {
    /// In a few words.
    pub what: &'a str,
    /// How far it goes.
    pub extent: Extent,
}

/// How far a task goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// So many steps.
    Steps(u64),
    /// So many bytes that come from elsewhere.
    Bytes(u64),
    /// One long step.
    Unknown,
}

/// Shows how far one task is; dropped when it ends.
pub trait Meter: Send + Sync {
    /// So many steps or bytes are done.
    fn show(&self, position: u64);
    /// What came before is no measure of speed: it was there already.
    fn forget_speed(&self) {}
}

/// Begins to show a task.
pub type Begin = fn(Task) -> Box<dyn Meter>;

static BEGIN: OnceLock<Begin> = OnceLock::new();

/// Lets `begin` show every task of this process; the first one given stays. Without one the command shows bars on a terminal.
pub fn show_by(begin: Begin) {
    let _ = BEGIN.set(begin);
}

/// A bar over `steps` steps of `what`.
pub fn bar(what: &str, steps: usize) -> Bar {
    Bar::begin(Task { what, extent: Extent::Steps(steps as u64) })
}

/// A bar over the bytes of a file that comes from elsewhere, with speed and the time that is left.
pub fn transfer(file: &str, bytes: u64) -> Bar {
    Bar::begin(Task { what: file, extent: Extent::Bytes(bytes) })
}

/// A turning sign for one long step.
pub fn spinner(what: &str) -> Bar {
    Bar::begin(Task { what, extent: Extent::Unknown })
}

/// How far a task is; it is shown until the bar is dropped.
pub struct Bar {
    position: AtomicU64,
    meter: Box<dyn Meter>,
}

impl Bar {
    fn begin(task: Task) -> Self {
        let begin = BEGIN.get().copied().unwrap_or(by_default);
        Self { position: AtomicU64::new(0), meter: begin(task) }
    }

    /// So many steps or bytes more.
    pub fn add(&self, steps: u64) {
        let before = self.position.fetch_add(steps, Ordering::Relaxed);
        self.meter.show(before + steps);
    }

    /// So many steps or bytes are done.
    pub fn set_position(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
        self.meter.show(position);
    }

    /// How many are done.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// Measures the speed from here on.
    pub fn forget_speed(&self) {
        self.meter.forget_speed();
    }
}

impl fmt::Debug for Bar {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Bar").field("position", &self.position).finish_non_exhaustive()
    }
}

#[cfg(feature = "program")]
fn by_default(task: Task) -> Box<dyn Meter> {
    Box::new(terminal::TerminalBar::begin(task))
}

#[cfg(not(feature = "program"))]
fn by_default(task: Task) -> Box<dyn Meter> {
    nowhere(task)
}

/// Shows nothing: for [`show_by`] in a process whose progress another one shows.
pub fn nowhere(_task: Task) -> Box<dyn Meter> {
    struct Nowhere;
    impl Meter for Nowhere {
        fn show(&self, _position: u64) {}
    }
    Box::new(Nowhere)
}

/// A bar over pictures that moves with the passes that their methods make.
#[derive(Debug)]
pub struct PassBar {
    bar: Bar,
    steps_a_picture: u64,
}

impl PassBar {
    /// For so many pictures; a picture counts one step and the passes its methods make at most.
    pub fn new(what: &str, pictures: usize, question: &Question) -> Self {
        let steps_a_picture = 1 + question.most_passes();
        Self { bar: bar(what, pictures * steps_a_picture), steps_a_picture: steps_a_picture as u64 }
    }

    /// Shows how far the methods of the current picture are.
    pub fn show(&self, progress: Progress) {
        let begun = self.bar.position() / self.steps_a_picture * self.steps_a_picture;
        self.bar.set_position(begun + (progress.passes as u64).min(self.steps_a_picture - 1));
    }

    /// One picture is done, whatever its methods needed of what they might have.
    pub fn next_picture(&self) {
        self.bar.set_position((self.bar.position() / self.steps_a_picture + 1) * self.steps_a_picture);
    }
}
