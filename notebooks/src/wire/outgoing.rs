//! What goes out: from any thread into one queue, in one order.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::message::Message;
use crate::engine::{Bundle, Event};

/// Through which socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// To who asked on shell.
    Shell,
    /// To who asked on control.
    Control,
    /// To everybody.
    Broadcast,
}

/// A message before it has a header.
#[derive(Debug)]
pub struct Outgoing {
    pub channel: Channel,
    pub identities: Vec<Vec<u8>>,
    pub kind: &'static str,
    pub parent: Arc<Map<String, Value>>,
    pub content: Value,
}

impl Outgoing {
    /// Takes the text of a later message of the same stream; gives that message back where it is none, or where both are long.
    pub fn join(&mut self, later: Self) -> Option<Self> {
        const LONG: usize = 1 << 20;
        let stream = |message: &Self| message.kind == "stream";
        if !stream(self) || !stream(&later) || self.parent != later.parent || self.content["name"] != later.content["name"] {
            return Some(later);
        }
        let (Value::String(text), Some(more)) = (&mut self.content["text"], later.content["text"].as_str()) else { return Some(later) };
        if text.len() + more.len() > LONG {
            return Some(later);
        }
        text.push_str(more);
        None
    }
}

/// Answers one request: replies to who asked, tells everybody what happens.
#[derive(Clone, Debug)]
pub struct Answering {
    channel: Channel,
    identities: Vec<Vec<u8>>,
    parent: Arc<Map<String, Value>>,
    queue: UnboundedSender<Outgoing>,
}

impl Answering {
    /// A request that came over `channel`.
    pub fn new(channel: Channel, request: &Message, queue: &UnboundedSender<Outgoing>) -> Self {
        Self { channel, identities: request.identities.clone(), parent: Arc::new(request.header.clone()), queue: queue.clone() }
    }

    /// Replies; a status is added where the content has none.
    pub fn reply(&self, kind: &'static str, mut content: Value) {
        if content.get("status").is_none() {
            content["status"] = "ok".into();
        }
        self.send(self.channel, self.identities.clone(), kind, content);
    }

    /// Tells everybody.
    pub fn tell(&self, kind: &'static str, content: Value) {
        self.send(Channel::Broadcast, vec![kind.as_bytes().to_vec()], kind, content);
    }

    /// Tells everybody `busy`, `idle` or `starting`.
    pub fn status(&self, state: &str) {
        self.tell("status", json!({ "execution_state": state }));
    }

    /// Tells what a cell handed out.
    pub fn event(&self, event: Event, count: u64) {
        let shown = |bundle: Bundle, id: Option<String>| {
            let transient = id.map_or_else(|| json!({}), |id| json!({ "display_id": id }));
            json!({ "data": bundle, "metadata": {}, "transient": transient })
        };
        match event {
            Event::Stdout(text) => self.tell("stream", json!({ "name": "stdout", "text": text })),
            Event::Stderr(text) => self.tell("stream", json!({ "name": "stderr", "text": text })),
            Event::Display { bundle, id } => self.tell("display_data", shown(bundle, id)),
            Event::Update { bundle, id } => self.tell("update_display_data", shown(bundle, Some(id))),
            Event::Result(bundle) => {
                self.tell("execute_result", json!({ "data": bundle, "metadata": {}, "execution_count": count }));
            }
        }
    }

    fn send(&self, channel: Channel, identities: Vec<Vec<u8>>, kind: &'static str, content: Value) {
        // Nobody listens any more only when the kernel ends.
        let _ = self.queue.send(Outgoing { channel, identities, kind, parent: self.parent.clone(), content });
    }
}
