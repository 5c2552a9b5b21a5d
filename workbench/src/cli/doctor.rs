//! `pellucid doctor`: what was found on this machine, and what is used.

use clap::Args;
use kernels::Instructions;
use kernels::device::Cuda;
use serde::Serialize;
use xai::{Device, VitConfig};

use crate::drawn_model;
use crate::hub::{Hub, Reach};

/// Say what was found on this machine and what is used.
#[derive(Debug, Args)]
#[command(
    after_help = "Models named hf:OWNER/NAME[@REVISION] come from the Hugging Face hub. Obeyed are, as by Python's huggingface_hub:\n  HF_ENDPOINT      another hub or a mirror\n  HF_HOME          folder for everything of the hub; the cache is `hub` in it\n  HF_HUB_CACHE     the cache's folder itself\n  HF_HUB_OFFLINE   1: ask nobody, the cache answers\n  HF_TOKEN         for private and gated models; never shown, sent to the endpoint only\n\nExample: pellucid doctor --json"
)]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    target: String,
    threads: usize,
    cpu_features: Vec<&'static str>,
    gemm: &'static str,
    cuda: String,
    device: String,
    caches: String,
    hub: String,
    built_in_model: String,
    architectures: Vec<&'static str>,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let findings = findings();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
        return Ok(());
    }
    let rows = [
        ("pellucid", format!("{} for {}", findings.version, findings.target)),
        ("threads", findings.threads.to_string()),
        ("vector instructions", join_or(&findings.cpu_features, "none known")),
        ("matrix products", findings.gemm.into()),
        ("CUDA", findings.cuda),
        ("computes on", findings.device),
        ("cache folder", findings.caches),
        ("models hf:OWNER/NAME", findings.hub),
        ("built-in model", findings.built_in_model),
        ("architectures", findings.architectures.join(", ")),
    ];
    rows.iter().for_each(|(what, found)| println!("{what:>20}  {found}"));
    Ok(())
}

fn findings() -> Findings {
    let (caches, hub) = hub();
    let gemm = match Instructions::best() {
        Instructions::Amx => "AMX (f32 in three bf16 parts, bf16)",
        Instructions::Avx512Bf16 => "AVX-512 (f32), AVX512-BF16 (bf16)",
        Instructions::Avx512 => "AVX-512 (f32; bf16 widened)",
        Instructions::Avx2 => "AVX2 and FMA (f32; bf16 widened)",
        Instructions::Portable => "portable code (f32; bf16 widened)",
    };
    Findings {
        version: env!("CARGO_PKG_VERSION"),
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        threads: rayon::current_num_threads(),
        cpu_features: Instructions::available().into_iter().map(Instructions::name).collect(),
        gemm,
        cuda: cuda(),
        device: Device::best().to_string(),
        caches,
        hub,
        built_in_model: format!("vit_drawn, {}", drawn_model::LABEL),
        architectures: VitConfig::named().into_iter().map(|(name, _)| name).collect(),
    }
}

fn cuda() -> String {
    match Cuda::probe() {
        Cuda::NoDriver => "not used: no driver library (libcuda) was found".into(),
        Cuda::Broken(reason) => format!("not used: the driver does not start ({reason})"),
        Cuda::Found { version, devices } => {
            let version = format!("{}.{}", version / 1000, version % 1000 / 10);
            format!("not used: this version has no CUDA kernels yet; driver for CUDA {version}, {}", devices.join(", "))
        }
    }
}

/// The folder that models of the hub are kept in, and how the hub is asked; the token itself is never shown.
fn hub() -> (String, String) {
    let hub = match Hub::from_env() {
        Ok(hub) => hub,
        Err(failure) => return ("none".into(), format!("not available: {failure}")),
    };
    let kept = if hub.cache.is_dir() { "shared with Python's huggingface_hub" } else { "made when a model is fetched" };
    let reach = match hub.reach {
        Reach::Online => format!("from {}", hub.endpoint),
        Reach::Offline => "from the cache only: HF_HUB_OFFLINE is set".into(),
    };
    let token = if hub.token.is_some() { "with a token" } else { "without a token" };
    (format!("{} ({kept})", hub.cache.display()), format!("{reach}, {token}"))
}

fn join_or(found: &[&str], none: &str) -> String {
    if found.is_empty() { none.into() } else { found.join(", ") }
}
