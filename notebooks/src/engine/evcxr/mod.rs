//! The compatible engine: evcxr as a library, its cells linked against the prebuilt library.
//!
//! ```text
//! evcxr ──stdin──▶ tap (this program again) ──the same stdin──▶ runtime (this program once more), which loads cells
//!       ◀─stdout──     records of what it reads     ◀── stdout, stderr ──
//! ```
//!
//! evcxr says nothing of panics and of `?`, collects rich output until a cell's end and keeps one of each kind. The tap stands
//! between it and its runtime, so everything is seen as it happens and in its order; evcxr itself is used as it is.

use std::sync::Arc;
use std::time::Duration;

use evcxr::{CommandContext, EvalContext, EvalContextOutputs};

use super::{Bundle, Completions, Engine, Event, Outcome};
use crate::error::{Error, Result};
use crate::prebuilt::Prebuilt;
use record::Record;
use stop::Stop;

mod failure;
mod record;
mod room;
mod stop;
mod tap;
mod words;

pub use room::Room;
pub use tap::{TAP, tap};

/// How long evcxr's channel is listened to before it is looked whether the cell has ended.
const LISTEN: Duration = Duration::from_millis(5);

/// What every cell sees, once a kernel.
const ITEMS: &str = "#[allow(unused_imports)] use pellucid::prelude::*;
#[allow(unused_imports)] use pellucid::runtime::evcxr::{ByDebug as _, ByType as _};";
/// What every process of cells begins with: our interruption, and panics that say no more than they must.
const PROCESS: &str = "pellucid::runtime::pellucid_start(); std::panic::set_hook(Box::new(|panic| eprintln!(\"{panic}\"))); let _ = Ok::<i32, std::fmt::Error>(1)?;";
/// Takes an interruption back that no loop has met.
const RESET: &str = "pellucid::runtime::guard(|| ());";

/// evcxr in a room of its own.
pub struct Evcxr {
    context: CommandContext,
    outputs: EvalContextOutputs,
    stop: Arc<Stop>,
}

impl Evcxr {
    /// Starts it; the process must have entered a [`Room`].
    ///
    /// # Errors
    /// When evcxr does not start or the library cannot be used, with what it says.
    pub fn start(prebuilt: &Prebuilt) -> Result<Self> {
        let failed = |why: String| Error::Engine { engine: "evcxr", why };
        let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut runtime = std::process::Command::new(program);
        runtime.env(TAP, "1");
        let (context, outputs) = EvalContext::with_subprocess_command(runtime).map_err(|error| failed(error.to_string()))?;
        let mut engine = Self { context: CommandContext::with_eval_context(context), outputs, stop: Arc::default() };
        for code in [format!(":build_env CARGO_ENCODED_RUSTFLAGS={}", flags(prebuilt)), ":opt 0".into(), ITEMS.into(), PROCESS.into()] {
            if let Outcome::Failed(error) = engine.run(&code, &mut |_| ()) {
                return Err(failed(format!("{}\n{}", error.message, error.traceback.join("\n"))));
            }
        }
        Ok(engine)
    }

    /// Runs code on another thread and hands on what is told meanwhile.
    fn run(&mut self, code: &str, output: &mut dyn FnMut(Event)) -> Outcome {
        self.stop.begin();
        let mut heard = Heard::default();
        let (context, outputs, stop) = (&mut self.context, &self.outputs, &self.stop);
        let ended = std::thread::scope(|scope| {
            let running = scope.spawn(|| context.execute(code));
            while !running.is_finished() {
                if let Ok(line) = outputs.stdout.recv_timeout(LISTEN) {
                    heard.line(&line, stop, output);
                }
            }
            outputs.stdout.try_iter().for_each(|line| heard.line(&line, stop, output));
            running.join()
        });
        for line in self.outputs.stderr.try_iter() {
            output(Event::Stderr(line + "\n"));
        }
        let outcome = heard.outcome(ended, self.stop.was_asked(), output);
        self.stop.end();
        outcome
    }
}

