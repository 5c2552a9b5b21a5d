//! `install` and `uninstall`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::engine::EngineKind;
use crate::kernelspec::{self, DISPLAY_NAME, NAME, Place};

/// Make Jupyter know the kernel.
#[derive(Debug, Args)]
#[command(
    after_help = "The kernelspec names this very program, so install again when it was moved. Nothing is built and nothing is downloaded.\n\nExample: pellucid notebook install --sys-prefix"
)]
pub struct Install {
    #[command(flatten)]
    place: PlaceArguments,

    /// What runs cells
    #[arg(long, value_enum, default_value_t)]
    engine: EngineKind,
}

/// Make Jupyter forget the kernel.
#[derive(Debug, Args)]
#[command(after_help = "Builds stay in the cache; `pellucid notebook info` says where.\n\nExample: pellucid notebook uninstall")]
pub struct Uninstall {
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Debug, Args)]
#[group(multiple = true)]
struct PlaceArguments {
    /// For this user, whatever Jupyter is used (the default)
    #[arg(long, conflicts_with_all = ["sys_prefix", "prefix"])]
    user: bool,

    /// For the active virtual or conda environment
    #[arg(long, conflicts_with = "prefix")]
    sys_prefix: bool,

    /// Under PREFIX/share/jupyter/kernels
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<PathBuf>,

    /// The kernel's name in Jupyter's list of kernelspecs
    #[arg(long, default_value = NAME)]
    name: String,
}

impl PlaceArguments {
    fn place(&self) -> Place {
        match (&self.prefix, self.sys_prefix) {
            (Some(prefix), _) => Place::Prefix(prefix.clone()),
            (None, true) => Place::Environment,
            (None, false) => Place::User,
        }
    }
}

pub fn install(arguments: &Install) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("this program does not know where it is")?;
    let folder = kernelspec::install(&arguments.place.place(), &arguments.place.name, arguments.engine, &program)?;
    println!("{DISPLAY_NAME}: {}", folder.join("kernel.json").display());
    println!(
        "Next: pellucid notebook   (JupyterLab; the first cell ever builds the library that cells use, `pellucid notebook build` does so now)"
    );
    Ok(())
}

pub fn uninstall(arguments: &Uninstall) -> anyhow::Result<()> {
    match kernelspec::uninstall(&arguments.place.place(), &arguments.place.name)? {
        Some(folder) => println!("removed {}", folder.display()),
        None => println!("nothing to remove: no kernel {:?} in {}", arguments.place.name, arguments.place.place().kernels()?.display()),
    }
    Ok(())
}
