//! The connection file: where the frontend wants the kernel to listen, and the key they share.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// More than any connection file has.
const MOST_BYTES: u64 = 64 << 10;

/// What a connection file says.
#[derive(Clone, Debug, Deserialize)]
pub struct Connection {
    /// `tcp` or `ipc`.
    pub transport: String,
    /// An address, or the beginning of a path for `ipc`.
    pub ip: String,
    /// Requests that are answered one after another.
    pub shell_port: u16,
    /// What every frontend sees.
    pub iopub_port: u16,
    /// Questions to a person.
    pub stdin_port: u16,
    /// Interrupt and shutdown, answered while a cell runs.
    pub control_port: u16,
    /// Echo.
    pub hb_port: u16,
    /// What messages are signed with; empty: they are not.
    pub key: String,
    /// `hmac-sha256`; others are refused.
    #[serde(default = "sha256")]
    pub signature_scheme: String,
}

fn sha256() -> String {
    "hmac-sha256".into()
}

impl Connection {
    /// Reads a connection file.
    ///
    /// # Errors
    /// When it cannot be read, is no connection file, or asks for a transport or a signature that is not spoken here.
    pub fn read(path: &Path) -> Result<Self> {
        let bad = |why: String| Error::Connection { path: path.to_owned(), why };
        let size = std::fs::metadata(path).map_err(|error| bad(error.to_string()))?.len();
        if size > MOST_BYTES {
            return Err(bad(format!("{size} bytes are no connection file")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let connection: Self = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        if !connection.key.is_empty() && connection.signature_scheme != sha256() {
            return Err(bad(format!("signature scheme {:?}; known is {}", connection.signature_scheme, sha256())));
        }
        if !["tcp", "ipc"].contains(&connection.transport.as_str()) {
            return Err(bad(format!("transport {:?}; known are tcp and ipc", connection.transport)));
        }
        Ok(connection)
    }

    /// The address of a port in ZeroMQ's writing.
    pub fn endpoint(&self, port: u16) -> String {
        let between = if self.transport == "ipc" { '-' } else { ':' };
        let ip = if self.ip.contains(':') && self.transport == "tcp" { format!("[{}]", self.ip) } else { self.ip.clone() };
        format!("{}://{ip}{between}{port}", self.transport)
    }
}