/// What a cell has told so far.
#[derive(Debug, Default)]
struct Heard {
    panicked: bool,
    failed: bool,
    stderr: failure::Tail,
}

impl Heard {
    fn line(&mut self, line: &str, stop: &Stop, output: &mut dyn FnMut(Event)) {
        match Record::read(line) {
            Some(Record::Event(event)) => {
                if let Event::Stderr(text) = &event {
                    self.stderr.push(text);
                }
                output(event);
            }
            Some(Record::Process(id)) => stop.process(id),
            Some(Record::Panicked) => self.panicked = true,
            Some(Record::Failed) => self.failed = true,
            None => output(Event::Stdout(format!("{line}\n"))),
        }
    }

    fn outcome(
        self,
        ended: std::thread::Result<std::result::Result<evcxr::EvalOutputs, evcxr::Error>>,
        asked: bool,
        output: &mut dyn FnMut(Event),
    ) -> Outcome {
        let outputs = match ended {
            Err(_) => return Outcome::Failed(failure::stopped("evcxr itself failed; restart the kernel")),
            Ok(Err(error)) => return Outcome::Failed(failure::of(&error, asked)),
            Ok(Ok(outputs)) => outputs,
        };
        // Commands such as `:vars` answer here; what cells show went through the tap.
        let bundle: Bundle = outputs.content_by_mime_type.into_iter().map(|(mime, text)| (mime, text.into())).collect();
        if !bundle.is_empty() {
            output(Event::Result(bundle));
        }
        match (self.panicked, self.failed) {
            (false, false) => Outcome::Done,
            _ if asked => Outcome::Failed(failure::interrupted("interrupted; variables of earlier cells are kept")),
            (true, _) => Outcome::Failed(self.stderr.panic()),
            _ => Outcome::Failed(self.stderr.error()),
        }
    }
}

impl Engine for Evcxr {
    fn execute(&mut self, code: &str, output: &mut dyn FnMut(Event)) -> Outcome {
        let outcome = self.run(code, output);
        let again = match &outcome {
            Outcome::Failed(error) if error.name == failure::DIED => Some(PROCESS),
            Outcome::Failed(error) if error.name == failure::INTERRUPTED => Some(RESET),
            _ => None,
        };
        if let Some(code) = again {
            self.run(code, &mut |_| ());
        }
        outcome
    }

    fn interrupter(&self) -> Box<dyn Fn() + Send + Sync> {
        let stop = self.stop.clone();
        Box::new(move || stop.ask())
    }

    fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        let found = self.context.completions(code, words::bytes(code, cursor));
        let Ok(found) = found else { return Completions { matches: Vec::new(), range: cursor..cursor } };
        let range = words::characters(code, found.start_offset)..words::characters(code, found.end_offset);
        Completions { matches: found.completions.into_iter().map(|completion| completion.code).collect(), range }
    }

    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Bundle> {
        let (plain, markdown) = self.context.hover_at(code, words::bytes(code, cursor)).ok()?;
        (!plain.starts_with("No documentation"))
            .then(|| [("text/plain".into(), plain.into()), ("text/markdown".into(), markdown.into())].into_iter().collect())
    }
}

/// What rustc is told, in cargo's writing that allows spaces in paths.
fn flags(prebuilt: &Prebuilt) -> String {
    let mut flags = vec!["-Cprefer-dynamic".to_owned(), format!("--extern=pellucid={}", prebuilt.library.display())];
    flags.extend(prebuilt.externs.iter().map(|(name, archive)| format!("--extern={name}={}", archive.display())));
    flags.extend(prebuilt.search.iter().map(|folder| format!("-Ldependency={}", folder.display())));
    for folder in [&prebuilt.folder, &prebuilt.target_libdir] {
        flags.extend(["-Clink-arg=-Wl,-rpath".to_owned(), format!("-Clink-arg=-Wl,{}", folder.display())]);
    }
    flags.join("\u{1f}")
}
