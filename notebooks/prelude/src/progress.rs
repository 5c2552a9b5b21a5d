//! Progress of long loops: a line below the cell that is replaced while it moves.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use workbench::progress::{Extent, Meter, Task};

use crate::display::{Rendering, Slot, escaped};
use crate::runtime;

/// What is done before this is not worth a bar.
const QUIET: Duration = Duration::from_millis(300);
/// At most so often.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs `step` on every item with a bar, and ends where the cell is interrupted.
///
/// ```
/// use pellucid::prelude::*;
/// let mut sum = 0;
/// each("adding", 0..10, |number| {
///     sum += number;
///     Ok(())
/// })?;
/// assert_eq!(sum, 45);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// The first error of `step`, or `Cancelled` when the cell is interrupted.
pub fn each<I: IntoIterator<IntoIter: ExactSizeIterator>>(what: &str, items: I, mut step: impl FnMut(I::Item) -> Result<()>) -> Result<()> {
    crate::begin();
    let items = items.into_iter();
    let bar = workbench::progress::bar(what, items.len());
    for item in items {
        xai::cancellation::check()?;
        step(item)?;
        bar.add(1);
    }
    Ok(())
}

/// How tasks of the libraries are shown in a notebook.
pub(crate) fn begin(task: Task) -> Box<dyn Meter> {
    Box::new(CellBar {
        what: task.what.to_owned(),
        extent: task.extent,
        started: Instant::now(),
        shown: Mutex::default(),
        position: AtomicU64::new(0),
        begun: AtomicBool::new(false),
        slot: Slot::new(),
    })
}

struct CellBar {
    what: String,
    extent: Extent,
    started: Instant,
    /// When it was last shown.
    shown: Mutex<Option<Instant>>,
    position: AtomicU64,
    begun: AtomicBool,
    slot: Slot,
}

impl CellBar {
    fn rendering(&self, state: &str) -> Rendering {
        let position = self.position.load(Ordering::Relaxed);
        let seconds = self.started.elapsed().as_secs_f64();
        let (done, most) = match self.extent {
            Extent::Steps(most) => (format!("{position} of {most}"), most),
            Extent::Bytes(most) => (format!("{:.1} of {:.1} MB", position as f64 / 1e6, most as f64 / 1e6), most),
            Extent::Unknown => (String::new(), 0),
        };
        let words = [self.what.as_str(), &done, &format!("{seconds:.1} s"), state].map(str::trim).map(str::to_owned);
        let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" · ");
        let bar = if most > 0 { track(position as f64 / most as f64) } else { String::new() };
        let html = format!("<div style=\"font-variant-numeric: tabular-nums\">{bar} {}</div>", escaped(&line));
        Rendering::text(line).with_html(html)
    }
}

/// A bar of plain boxes: no script, and no element that a page may refuse.
fn track(share: f64) -> String {
    let percent = (100.0 * share.clamp(0.0, 1.0)).round();
    format!(
        "<span style=\"display: inline-block; width: 16em; height: 0.7em; border-radius: 0.35em; background-color: rgba(128, 128, 128, 0.25)\">\
         <span style=\"display: block; width: {percent}%; height: 0.7em; border-radius: 0.35em; background-color: #3f7fc4\"></span></span>"
    )
}

impl Meter for CellBar {
    fn show(&self, position: u64) {
        self.position.store(position, Ordering::Relaxed);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let due = shown.map_or(self.started.elapsed() >= QUIET, |last| last.elapsed() >= PAUSE);
        if due {
            *shown = Some(Instant::now());
            self.begun.store(true, Ordering::Relaxed);
            self.slot.put(&self.rendering(""));
        }
    }
}

impl Drop for CellBar {
    /// A bar that was seen stays as a line that says how it ended.
    fn drop(&mut self) {
        if self.begun.load(Ordering::Relaxed) {
            let end = if runtime::interrupted() { "stopped" } else { "done" };
            self.slot.put(&self.rendering(end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(what: &str, extent: Extent, position: u64) -> Rendering {
        let bar = CellBar {
            what: what.into(),
            extent,
            started: Instant::now(),
            shown: Mutex::default(),
            position: AtomicU64::new(position),
            begun: AtomicBool::new(false),
            slot: Slot::new(),
        };
        bar.rendering("done")
    }

    #[test]
    fn a_bar_says_how_far_it_is_in_words_and_in_length() {
        let half = bar("learning <b>", Extent::Steps(8), 4);
        assert!(half.plain.starts_with("learning <b> · 4 of 8 · ") && half.plain.ends_with(" s · done"), "{}", half.plain);
        let html = half.html.unwrap();
        assert!(html.contains("width: 50%") && html.contains("learning &lt;b&gt;"), "{html}");
        assert!(bar("fetching", Extent::Bytes(2_000_000), 500_000).plain.contains("0.5 of 2.0 MB"));
        assert!(!bar("waiting", Extent::Unknown, 3).html.unwrap().contains("width: "));
        assert!(bar("nothing", Extent::Steps(0), 3).html.is_some());
    }
}
