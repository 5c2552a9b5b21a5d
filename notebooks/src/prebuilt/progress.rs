//! How far a build is, and how that is shown: a bar on a terminal, lines elsewhere, one line that moves in a cell.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// What a build does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Another process builds in the same cache.
    Waiting,
    /// So many crates are compiled.
    Compiling {
        /// By now.
        done: usize,
        /// In all; 0 while that is not known.
        total: usize,
    },
    /// It is built.
    Done,
}

/// Where it is shown.
pub enum Show<'a> {
    /// On standard error: a bar on a terminal, lines elsewhere.
    Terminal,
    /// In the output of a cell: `\r` brings the next text onto the same line.
    Cell(&'a mut dyn FnMut(String)),
}

impl std::fmt::Debug for Show<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if matches!(self, Self::Terminal) { "Terminal" } else { "Cell" })
    }
}

/// Shows progress for as long as it lives.
pub fn shown<'a>(show: Show<'a>) -> Box<dyn FnMut(Progress) + 'a> {
    match show {
        Show::Cell(write) => in_a_cell(write),
        Show::Terminal if std::io::stderr().is_terminal() => on_a_terminal(),
        Show::Terminal => in_lines(),
    }
}

fn on_a_terminal() -> Box<dyn FnMut(Progress)> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg:>24} {wide_bar} {pos}/{len} crates {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    Box::new(move |progress| match progress {
        Progress::Waiting => bar.set_message("another build runs"),
        Progress::Compiling { done, total } => {
            bar.set_message("building the library");
            bar.enable_steady_tick(Duration::from_millis(500));
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        }
        Progress::Done => bar.finish_and_clear(),
    })
}

fn in_lines() -> Box<dyn FnMut(Progress)> {
    let mut sparse = Sparse::every(Duration::from_secs(10));
    Box::new(move |progress| {
        if let Some(line) = sparse.line(&progress) {
            eprintln!("{line}");
        }
    })
}

fn in_a_cell<'a>(write: &'a mut dyn FnMut(String)) -> Box<dyn FnMut(Progress) + 'a> {
    let mut sparse = Sparse::every(Duration::from_secs(1));
    Box::new(move |progress| {
        if let Some(line) = sparse.line(&progress) {
            // The longest line before is covered; the last one stays.
            let end = if progress == Progress::Done { "\n" } else { "" };
            write(format!("\r{line:<76}{end}"));
        }
    })
}

/// Says something so often and not more often.
struct Sparse {
    started: Instant,
    last: Option<Instant>,
    pause: Duration,
}

impl Sparse {
    fn every(pause: Duration) -> Self {
        Self { started: Instant::now(), last: None, pause }
    }

    fn line(&mut self, progress: &Progress) -> Option<String> {
        let said = self.last.is_some();
        if self.last.is_some_and(|last| last.elapsed() < self.pause) && *progress != Progress::Done {
            return None;
        }
        self.last = Some(Instant::now());
        let seconds = self.started.elapsed().as_secs();
        match progress {
            Progress::Waiting => Some(format!("Another kernel builds the library; waiting for it ({seconds} s)")),
            Progress::Compiling { total: 0, .. } => Some(format!("Building the library that cells use, once ({seconds} s)")),
            Progress::Compiling { done, total } => {
                Some(format!("Building the library that cells use, once: {done} of {total} crates, {seconds} s"))
            }
            Progress::Done => said.then(|| format!("The library that cells use is built ({seconds} s)")),
        }
    }
}
