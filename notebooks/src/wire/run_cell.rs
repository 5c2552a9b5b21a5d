//! `execute_request`: a cell runs, and everybody sees what it hands out while it does.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use super::engine_slot::{EngineSlot, failed};
use super::message::Message;
use super::outgoing::Answering;
use crate::engine::{CellError, Outcome};

/// How a cell is run, from the request's flags.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// Nothing is told to anybody.
    silent: bool,
    /// It counts.
    counts: bool,
}

/// Runs a cell; the reply's content comes back, to be sent when the queue behind it has been looked at.
pub fn run_cell(request: &Message, answering: &Answering, engine: &mut EngineSlot, count: &mut u64) -> Value {
    let silent = request.flag("silent", false);
    let code = request.text("code");
    let manner = Manner { silent, counts: !silent && request.flag("store_history", true) };
    if code.trim().is_empty() {
        return done(*count);
    }
    if manner.counts {
        *count += 1;
    }
    if !silent {
        answering.tell("execute_input", json!({ "code": code, "execution_count": *count }));
    }
    match execute(code, answering, engine, *count, manner) {
        Outcome::Done => done(*count),
        Outcome::Failed(error) => {
            let content = json!({ "ename": error.name, "evalue": error.message, "traceback": error.traceback });
            if !silent {
                answering.tell("error", content.clone());
            }
            let mut reply = content;
            reply["status"] = "error".into();
            reply["execution_count"] = (*count).into();
            reply["user_expressions"] = json!({});
            reply["payload"] = json!([]);
            reply
        }
    }
}

fn execute(code: &str, answering: &Answering, engine: &mut EngineSlot, count: u64, manner: Manner) -> Outcome {
    let mut tell = |event| {
        if !manner.silent {
            answering.event(event, count);
        }
    };
    let engine = match engine.wait(&mut tell) {
        Ok(engine) => engine,
        Err(error) => return Outcome::Failed(error),
    };
    // A fault of the engine ends the cell, not the kernel: variables live in another process.
    catch_unwind(AssertUnwindSafe(|| engine.execute(code, &mut tell))).unwrap_or_else(|panic| Outcome::Failed(panicked(&panic)))
}

fn panicked(panic: &Box<dyn std::any::Any + Send>) -> CellError {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    failed(&format!("the engine failed ({}); restart the kernel", text.unwrap_or("no message")))
}

fn done(count: u64) -> Value {
    json!({ "status": "ok", "execution_count": count, "user_expressions": {}, "payload": [] })
}
