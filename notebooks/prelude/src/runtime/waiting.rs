//! `.await` at the top of a cell.

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::failure::Fail;
use super::interrupt;

/// How soon an interruption ends a future that waits.
const LOOK: Duration = Duration::from_millis(20);

thread_local! {
    static WAITER: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// Runs a cell's body that awaits; timers and sockets of tokio work, and an interruption ends it wherever it waits.
///
/// # Errors
///
/// What the body ends with, or that no runtime could be started.
pub fn block_on(body: impl Future<Output = Result<(), Fail>>) -> Result<(), Fail> {
    WAITER.with_borrow_mut(|waiter| {
        let runtime = match waiter {
            Some(runtime) => runtime,
            None => waiter.insert(Builder::new_current_thread().enable_all().build()?),
        };
        runtime.block_on(unless_interrupted(body))
    })
}

async fn unless_interrupted(body: impl Future<Output = Result<(), Fail>>) -> Result<(), Fail> {
    let interruption = async {
        while !interrupt::interrupted() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        ended = body => ended,
        () = interruption => interrupt::unwind(),
    }
}
