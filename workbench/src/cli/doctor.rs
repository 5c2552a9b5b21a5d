//! `pellucid doctor`: what was found on this machine, and what is used.

use clap::Args;
use kernels::Instructions;
use kernels::collective;
use kernels::cuda::driver::Driver;
use kernels::cuda::{Queue, Storage, modules};
use kernels::device::Cuda;
use serde::Serialize;
use xai::{Device, VitConfig};

use super::doctor_products;
use crate::drawn_model;
use crate::hub::{Hub, Reach};

/// Say what was found on this machine and what is used.
#[derive(Debug, Args)]
#[command(
    after_help = "Models named hf:OWNER/NAME[@REVISION] come from the Hugging Face hub. Obeyed are, as by Python's huggingface_hub:\n  HF_ENDPOINT      another hub or a mirror\n  HF_HOME          folder for everything of the hub; the cache is `hub` in it\n  HF_HUB_CACHE     the cache's folder itself\n  HF_HUB_OFFLINE   1: ask nobody, the cache answers\n  HF_TOKEN         for private and gated models; never shown, sent to the endpoint only\n\nProducts of matrices on GPUs (kernels/cuda/README.md):\n  PELLUCID_PRODUCTS   auto, cublaslt, wgmma (H100 and H200; never run on one so far) or own\n  PELLUCID_CUBLASLT   the library's file or folder; off: look for none\n\nSums over several GPUs (workbench/experiments/README.md):\n  PELLUCID_NCCL       NCCL's file or folder; off: look for none\n\nExample: pellucid doctor --json"
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
    cuda_modules: Vec<String>,
    cublaslt: String,
    cuda_products: Vec<String>,
    nccl: String,
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
        ("CUDA modules", join_or(&findings.cuda_modules.iter().map(String::as_str).collect::<Vec<_>>(), "none loaded")),
        ("cublasLt", findings.cublaslt),
        (
            "CUDA products",
            if findings.cuda_products.is_empty() { "none taken".into() } else { findings.cuda_products.join(&format!("\n{:22}", "")) },
        ),
        ("NCCL", findings.nccl),
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
        cuda_modules: modules(),
        cublaslt: doctor_products::library(),
        cuda_products: doctor_products::ways(devices()),
        nccl: nccl(),
        device: Device::Cpu.to_string(),
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
            let served = format!("{}.{}", version / 1000, version % 1000 / 10);
            format!("driver for CUDA {served}, which compiles {}; {}", ptx_ceiling(version), devices.join(", "))
        }
    }
}

/// The newest PTX that a driver compiles: CUDA 11.0 brought 7.0, and every version one more but for 12.6. Ours is 8.2.
fn ptx_ceiling(version: i32) -> String {
    let (major, minor) = (version / 1000, version % 1000 / 10);
    let skipped = i32::from(major == 12 && minor >= 6);
    let enough = if version < 12020 { ", older than our 8.2: cubins only" } else { "" };
    format!("PTX up to {}.{}{enough}", major - 4, minor - skipped)
}

/// How many devices the driver has.
fn devices() -> usize {
    if let Cuda::Found { devices, .. } = Cuda::probe() { devices.len() } else { 0 }
}

/// The module that each kernel is loaded from, by device.
fn modules() -> Vec<String> {
    (0..devices()).flat_map(modules_of).collect()
}

fn modules_of(ordinal: usize) -> Vec<String> {
    let capability = match Driver::open(ordinal) {
        Ok(driver) => driver.capability(),
        Err(fault) => return vec![format!("cuda:{ordinal}: {fault}")],
    };
    let half = if capability < 80 { Storage::F16 } else { Storage::Bf16 };
    let names = |storage| modules::names().into_iter().filter_map(move |name| modules::chosen(name, storage, capability).ok());
    names(Storage::F32).chain(names(half)).map(|module| format!("cuda:{ordinal} (sm_{capability}): {module}")).collect()
}

/// What several devices would add gradients through.
fn nccl() -> String {
    match collective::cuda::nccl() {
        Ok((version, path)) => format!("{} at {path}", nccl_version(version)),
        Err(fault) => fault.to_string(),
    }
}

/// 2.4.8 is told as 2408; from 2.9 on, 2.9.6 as 20906.
fn nccl_version(version: i32) -> String {
    let unit = if version < 10_000 { 1000 } else { 10_000 };
    format!("{}.{}.{}", version / unit, version % unit / 100, version % 100)
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

#[cfg(test)]
mod tests {
    use super::{nccl_version, ptx_ceiling};

    #[test]
    fn versions_of_nccl_are_told_in_two_ways() {
        assert_eq!([2408, 2804, 20906, 22809].map(nccl_version), ["2.4.8", "2.8.4", "2.9.6", "2.28.9"]);
    }

    #[test]
    fn drivers_compile_the_ptx_of_their_version() {
        let ceilings = [12020, 12050, 12060, 12090, 13000].map(ptx_ceiling);
        assert_eq!(ceilings, ["PTX up to 8.2", "PTX up to 8.5", "PTX up to 8.5", "PTX up to 8.8", "PTX up to 9.0"]);
        assert_eq!(ptx_ceiling(11080), "PTX up to 7.8, older than our 8.2: cubins only");
    }
}
