//! Answers the requests of the shell channel, one after another, on a thread of its own.

use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::engine_slot::EngineSlot;
use super::message::{Message, PROTOCOL};
use super::outgoing::{Answering, Channel, Outgoing};
use super::run_cell::run_cell;
use super::{Completeness, completeness};

/// How long requests that were sent along with a failing cell may take to arrive.
const ON_THE_WAY: Duration = Duration::from_millis(20);

/// Answers until the queue is closed.
pub fn answer(requests: &Receiver<Message>, mut engine: EngineSlot, out: &UnboundedSender<Outgoing>) {
    let mut count = 0;
    while let Ok(request) = requests.recv() {
        for request in one(&request, &mut engine, &mut count, requests, out) {
            if request.kind() == "execute_request" {
                abort(&request, count, out);
            } else {
                one(&request, &mut engine, &mut count, requests, out);
            }
        }
    }
}

/// Answers one; what comes back waited behind a cell that failed.
fn one(
    request: &Message,
    engine: &mut EngineSlot,
    count: &mut u64,
    requests: &Receiver<Message>,
    out: &UnboundedSender<Outgoing>,
) -> Vec<Message> {
    let answering = Answering::new(Channel::Shell, request, out);
    answering.status("busy");
    let mut behind = Vec::new();
    if request.kind() == "execute_request" {
        let reply = run_cell(request, &answering, engine, count);
        if reply["status"] == "error" && request.flag("stop_on_error", true) {
            behind = waiting(requests);
        }
        answering.reply("execute_reply", reply);
    } else {
        reply(request, &answering, engine);
    }
    answering.status("idle");
    behind
}

/// What a frontend sent before it could know that a cell failed.
fn waiting(requests: &Receiver<Message>) -> Vec<Message> {
    let until = Instant::now() + ON_THE_WAY;
    std::iter::from_fn(|| requests.recv_timeout(until.saturating_duration_since(Instant::now())).ok()).collect()
}

fn abort(request: &Message, count: u64, out: &UnboundedSender<Outgoing>) {
    let answering = Answering::new(Channel::Shell, request, out);
    answering.status("busy");
    answering.reply("execute_reply", json!({ "status": "aborted", "execution_count": count }));
    answering.status("idle");
}

fn reply(request: &Message, answering: &Answering, engine: &mut EngineSlot) {
    let cursor = request.count("cursor_pos");
    match request.kind() {
        "kernel_info_request" => answering.reply("kernel_info_reply", kernel_info()),
        "complete_request" => answering.reply("complete_reply", complete(request.text("code"), cursor, engine)),
        "inspect_request" => {
            let found = engine.ready().and_then(|engine| engine.inspect(request.text("code"), cursor));
            let content = json!({ "found": found.is_some(), "data": found.unwrap_or_default(), "metadata": {} });
            answering.reply("inspect_reply", content);
        }
        "is_complete_request" => answering.reply("is_complete_reply", is_complete(request.text("code"))),
        "history_request" => answering.reply("history_reply", json!({ "history": [] })),
        "comm_info_request" => answering.reply("comm_info_reply", json!({ "comms": {} })),
        // No widget lives here: whoever opens one is told so, as the protocol asks.
        "comm_open" => answering.tell("comm_close", json!({ "comm_id": request.text("comm_id"), "data": {} })),
        _ => {}
    }
}

fn complete(code: &str, cursor: usize, engine: &mut EngineSlot) -> Value {
    let found = engine.ready().map(|engine| engine.complete(code, cursor));
    let found = found.unwrap_or_else(|| crate::engine::Completions { matches: Vec::new(), range: cursor..cursor });
    json!({ "matches": found.matches, "cursor_start": found.range.start, "cursor_end": found.range.end, "metadata": {} })
}

fn is_complete(code: &str) -> Value {
    match completeness(code) {
        Completeness::Complete => json!({ "status": "complete" }),
        Completeness::Incomplete => json!({ "status": "incomplete", "indent": "    " }),
        Completeness::Invalid => json!({ "status": "invalid" }),
    }
}

/// What the kernel says of itself.
pub fn kernel_info() -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "protocol_version": PROTOCOL,
        "implementation": "pellucid",
        "implementation_version": version,
        "banner": format!("Pellucid {version}: what a vision transformer relied on, in Rust. Research use only; no diagnosis."),
        "debugger": false,
        "help_links": [],
        "language_info": language_info(),
    })
}

/// What a notebook says of its language.
pub fn language_info() -> Value {
    json!({
        "name": "rust",
        "version": "2024",
        "mimetype": "text/rust",
        "file_extension": ".rs",
        "codemirror_mode": "rust",
        "pygments_lexer": "rust",
    })
}
