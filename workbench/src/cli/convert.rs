//! `pellucid convert`: any readable checkpoint as one safetensors file.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use xai::{LoadOptions, to_safetensors};

use super::model::thousands;
use super::read_checkpoint::in_child;
use crate::progress;

/// Write a checkpoint as safetensors.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads safetensors in one file or several, and PyTorch's .pth, .pt, .bin and .ckpt; of a folder, what Hugging Face\nwrites. A pickle is read in a process that can do nothing else, and nothing in it is run. Numbers stay as they are.\n\nExample: pellucid convert model.pth model.safetensors"
)]
pub struct Arguments {
    /// The checkpoint: a file or a folder
    #[arg(value_name = "DIR|FILE")]
    from: PathBuf,

    /// The file to write; it must not exist
    #[arg(value_name = "FILE.safetensors")]
    to: PathBuf,

    /// Which of several state dicts in one file is meant
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// SHA-256 that the checkpoint's bytes must have
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let to = &arguments.to;
    if to.extension().is_none_or(|ending| ending != "safetensors") {
        bail!("{} does not end in .safetensors, so nobody would know what it is", to.display());
    }
    if to.exists() {
        bail!("{} exists already; it is not overwritten", to.display());
    }
    let options =
        LoadOptions { pickles: in_child()?, key: arguments.key.clone(), sha256: arguments.sha256.clone(), ..LoadOptions::default() };
    let spinner = progress::spinner(&format!("reading {}", arguments.from.display()));
    let converted = to_safetensors(&arguments.from, &options);
    drop(spinner);
    let converted = converted?;
    write(to, &converted.safetensors)?;
    eprintln!("{}", converted.notes.join("; "));
    eprintln!("SHA-256 of what was read: {}", converted.sha256);
    println!("{} bytes in {}", thousands(converted.safetensors.len()), to.display());
    Ok(())
}

/// All of the file or none of it.
fn write(to: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let told = || format!("{} cannot be written", to.display());
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(told)?;
    file.write_all(bytes).with_context(told)?;
    file.as_file().sync_all().with_context(told)?;
    file.persist_noclobber(to).with_context(told)?;
    Ok(())
}
