//! Progress bars for whatever takes more than a second: on a terminal only, on standard error, gone when done.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use xai::Progress;

use crate::pipeline::Question;

/// A bar over `steps` steps of `what`.
pub fn bar(what: &str, steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    let style = ProgressStyle::with_template("{msg:>24} {wide_bar} {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what.to_owned());
    bar
}

/// A bar over the bytes of a file that comes from elsewhere, with speed and the time that is left.
pub fn transfer(file: &str, bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let style = ProgressStyle::with_template("{msg:>24} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(file.to_owned());
    bar
}

/// A turning sign for one long step.
pub fn spinner(what: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    spinner.set_message(what.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// A bar over pictures that moves with the passes that their methods make.
#[derive(Debug)]
pub struct PassBar {
    bar: ProgressBar,
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

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
