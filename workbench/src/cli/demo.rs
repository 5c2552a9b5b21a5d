//! `pellucid demo`: a drawn cohort, explained and served, without a download.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use clap::Args;
use xai::Method;

use super::evidence::table;
use crate::dashboard::{Settings, serve};
use crate::drawn_model;
use crate::evidence::localisation;

/// Draw a cohort, explain it, serve the dashboard on this machine.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is downloaded and nothing is written: lesions are drawn, the model is the small one that ships.\nThe dashboard listens on this machine only; Ctrl-C ends it.\n\nExample: pellucid demo --port 8080"
)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 7878)]
    port: u16,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let settings = Settings::demo()?;
    println!(
        "{} drawn lesions; a small ViT {}: it shows how Pellucid works, not what skin has.",
        settings.cohort.len(),
        drawn_model::LABEL
    );
    let methods = ["rollout", "relevance"].map(|name| Ok((name.to_owned(), Method::by_name(name)?)));
    let methods = methods.into_iter().collect::<Result<Vec<_>, xai::Error>>()?;
    let rows = localisation(&settings.model, &settings.cohort, &settings.shown, &methods)?;
    println!(
        "Relevance inside the lesion on the {} of the worklist, beside maps that know nothing:\n\n{}",
        settings.shown.len(),
        table(&rows)
    );
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let runtime = tokio::runtime::Runtime::new().context("the server cannot start")?;
    runtime.block_on(serve(settings, address, |address| {
        println!("Dashboard: http://{address}/   (Ctrl-C ends it)");
    }))
}
