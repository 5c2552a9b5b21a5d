//! Answers the control channel at once, while a cell runs.

use serde_json::json;

use super::answers::kernel_info;
use super::engine_slot::Interrupts;
use super::message::Message;
use super::outgoing::Answering;

/// Whether the kernel goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It does.
    GoOn,
    /// It ends.
    End,
}

/// Answers one request.
pub fn control(request: &Message, answering: &Answering, interrupts: &Interrupts) -> After {
    answering.status("busy");
    let mut after = After::GoOn;
    match request.kind() {
        "kernel_info_request" => answering.reply("kernel_info_reply", kernel_info()),
        "interrupt_request" => {
            interrupts.interrupt();
            answering.reply("interrupt_reply", json!({}));
        }
        "shutdown_request" => {
            let content = json!({ "status": "ok", "restart": request.flag("restart", false) });
            answering.reply("shutdown_reply", content.clone());
            answering.tell("shutdown_reply", content);
            after = After::End;
        }
        _ => {}
    }
    answering.status("idle");
    after
}
