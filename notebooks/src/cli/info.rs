//! `info`: what is used.

use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::engine::EngineKind;
use crate::prebuilt::{Recipe, folder};

/// Say which toolchain, library and engine are used.
#[derive(Debug, Args)]
#[command(after_help = "Example: pellucid notebook info --json")]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let recipe = Recipe::from_env()?;
    let folder = folder(&recipe)?;
    let built = folder.join("index.json").is_file();
    let size = size(&folder) >> 20;
    let toolchain = recipe.toolchain.version.lines().next().unwrap_or_default().to_owned();
    if arguments.json {
        let found = json!({
            "version": env!("CARGO_PKG_VERSION"), "toolchain": toolchain, "host": recipe.toolchain.host, "rustc": recipe.toolchain.rustc,
            "source": recipe.source, "key": folder.file_name().map(|key| key.to_string_lossy()), "library": folder, "built": built,
            "mebibytes": size, "engine": EngineKind::default().name(),
        });
        println!("{found:#}");
        return Ok(());
    }
    let state =
        if built { format!("{} ({size} MiB)", folder.display()) } else { format!("not built yet; it will be {}", folder.display()) };
    let rows = [
        ("pellucid-notebook", format!("{} for {}", env!("CARGO_PKG_VERSION"), recipe.toolchain.host)),
        ("toolchain", toolchain),
        ("compiler", recipe.toolchain.rustc.display().to_string()),
        ("source", recipe.source.display().to_string()),
        ("library of cells", state),
        ("engine", format!("{} (unless --engine says otherwise)", EngineKind::default().name())),
    ];
    rows.iter().for_each(|(what, found)| println!("{what:>20}  {found}"));
    Ok(())
}

/// Bytes of everything below a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.metadata().map_or(0, |found| if found.is_dir() { size(&entry.path()) } else { found.len() })).sum()
}
