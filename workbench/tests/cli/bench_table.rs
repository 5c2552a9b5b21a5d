//! `xai/bench/gpu_table.py`: figures come from results that may be published, and from nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::run::setup;

const NONE_YET: &str = "not measured";

fn bench() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../xai/bench")
}

/// The table of these results; nothing where there is no Python.
fn table(results: &[Value]) -> Option<String> {
    let (dir, _) = setup("gpu_table");
    let names: Vec<_> = (0..results.len()).map(|index| format!("{index}.json")).collect();
    for (name, result) in names.iter().zip(results) {
        dir.write(name, result.to_string().as_bytes());
    }
    let files = names.iter().map(|name| dir.path(name));
    let Ok(ran) = Command::new("python3").arg(bench().join("gpu_table.py")).args(files).output() else {
        println!("SKIPPED: python3 is not here, so the GPU table was not made");
        return None;
    };
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).expect("a table is text"))
}

fn line<'a>(table: &'a str, start: &str) -> &'a str {
    table.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no line {start} in\n{table}"))
}

fn samples(milliseconds: f64, runs: usize) -> Value {
    json!({ "median": milliseconds, "first_quartile": milliseconds, "third_quartile": milliseconds, "raw": vec![milliseconds; runs] })
}

fn row(task: &str, milliseconds: f64, runs: usize) -> Value {
    let time = samples(milliseconds, runs);
    json!({ "model": "vit_large_patch32_384", "precision": "bf16", "batch": 64, "task": task, "computing": time, "elapsed": time,
        "end_to_end": samples(2.0 * milliseconds, runs), "peak_bytes": 1 << 30, "share_of_floor": 0.5 })
}

fn ours(emulated: bool, passed: bool, runs: usize) -> Value {
    let machine = json!({ "name": "NVIDIA H200", "emulated": emulated, "cuda": "13.0", "found": [null, null], "kernels": "0123456789abcdef",
        "products": "as found" });
    json!({ "kind": "pellucid bench gpu", "made_by": "pellucid 0.1.0", "when": "today", "seed": 1, "quick": false, "machine": machine,
        "gates": [{ "what": "logits", "passed": passed }], "rates": [], "ladder": [row("forward", 10.0, runs), row("rollout", 10.5, runs)] })
}

fn peers() -> Value {
    json!({ "kind": "peers gpu", "when": "today", "versions": { "torch": "2" }, "missing": {}, "quick": false, "device": "NVIDIA H200", "rows": [
        { "model": "vit_large_patch32_384", "precision": "bf16", "batch": 64, "task": "rollout", "recipe": "eager with maps, rollout",
          "elapsed": samples(42.0, 30) },
        { "model": "vit_large_patch32_384", "precision": "bf16", "batch": 64, "task": "forward", "recipe": "forward, SDPA",
          "left_out": "out of memory: all of it" } ] })
}

#[test]
fn what_the_readme_says_is_what_the_committed_results_say() {
    let mut committed: Vec<PathBuf> = std::fs::read_dir(bench().join("results")).unwrap().map(|entry| entry.unwrap().path()).collect();
    committed.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("gpu")));
    committed.sort();
    let results: Vec<Value> = committed.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect();
    let Some(table) = table(&results) else { return };
    let readme = std::fs::read_to_string(bench().join("README.md")).unwrap();
    let between = readme.split("<!-- bench: gpu -->\n").nth(1).and_then(|rest| rest.split("<!-- bench: end -->").next());
    assert_eq!(between, Some(table.as_str()), "run xai/bench/gpu_table.py --into xai/bench/README.md");
    assert!(!results.is_empty() || table.matches(NONE_YET).count() == 15, "{table}");
}

#[test]
fn figures_and_ratios_are_those_of_the_results() {
    let Some(table) = table(&[ours(false, true, 30), peers()]) else { return };
    assert!(line(&table, "| ViT-L/32-384 forward, 64 pictures |").ends_with("| 6,400 img/s (reached) |"), "{table}");
    assert!(line(&table, "| ViT-L/32-384 rollout of the class token").ends_with("| 5.0 % (missed) |"), "{table}");
    assert!(line(&table, "| rollout against eager with maps").ends_with("| 4.0 × (reached) |"), "{table}");
    assert!(line(&table, "| ViT-B/16-384 forward").ends_with(&format!("| {NONE_YET} |")), "{table}");
    let of_rollout = "| ViT-L/32-384 | bf16 | 64 | rollout | 10.500 (10.500 to 10.500) | 50 % | 10.500 | 21.00 | 1024 | 42.000 (eager with maps, rollout) | **4.00** |";
    assert!(table.contains(of_rollout), "{table}");
    assert!(table.contains("NVIDIA H200, CUDA 13.0, clocks unknown; seed 1, 1 gates passed, kernels 0123456789ab"), "{table}");
}

#[test]
fn what_may_not_be_published_is_no_figure() {
    for (result, why) in [(ours(true, true, 30), "an emulated device"), (ours(false, false, 30), "1 gates of parity failed")] {
        let Some(table) = table(&[result, peers()]) else { return };
        assert!(table.contains(&format!("Left aside: {why}")), "{table}");
        assert_eq!(table.matches(NONE_YET).count(), 15, "{table}");
    }
    let Some(table) = table(&[ours(false, true, 29)]) else { return };
    assert!(table.contains("not measured: only 29 runs of 30") && !table.contains("img/s (reached)"), "{table}");
}
