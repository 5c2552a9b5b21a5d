//! The bytes of a stream, up to the marker that ends a cell, as events; and how much of them is handed on.

use serde_json::Value;

use crate::engine::Event;
use crate::engine::frames::Frames;

/// Text of one cell that is handed on; a notebook that holds more cannot be opened any more.
const MOST_TEXT: usize = 4 << 20;
/// Content of one cell's displays, updates included.
const MOST_CONTENT: usize = 256 << 20;

/// Which stream bytes come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Out,
    Err,
}

/// Looks for the marker and makes events of what stands before it.
pub struct Stream {
    marker: Vec<u8>,
    /// The end of what came, as long as it may be the beginning of the marker's line.
    held: Vec<u8>,
    frames: Frames,
    /// What stood in the line of the marker.
    ending: Option<Value>,
}

impl Stream {
    /// A stream that ends where this text begins a line.
    pub fn new(marker: &str) -> Self {
        Self { marker: format!("{marker} ").into_bytes(), held: Vec::new(), frames: Frames::default(), ending: None }
    }

    /// How the cell ended, once its marker has come.
    pub fn ending(&self) -> Option<Value> {
        self.ending.clone()
    }

    /// Takes bytes.
    pub fn feed(&mut self, bytes: &[u8], side: Side, output: &mut Limited) {
        self.held.extend_from_slice(bytes);
        let text = match self.marker_at() {
            Some(at) => {
                let Some(length) = self.held[at..].iter().position(|&byte| byte == b'\n') else { return };
                let line: Vec<u8> = self.held.drain(at..=at + length).collect();
                self.ending = Some(serde_json::from_slice(&line[self.marker.len()..]).unwrap_or(Value::Null));
                std::mem::take(&mut self.held)
            }
            None => {
                let waits = self.begins_marker();
                let waiting = self.held.split_off(self.held.len() - waits);
                std::mem::replace(&mut self.held, waiting)
            }
        };
        self.hand_over(&text, side, output);
        if self.ending.is_some() {
            self.frames.finish().into_iter().for_each(|event| output.take(on(side, event)));
        }
    }

    /// Hands on what is left when no marker will come.
    pub fn flush(&mut self, output: &mut Limited) {
        let rest = std::mem::take(&mut self.held);
        let mut events = self.frames.feed(&rest);
        events.extend(self.frames.finish());
        events.into_iter().for_each(|event| output.take(event));
    }

    fn hand_over(&mut self, text: &[u8], side: Side, output: &mut Limited) {
        self.frames.feed(text).into_iter().for_each(|event| output.take(on(side, event)));
    }

    fn marker_at(&self) -> Option<usize> {
        let mut starts = self.held.iter().enumerate().filter(|(_, byte)| **byte == self.marker[0]).map(|(at, _)| at);
        starts.find(|&at| self.held[at..].starts_with(&self.marker))
    }

    /// How many bytes at the end may be the beginning of the marker.
    fn begins_marker(&self) -> usize {
        let longest = self.marker.len().min(self.held.len());
        (1..=longest).rev().find(|&length| self.marker.starts_with(&self.held[self.held.len() - length..])).unwrap_or(0)
    }
}

/// Text of the second stream is told apart; what it shows is shown.
fn on(side: Side, event: Event) -> Event {
    match event {
        Event::Stdout(text) if side == Side::Err => Event::Stderr(text),
        event => event,
    }
}

/// Hands events on until there were too many.
pub struct Limited<'a> {
    output: &'a mut dyn FnMut(Event),
    text: usize,
    content: usize,
}

impl<'a> Limited<'a> {
    /// Hands on to `output`.
    pub fn new(output: &'a mut dyn FnMut(Event)) -> Self {
        Self { output, text: 0, content: 0 }
    }

    /// Takes an event.
    pub fn take(&mut self, event: Event) {
        let event = match event {
            Event::Stdout(text) => self.room(&text).map(|room| Event::Stdout(text[..room].to_owned())),
            Event::Stderr(text) => self.room(&text).map(|room| Event::Stderr(text[..room].to_owned())),
            Event::Display { ref bundle, .. } | Event::Update { ref bundle, .. } | Event::Result(ref bundle) => {
                self.content += bundle.values().map(size).sum::<usize>();
                (self.content <= MOST_CONTENT).then_some(event)
            }
        };
        if let Some(event) = event {
            (self.output)(event);
        }
    }

    /// Says something to the user, however much there was already.
    pub fn say(&mut self, text: &str) {
        (self.output)(Event::Stderr(text.to_owned()));
    }

    /// Says what was left out.
    pub fn finish(&mut self) {
        let mebibytes = |bytes: usize| bytes.div_ceil(1 << 20);
        if self.text > MOST_TEXT {
            let (most, all) = (mebibytes(MOST_TEXT), mebibytes(self.text));
            self.say(&format!(
                "\nThe cell printed {all} MiB; what came after the first {most} MiB is left out. Write it to a file to keep it.\n"
            ));
        }
        if self.content > MOST_CONTENT {
            let most = mebibytes(MOST_CONTENT);
            self.say(&format!("\nThe cell showed more than {most} MiB; the rest is left out. Show less of it, or smaller.\n"));
        }
    }

    /// How many bytes of a text still fit.
    fn room(&mut self, text: &str) -> Option<usize> {
        let left = MOST_TEXT.saturating_sub(self.text);
        self.text = self.text.saturating_add(text.len());
        let fits = text.floor_char_boundary(left.min(text.len()));
        (fits > 0).then_some(fits)
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(pieces: &[&[u8]]) -> (Vec<Event>, Option<Value>) {
        let mut events = Vec::new();
        let mut take = |event| events.push(event);
        let mut output = Limited::new(&mut take);
        let mut stream = Stream::new("\u{1e}END 7");
        pieces.iter().for_each(|piece| stream.feed(piece, Side::Out, &mut output));
        let ending = stream.ending();
        (events, ending)
    }

    #[test]
    fn the_marker_is_found_however_it_is_cut() {
        let whole = b"text without newline\x1eEND 7 {\"kind\":\"done\"}\nafter";
        for cut in 0..whole.len() {
            let (events, ending) = fed(&[&whole[..cut], &whole[cut..]]);
            let text: String = events.iter().map(|event| if let Event::Stdout(text) = event { text.as_str() } else { "" }).collect();
            assert!(text.starts_with("text without newline"), "cut at {cut}: {events:?}");
            assert!(!text.contains("END"), "cut at {cut}: {events:?}");
            assert_eq!(ending.expect("the marker came")["kind"], "done", "cut at {cut}");
        }
    }

    #[test]
    fn another_marker_is_text() {
        let (events, ending) = fed(&[b"\x1eEND 8 {}\n"]);
        assert_eq!(events, [Event::Stdout("\u{1e}END 8 {}\n".into())]);
        assert_eq!(ending, None);
    }
}
