//! Why a cell failed, in words for a person, from what evcxr tells.

use crate::engine::CellError;

/// The process that ran cells is gone, and with it the variables.
pub const DIED: &str = "Died";
/// Somebody pressed stop.
pub const INTERRUPTED: &str = "Interrupted";
/// As much of standard error as a message may be long.
const MOST_BYTES: usize = 16 << 10;

/// What evcxr returns as an error.
pub fn of(error: &evcxr::Error, asked: bool) -> CellError {
    match error {
        evcxr::Error::CompilationErrors(errors) => {
            let message = errors.first().map_or_else(|| "it does not compile".into(), evcxr::CompilationError::message);
            let shown = errors.iter().map(|error| {
                let rendered = error.rendered();
                if rendered.is_empty() { error.message() } else { rendered }
            });
            cell_error("CompileError", message.lines().next().unwrap_or_default(), shown.flat_map(lines).collect())
        }
        evcxr::Error::SubprocessTerminated(_) if asked => {
            cell_error(DIED, "the cell did not listen and was ended; all variables are lost", Vec::new())
        }
        evcxr::Error::SubprocessTerminated(why) => {
            let last = why.trim().lines().last().unwrap_or_default();
            cell_error(DIED, &format!("the process of the cells ended ({last}); all variables are lost"), lines(why.clone()))
        }
        other => cell_error("Error", &other.to_string(), Vec::new()),
    }
}

/// A cell that somebody stopped.
pub fn interrupted(message: &str) -> CellError {
    cell_error(INTERRUPTED, message, Vec::new())
}

/// A fault that is none of the cell's.
pub fn stopped(message: &str) -> CellError {
    cell_error("KernelError", message, Vec::new())
}

/// The end of what a cell wrote on standard error: there evcxr's cells say why they fail.
#[derive(Debug, Default)]
pub struct Tail(String);

impl Tail {
    /// More of it.
    pub fn push(&mut self, text: &str) {
        self.0.push_str(text);
        if self.0.len() > MOST_BYTES {
            let from = (self.0.len() - MOST_BYTES..self.0.len()).find(|&at| self.0.is_char_boundary(at)).unwrap_or(0);
            self.0.drain(..from);
        }
    }

    /// The last panic's message.
    pub fn panic(&self) -> CellError {
        let after = self.0.rfind("panicked at ").and_then(|at| self.0[at..].split_once('\n'));
        let (place, message) = after.unwrap_or(("", "the cell panicked"));
        let shown = [message.trim_end(), place.trim_end_matches(':')].join("\n");
        cell_error("Panic", message.trim().lines().next().unwrap_or("the cell panicked"), lines(shown))
    }

    /// The error that `?` met last.
    pub fn error(&self) -> CellError {
        let message = self.0.trim_end().lines().last().unwrap_or("the cell ended by `?`");
        cell_error("Error", message, Vec::new())
    }
}

fn lines(text: String) -> Vec<String> {
    text.trim_end().lines().map(str::to_owned).collect()
}

/// In red, as Jupyter shows a name; what is shown is never empty.
fn cell_error(name: &str, message: &str, mut traceback: Vec<String>) -> CellError {
    traceback.insert(0, format!("\u{1b}[31m{name}\u{1b}[0m: {message}"));
    CellError { name: name.into(), message: message.into(), traceback }
}

#[cfg(test)]
mod tests {
    use super::Tail;

    #[test]
    fn a_panic_is_told_by_its_message() {
        let mut tail = Tail::default();
        tail.push("before\npanicked at src/lib.rs:3:5:\nindex out of bounds: the len is 0\n");
        let error = tail.panic();
        assert_eq!((error.name.as_str(), error.message.as_str()), ("Panic", "index out of bounds: the len is 0"));
        assert_eq!(error.traceback.last().map(String::as_str), Some("panicked at src/lib.rs:3:5"));
        assert_eq!(Tail::default().panic().message, "the cell panicked");
    }

    #[test]
    fn the_end_of_a_long_text_is_kept() {
        let mut tail = Tail::default();
        (0..10_000).for_each(|number| tail.push(&format!("ä{number}\n")));
        assert_eq!(tail.error().message, "ä9999");
        assert!(tail.0.len() <= super::MOST_BYTES);
    }
}
