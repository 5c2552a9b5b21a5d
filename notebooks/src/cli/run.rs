//! `run`: a notebook without Jupyter.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::evcxr::Room;
use crate::engine::{EngineKind, choice};
use crate::prebuilt::{Recipe, Show, find_or_build, shown};
use crate::runner::{self, Parameter, Run};

/// Run a notebook from a clean kernel, without Jupyter.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with status 1 at the first cell that does not compile, panics, or ends by `?`; what ran is written to --out all the same.\nParameters replace constants of the cell tagged `parameters`: a cell with `let NAME = VALUE;` is put behind it.\n\nExample: pellucid notebook run lesson.ipynb --out executed.ipynb --param epochs=3"
)]
pub struct Arguments {
    /// The notebook
    #[arg(value_name = "X.ipynb")]
    notebook: PathBuf,

    /// Write the executed notebook here
    #[arg(long, value_name = "Y.ipynb")]
    out: Option<PathBuf>,

    /// Give a constant another value: a number, true, false, or text
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<Parameter>,

    /// What runs cells
    #[arg(long, value_enum, default_value_t)]
    engine: EngineKind,

    /// Seconds that one cell may take; without it, as long as it takes
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// # Safety
/// No other thread may run yet.
pub unsafe fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // SAFETY: the caller's promise.
    let _room = (arguments.engine == EngineKind::Evcxr).then(|| unsafe { Room::enter() }).transpose()?;
    runner::check(&arguments.notebook, &arguments.parameters)?;
    let prebuilt = find_or_build(&Recipe::from_env()?, &mut shown(Show::Terminal))?;
    let mut engine = choice::on(arguments.engine, &prebuilt)?;
    let settings = Run {
        notebook: arguments.notebook.clone(),
        out: arguments.out.clone(),
        parameters: arguments.parameters.clone(),
        timeout: arguments.timeout.map(Duration::from_secs),
    };
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{msg:>24} {wide_bar} {pos}/{len} cells {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(arguments.notebook.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let mut cells = 0;
    let ran = runner::run(&settings, engine.as_mut(), &mut |done, of| {
        cells = of;
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    ran?;
    println!("{}: {cells} cells passed", arguments.notebook.display());
    Ok(())
}
