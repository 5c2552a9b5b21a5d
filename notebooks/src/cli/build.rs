//! `build`: the library that cells use.

use clap::Args;

use crate::prebuilt::{Recipe, Show, find_or_build, shown};

/// Build the library that cells use, if it is not built yet.
#[derive(Debug, Args)]
#[command(
    after_help = "Compiled dependencies are those of `cargo build --release` in the same target folder (CARGO_TARGET_DIR is honoured).\nThe two newest builds are kept, and those that a kernel uses.\n\nExample: pellucid notebook build"
)]
pub struct Arguments {}

pub fn run() -> anyhow::Result<()> {
    let recipe = Recipe::from_env()?;
    let prebuilt = find_or_build(&recipe, &mut shown(Show::Terminal))?;
    println!("ready: {}", prebuilt.folder.display());
    Ok(())
}
