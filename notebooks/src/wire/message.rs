//! A message of Jupyter's protocol: how it is read from frames and written into them, and how it is signed.
//!
//! ```text
//! identities… · "<IDS|MSG>" · signature · header · parent header · metadata · content · buffers…
//! ```

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::clock;

const DELIMITER: &[u8] = b"<IDS|MSG>";
/// Spoken here.
pub const PROTOCOL: &str = "5.4";

/// A message that came in.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whom a reply goes to.
    pub identities: Vec<Vec<u8>>,
    /// Identity, session and kind.
    pub header: Map<String, Value>,
    /// What it asks.
    pub content: Map<String, Value>,
}

impl Message {
    /// What kind of message it is, `execute_request` for one.
    pub fn kind(&self) -> &str {
        self.header.get("msg_type").and_then(Value::as_str).unwrap_or_default()
    }

    /// A text of its content; empty where there is none.
    pub fn text(&self, key: &str) -> &str {
        self.content.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// A flag of its content.
    pub fn flag(&self, key: &str, otherwise: bool) -> bool {
        self.content.get(key).and_then(Value::as_bool).unwrap_or(otherwise)
    }

    /// A count of its content; 0 where there is none.
    pub fn count(&self, key: &str) -> usize {
        self.content.get(key).and_then(Value::as_u64).map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX))
    }
}

/// Signs, and knows whether a signature is right. Without a key everything is.
#[derive(Clone)]
pub struct Signer(Option<Hmac<Sha256>>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(if self.0.is_some() { "Signer(a key)" } else { "Signer(none)" })
    }
}

impl Signer {
    /// With the key of the connection file.
    pub fn new(key: &str) -> Self {
        Self((!key.is_empty()).then(|| Hmac::new_from_slice(key.as_bytes()).ok()).flatten())
    }

    fn sign(&self, parts: &[Vec<u8>]) -> String {
        let Some(mac) = self.over(parts) else { return String::new() };
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compared in a time that does not depend on where they differ.
    fn knows(&self, signature: &[u8], parts: &[Vec<u8>]) -> bool {
        let Some(mac) = self.over(parts) else { return true };
        from_hex(signature).is_some_and(|signature| mac.verify_slice(&signature).is_ok())
    }

    fn over(&self, parts: &[Vec<u8>]) -> Option<Hmac<Sha256>> {
        let mut mac = self.0.clone()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(mac)
    }
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.is_ascii() && text.len() % 2 == 0)?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}

/// Reads a message; nothing where it is none, or where its signature is wrong.
pub fn decode(frames: Vec<Vec<u8>>, signer: &Signer) -> Option<Message> {
    let delimiter = frames.iter().position(|frame| frame == DELIMITER)?;
    let parts = frames.get(delimiter + 2..delimiter + 6)?;
    if !signer.knows(&frames[delimiter + 1], parts) {
        return None;
    }
    let object = |part: &[u8]| serde_json::from_slice::<Map<String, Value>>(part).ok();
    Some(Message { header: object(&parts[0])?, content: object(&parts[3])?, identities: frames[..delimiter].to_vec() })
}

/// Who writes: the session that all messages of this kernel carry.
#[derive(Debug)]
pub struct Session {
    id: String,
    written: u64,
    signer: Signer,
}

impl Session {
    /// A new one, whose identity nobody else has.
    pub fn new(signer: Signer) -> Self {
        Self { id: clock::random_identity(), written: 0, signer }
    }

    /// The frames of a message of this kind, an answer to `parent`.
    pub fn encode(&mut self, identities: &[Vec<u8>], kind: &str, parent: &Map<String, Value>, content: &Value) -> Vec<Vec<u8>> {
        self.written += 1;
        let header = json!({
            "msg_id": format!("{}_{}", self.id, self.written),
            "session": self.id,
            "username": "pellucid",
            "date": clock::now(),
            "msg_type": kind,
            "version": PROTOCOL,
        });
        let parts =
            [header.to_string(), Value::Object(parent.clone()).to_string(), "{}".into(), content.to_string()].map(String::into_bytes);
        let mut frames = identities.to_vec();
        frames.extend([DELIMITER.to_vec(), self.signer.sign(&parts).into_bytes()]);
        frames.extend(parts);
        frames
    }
}
