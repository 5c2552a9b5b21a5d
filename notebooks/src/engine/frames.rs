//! Tells what a cell shows from what it prints, on one stream and in its order.
//!
//! | on standard output | becomes |
//! |---|---|
//! | `\x1ePELLUCID {"kind":"display","id":…,"data":{mime: content, …}}` and a newline | a display, an update or the result |
//! | `EVCXR_BEGIN_CONTENT mime`, body, `EVCXR_END_CONTENT`, each on a line of its own | a display |
//! | everything else, frames that are none included | text, unchanged, at once |

use serde_json::Value;

use super::{Bundle, Event};
use text::Text;

mod text;

const FRAME: &[u8] = b"\x1ePELLUCID ";
const BLOCK: &[u8] = b"EVCXR_BEGIN_CONTENT ";
const BLOCK_END: &[u8] = b"EVCXR_END_CONTENT";
/// A picture of 8,000 by 8,000 fits; a cell that prints for ever inside a frame does not.
const MOST_BYTES: usize = 64 << 20;

/// Reads standard output bit by bit.
///
/// ```
/// use notebooks::engine::Event;
/// use notebooks::engine::frames::Frames;
///
/// let mut frames = Frames::default();
/// let events = frames.feed(b"one\n\x1ePELLUCID {\"kind\":\"display\",\"id\":null,\"data\":{\"text/plain\":\"two\"}}\nthree");
/// assert_eq!(events[0], Event::Stdout("one\n".into()));
/// assert!(matches!(&events[1], Event::Display { bundle, id: None } if bundle["text/plain"] == "two"));
/// assert_eq!(events[2], Event::Stdout("three".into()));
/// ```
#[derive(Debug, Default)]
pub struct Frames {
    text: Text,
    /// A line that is, or may become, a frame or a block; empty between them.
    held: Vec<u8>,
    /// Bytes of `held` in which the end of a block was looked for.
    searched: usize,
    middle_of_line: bool,
    skipping: Skipping,
}

/// What is left out because it is too long.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Skipping {
    #[default]
    Nothing,
    Frame,
    Block,
}

impl Frames {
    /// What these bytes complete; text is handed on at once, whole characters at a time.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let mut part = part;
            // A frame may begin in the middle of a line; a block may not.
            while let Some(at) = part.iter().skip(1).position(|&byte| byte == FRAME[0]).map(|at| at + 1) {
                self.take(&part[..at], &mut events);
                part = &part[at..];
            }
            self.take(part, &mut events);
        }
        self.text.hand_over(&mut events);
        events
    }

    /// What is left when the cell or the stream has ended; an unfinished frame is text.
    pub fn finish(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        self.release();
        self.text.hand_over(&mut events);
        self.text.end(&mut events);
        self.middle_of_line = false;
        self.skipping = Skipping::Nothing;
        events
    }

    /// Takes a piece that has no newline but at its end, and no frame's first byte but at its start.
    fn take(&mut self, piece: &[u8], events: &mut Vec<Event>) {
        if self.skipping != Skipping::Nothing {
            return self.skip(piece);
        }
        let in_block = self.held.starts_with(BLOCK);
        if piece.first() == Some(&FRAME[0]) && !in_block {
            self.release();
        }
        self.held.extend_from_slice(piece);
        let complete = self.held.last() == Some(&b'\n');
        if self.held.starts_with(BLOCK) {
            self.take_block(events);
        } else if self.held.starts_with(FRAME) {
            if complete {
                self.close_frame(events);
            }
        } else if !self.may_become_a_frame() {
            self.release();
        }
        self.limit(events);
    }

    /// True while what is held is the beginning of a marker.
    fn may_become_a_frame(&self) -> bool {
        FRAME.starts_with(&self.held) || (!self.middle_of_line && BLOCK.starts_with(&self.held))
    }

    /// What is held is text after all.
    fn release(&mut self) {
        if let Some(&last) = self.held.last() {
            self.middle_of_line = last != b'\n';
        }
        self.text.push(&self.held);
        self.forget();
    }

    fn forget(&mut self) {
        self.held = Vec::new();
        self.searched = 0;
    }

    fn close_frame(&mut self, events: &mut Vec<Event>) {
        match frame(&self.held[FRAME.len()..]) {
            Some(event) => {
                self.text.hand_over(events);
                events.push(event);
                self.forget();
            }
            None => self.release(),
        }
    }

    fn take_block(&mut self, events: &mut Vec<Event>) {
        if self.held.last() != Some(&b'\n') {
            return;
        }
        let last = &self.held[self.searched..];
        if last.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line)) == Some(BLOCK_END) {
            let block = String::from_utf8_lossy(&self.held[BLOCK.len()..self.searched]).into_owned();
            self.text.hand_over(events);
            events.push(display(&block));
            self.forget();
        } else {
            self.searched = self.held.len();
        }
    }

    fn limit(&mut self, events: &mut Vec<Event>) {
        if self.held.len() <= MOST_BYTES {
            return;
        }
        self.skipping = if self.held.starts_with(BLOCK) { Skipping::Block } else { Skipping::Frame };
        self.forget();
        self.text.hand_over(events);
        let most = MOST_BYTES >> 20;
        events.push(Event::Stderr(format!("An output of more than {most} MiB was left out: show it smaller, or write it to a file.\n")));
    }

    fn skip(&mut self, piece: &[u8]) {
        let ends = match self.skipping {
            Skipping::Block => piece.strip_suffix(b"\n") == Some(BLOCK_END),
            _ => piece.ends_with(b"\n"),
        };
        if ends {
            self.skipping = Skipping::Nothing;
        }
    }
}

/// The event of a frame's JSON; nothing where it is not what a frame must be.
fn frame(json: &[u8]) -> Option<Event> {
    let Value::Object(mut frame) = serde_json::from_slice(json).ok()? else { return None };
    let Value::Object(bundle) = frame.remove("data")? else { return None };
    let id = frame.get("id").and_then(Value::as_str).map(str::to_owned);
    match frame.get("kind")?.as_str()? {
        "display" => Some(Event::Display { bundle, id }),
        "update" => Some(Event::Update { bundle, id: id? }),
        "result" => Some(Event::Result(bundle)),
        _ => None,
    }
}

/// The display of a block: its mime type, a newline, its body.
fn display(block: &str) -> Event {
    let (mime, body) = block.split_once('\n').unwrap_or((block, ""));
    let (mime, body) = (mime.trim(), body.strip_suffix('\n').unwrap_or(body));
    let parsed = mime.ends_with("json").then(|| serde_json::from_str(body).ok()).flatten();
    let bundle: Bundle = [(mime.to_owned(), parsed.unwrap_or_else(|| body.into()))].into_iter().collect();
    Event::Display { bundle, id: None }
}
