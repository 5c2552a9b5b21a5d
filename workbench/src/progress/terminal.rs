//! Bars on a terminal only, on standard error, gone when done.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Extent, Meter, Task};

/// A bar that takes itself away.
pub struct TerminalBar(ProgressBar);

impl TerminalBar {
    pub fn begin(task: Task) -> Self {
        let bar = match task.extent {
            Extent::Steps(steps) => styled(steps, "{msg:>24} {wide_bar} {pos}/{len} {eta}"),
            Extent::Bytes(bytes) => styled(bytes, "{msg:>24} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}"),
            Extent::Unknown => ProgressBar::new_spinner(),
        };
        bar.set_message(task.what.to_owned());
        if task.extent == Extent::Unknown {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self(bar)
    }
}

fn styled(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

impl Meter for TerminalBar {
    fn show(&self, position: u64) {
        self.0.set_position(position);
    }

    fn forget_speed(&self) {
        self.0.reset_eta();
    }
}

impl Drop for TerminalBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
