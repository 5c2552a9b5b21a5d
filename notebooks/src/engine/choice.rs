//! Which engine runs cells.

use super::direct::{Direct, Settings};
use super::evcxr::Evcxr;
use super::{Engine, Event};
use crate::error::{Error, Result};
use crate::prebuilt::{Prebuilt, Progress, Recipe, Show, find_or_build, shown};

/// The engines behind the one trait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineKind {
    /// Compiles each cell with rustc itself: the fast one
    #[default]
    Direct,
    /// evcxr with its commands (`:dep`, `:vars`, …): the compatible one
    Evcxr,
}

impl EngineKind {
    /// As it is written on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Evcxr => "evcxr",
        }
    }
}

/// Gets the library and an engine on it ready; a build that takes long is shown as text of standard error.
///
/// # Errors
/// When the library cannot be built or the engine does not start.
pub fn start(kind: EngineKind, tell: &mut dyn FnMut(Event)) -> Result<Box<dyn Engine>> {
    let recipe = Recipe::from_env()?;
    let mut write = |text: String| tell(Event::Stderr(text));
    let mut progress: Box<dyn FnMut(Progress)> = shown(Show::Cell(&mut write));
    let prebuilt = find_or_build(&recipe, &mut progress)?;
    drop(progress);
    on(kind, &prebuilt)
}

/// An engine on a library that is there.
///
/// # Errors
/// When it does not start.
pub fn on(kind: EngineKind, prebuilt: &Prebuilt) -> Result<Box<dyn Engine>> {
    match kind {
        EngineKind::Evcxr => Ok(Box::new(Evcxr::start(prebuilt)?)),
        EngineKind::Direct => {
            let failed = |source: std::io::Error| Error::Engine { engine: "direct", why: source.to_string() };
            let program = std::env::current_exe().map_err(failed)?;
            Ok(Box::new(Direct::start(Settings { prebuilt: prebuilt.clone(), program }).map_err(failed)?))
        }
    }
}
