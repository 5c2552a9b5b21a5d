//! `pellucid demo`: a drawn cohort, explained and served.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use clap::Args;
use datasets::synthetic::CohortPlan;
use xai::{HeadKind, Method};

use super::evidence::table;
use super::model::ModelArguments;
use crate::dashboard::{Settings, serve};
use crate::drawn_model;
use crate::evidence::localisation;

/// Draw a cohort, explain it, serve the dashboard on this machine.
#[derive(Debug, Args)]
#[command(
    after_help = "Lesions are drawn and nothing is written. The model is the small one that ships, and nothing is downloaded, unless\nanother is named. The dashboard listens on this machine only and answers to its address and `localhost`; Ctrl-C ends it.\n\nExample: pellucid demo --port 8080"
)]
pub struct Arguments {
    /// Port on 127.0.0.1; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 7878)]
    port: u16,

    #[command(flatten)]
    model: ModelArguments,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let settings = settings(&arguments.model)?;
    let names = if settings.model.head() == HeadKind::None { &["rollout"][..] } else { &["rollout", "relevance"] };
    let methods = names.iter().map(|name| Ok(((*name).to_owned(), Method::by_name(name)?)));
    let methods = methods.collect::<Result<Vec<_>, xai::Error>>()?;
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

/// The small model with its test record, or the named one over a cohort of its own.
fn settings(model: &ModelArguments) -> anyhow::Result<Settings> {
    if model.model != "drawn" {
        return Settings::of(model.load()?, &CohortPlan::default());
    }
    let settings = Settings::demo()?;
    println!(
        "{} drawn lesions; a small ViT {}: it shows how Pellucid works, not what skin has.",
        settings.cohort.len(),
        drawn_model::LABEL
    );
    Ok(settings)
}
