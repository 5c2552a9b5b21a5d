//! `pellucid bench gpu` under a `libcuda` whose device is this machine: whether it runs, and that it notices what is wrong.

#[allow(dead_code)]
#[path = "../../../kernels/emulator/library.rs"]
mod emulator;

use serde_json::Value;

use crate::run::{Dir, Pellucid, setup};

/// The command with an emulated driver; nothing where there is no C++ compiler. `before` are libraries whose kernels come first.
fn emulated(name: &str, before: &[String]) -> Option<(Dir, Pellucid)> {
    let (_, variables) = emulator::driver()?;
    let (dir, mut pellucid) = setup(name);
    for (name, value) in variables {
        let first = if name == "EMULATED_KERNELS" { before.concat() } else { String::new() };
        pellucid = pellucid.env(name, &format!("{first}{value}"));
    }
    Some((dir, pellucid))
}

fn list<'a>(report: &'a Value, name: &str) -> &'a Vec<Value> {
    report[name].as_array().unwrap_or_else(|| panic!("no {name} in {report}"))
}

const TINY: &str = "bench gpu --quick --models tiny --precision f32 --batches 1 --replays 2 --seed 5";

#[test]
fn the_whole_command_runs_on_an_emulated_device_and_says_so() {
    let Some((dir, pellucid)) = emulated("bench_gpu", &[]) else { return };
    pellucid.line(TINY).succeeds().says(&["an emulated device", "0 failed; seed 5", "smooth_grad_2", "they are no times", "gpu.json"]);
    let report = dir.json("gpu.json");
    assert_eq!((&report["machine"]["emulated"], &report["quick"], &report["seed"]), (&true.into(), &true.into(), &5.into()));
    assert_eq!(report["machine"]["kernels"].as_str().map(str::len), Some(64));
    let gates = list(&report, "gates");
    assert!(gates.len() > 60 && gates.iter().all(|gate| gate["passed"] == true && gate["seen"].is_number()), "{gates:?}");
    for what in ["tiny: logits", "tiny: relevance, cosine", "tiny: values that differ between two runs"] {
        assert!(gates.iter().any(|gate| gate["what"] == what), "no gate {what}");
    }
    let tasks: Vec<_> = list(&report, "ladder").iter().map(|row| row["task"].as_str().unwrap_or_default()).collect();
    assert_eq!(tasks, ["forward", "rollout", "relevance", "saliency", "smooth_grad_2", "integrated_gradients_2"]);
    for row in list(&report, "ladder") {
        let times = |clock: &str| list(&row[clock], "raw").iter().filter_map(Value::as_f64).filter(|time| *time > 0.0).count();
        assert_eq!(["computing", "elapsed", "end_to_end"].map(times), [2; 3], "{row}");
        assert!(row["peak_bytes"].as_u64() > Some(100_000) && row["floor"].is_null(), "{row}");
    }
    assert!(list(&report, "rates").iter().any(|rate| rate["what"] == "attention back" && rate["value"].as_f64() > Some(0.0)));
}

#[test]
fn a_kernel_that_computes_wrongly_fails_the_command_after_the_results_are_written() {
    let (file, right) = ("tokens/cuda.cu", "a.pooled[at] = sum / length;");
    let text = emulator::source(file).replace(right, "a.pooled[at] = sum / length * 1.01f;");
    assert_ne!(text, emulator::source(file), "the source has changed: this mutant is none");
    if emulator::driver().is_none() {
        return;
    }
    let wrong = format!("{}:", emulator::built_instead(file, &text, kernels::cuda::Storage::F32).display());
    let Some((dir, pellucid)) = emulated("bench_gpu_wrong", &[wrong]) else { return };
    let answer = pellucid.line(TINY).line("--parts parity --out results.json").fails();
    answer.warns(&["failed: ", "tokens pooled in f32", "gates failed, no figure of this run means anything", "results.json"]);
    let report = dir.json("results.json");
    let failed: Vec<_> = list(&report, "gates").iter().filter(|gate| gate["passed"] == false).collect();
    assert!(failed.iter().any(|gate| gate["what"] == "tiny: logits"), "{failed:?}");
    assert!(list(&report, "ladder").is_empty());
}

#[test]
fn a_device_that_stops_is_a_failed_gate_and_no_panic() {
    let Some((dir, pellucid)) = emulated("bench_gpu_lost", &[]) else { return };
    let pellucid = pellucid.env("EMULATED_LAUNCHING", "700");
    pellucid.line(TINY).fails().warns(&["the device stopped working", "gates failed"]);
    let report = dir.json("gpu.json");
    assert!(list(&report, "gates").iter().all(|gate| gate["passed"] == false && gate["seen"].is_null()));
    assert!(list(&report, "ladder").iter().all(|row| row["left_out"].is_string()));
}

/// The script of a visit, on a device that starts nothing.
#[test]
fn a_visit_without_a_working_device_says_so_and_fails_only_where_one_is_required() {
    let Some((_, variables)) = emulator::driver() else { return };
    for (required, status) in [("", 0), ("1", 1)] {
        let (dir, _) = setup("bench_visit");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../xai/bench/gpu.sh");
        let mut visit = std::process::Command::new("bash");
        visit.args([script, "--pellucid", env!("CARGO_BIN_EXE_pellucid"), "--minutes", "1", "--out"]).arg(dir.path("visit"));
        visit.envs(variables.clone()).env("EMULATED_LAUNCHING", "700").env("PELLUCID_REQUIRE_CUDA", required);
        let ended = visit.output().expect("bash is here");
        let said = String::from_utf8_lossy(&ended.stdout);
        assert_eq!((ended.status.code(), said.contains("no pass runs on a CUDA device here")), (Some(status), true), "{said}");
        assert!(dir.exists("visit/visit.txt"));
    }
}

#[test]
fn what_cannot_be_measured_is_refused_with_a_remedy() {
    setup("bench_gpu_none").1.line("bench gpu --device cuda:97").fails().warns(&["CUDA device 97 is not available", "use the CPU"]);
    setup("bench_gpu_cpu").1.line("bench gpu --device cpu").fails().warns(&["--device cuda:N"]);
    let Some((dir, pellucid)) = emulated("bench_gpu_unknown", &[]) else { return };
    pellucid.line("bench gpu --models resnet50").fails().warns(&["vit_large_patch32_384"]);
    assert!(!dir.exists("gpu.json"));
}
