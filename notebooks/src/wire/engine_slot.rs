//! The engine while it is got ready and after: cells wait for it and show what it does meanwhile.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::engine::{CellError, Engine, Event};

/// Gets an engine ready and tells what it does on the way; called again where it failed and another cell is run.
pub type Starter = Arc<dyn Fn(&mut dyn FnMut(Event)) -> Result<Box<dyn Engine>, CellError> + Send + Sync>;

type Interrupter = Box<dyn Fn() + Send + Sync>;

enum News {
    Event(Event),
    Ready(Result<Box<dyn Engine>, CellError>),
}

/// Interrupts whatever runs: a cell, or the wait for the engine.
#[derive(Clone, Default)]
pub struct Interrupts {
    engine: Arc<Mutex<Option<Interrupter>>>,
    waiting: Arc<Mutex<bool>>,
}

impl Interrupts {
    /// From any thread.
    pub fn interrupt(&self) {
        *lock(&self.waiting) = true;
        if let Some(interrupt) = &*lock(&self.engine) {
            interrupt();
        }
    }
}

/// No thread panics while it holds one of these locks, and their contents are whole in any case.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Holds the engine, or the way to it.
pub struct EngineSlot {
    starter: Starter,
    coming: Option<Receiver<News>>,
    engine: Option<Box<dyn Engine>>,
    interrupts: Interrupts,
}

impl EngineSlot {
    /// Begins to get the engine ready at once.
    pub fn start(starter: Starter, interrupts: Interrupts) -> Self {
        let coming = Some(begin(&starter));
        Self { starter, coming, engine: None, interrupts }
    }

    /// The engine if it is ready by now.
    pub fn ready(&mut self) -> Option<&mut Box<dyn Engine>> {
        while let Some(news) = self.coming.as_ref().and_then(|coming| coming.try_recv().ok()) {
            // What it tells before a cell waits is shown to nobody: there is no cell that it belongs to.
            if let News::Ready(outcome) = news {
                self.coming = None;
                self.install(outcome.ok());
            }
        }
        self.engine.as_mut()
    }

    /// The engine; waits for it, and begins again where it failed before.
    pub fn wait(&mut self, tell: &mut dyn FnMut(Event)) -> Result<&mut Box<dyn Engine>, CellError> {
        *lock(&self.interrupts.waiting) = false;
        if self.engine.is_none() {
            let coming = self.coming.take().unwrap_or_else(|| begin(&self.starter));
            match await_ready(&coming, &self.interrupts, tell) {
                Some(outcome) => self.install(Some(outcome?)),
                None => {
                    self.coming = Some(coming);
                    return Err(interrupted());
                }
            }
        }
        self.engine.as_mut().ok_or_else(interrupted)
    }

    fn install(&mut self, engine: Option<Box<dyn Engine>>) {
        *lock(&self.interrupts.engine) = engine.as_ref().map(|engine| engine.interrupter());
        self.engine = engine;
    }
}

fn begin(starter: &Starter) -> Receiver<News> {
    let (sender, coming) = channel();
    let starter = starter.clone();
    std::thread::spawn(move || {
        // The kernel may have ended meanwhile.
        let outcome = starter(&mut |event| drop(sender.send(News::Event(event))));
        let _ = sender.send(News::Ready(outcome));
    });
    coming
}

/// Nothing where the wait was interrupted.
fn await_ready(
    coming: &Receiver<News>,
    interrupts: &Interrupts,
    tell: &mut dyn FnMut(Event),
) -> Option<Result<Box<dyn Engine>, CellError>> {
    loop {
        match coming.recv_timeout(Duration::from_millis(50)) {
            Ok(News::Event(event)) => tell(event),
            Ok(News::Ready(outcome)) => return Some(outcome),
            Err(RecvTimeoutError::Disconnected) => return Some(Err(failed("the engine's thread ended"))),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if std::mem::take(&mut *lock(&interrupts.waiting)) {
            return None;
        }
    }
}

fn interrupted() -> CellError {
    let message = "interrupted while the engine was got ready, which goes on";
    CellError { name: "Interrupted".into(), message: message.into(), traceback: vec![format!("Interrupted: {message}")] }
}

/// A failure that is none of the cell's.
pub fn failed(why: &str) -> CellError {
    CellError { name: "KernelError".into(), message: why.into(), traceback: vec![format!("KernelError: {why}")] }
}
