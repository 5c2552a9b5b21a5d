//! Bytes that become text whole characters at a time.

use crate::engine::Event;

/// Bytes of standard output that are not handed on yet.
#[derive(Debug, Default)]
pub(super) struct Text(Vec<u8>);

impl Text {
    /// More of it.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Hands on what is whole; a character whose last bytes are still to come waits for them.
    pub fn hand_over(&mut self, events: &mut Vec<Event>) {
        let waiting = self.0.split_off(whole(&self.0));
        let bytes = std::mem::replace(&mut self.0, waiting);
        if !bytes.is_empty() {
            events.push(Event::Stdout(String::from_utf8_lossy(&bytes).into_owned()));
        }
    }

    /// Hands on what will never be whole.
    pub fn end(&mut self, events: &mut Vec<Event>) {
        let bytes = std::mem::take(&mut self.0);
        if !bytes.is_empty() {
            events.push(Event::Stdout(String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

/// How many bytes stand before an unfinished character at the end.
fn whole(bytes: &[u8]) -> usize {
    let longest_start = bytes.len().saturating_sub(3);
    let is_start = |at: &usize| bytes[*at] >= 0xC0;
    let Some(start) = (longest_start..bytes.len()).rev().find(is_start) else { return bytes.len() };
    match std::str::from_utf8(&bytes[start..]) {
        Err(error) if error.error_len().is_none() => start,
        _ => bytes.len(),
    }
}
