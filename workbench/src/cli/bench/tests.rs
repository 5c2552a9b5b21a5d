//! The gates of the kernels on a device that runs their own sources on this machine, in every storage.

#[allow(dead_code)]
#[path = "../../../../kernels/emulator/library.rs"]
mod emulator;
#[allow(dead_code)]
#[path = "../../../../kernels/emulator/queue.rs"]
mod queue;

use std::sync::Arc;

use kernels::cuda::{Fault, Storage};

use super::arrays::Memory;
use super::gates::Gates;
use super::models::Model;
use super::parity;
use super::rates::{KINDS, Plan};
use emulator::{Library, Schedule, source};
use queue::Emulated;

fn device() -> Option<Arc<Emulated>> {
    Emulated::new(Schedule::Forward).map(Arc::new)
}

fn gates(device: Arc<Emulated>, storages: &[Storage]) -> Gates {
    let mut gates = Gates::default();
    let steps = std::cell::Cell::new(0);
    parity::kernels(&Memory::new(device), storages, (7, true), &mut gates, &|| steps.set(steps.get() + 1));
    assert_eq!(steps.get(), parity::steps(storages.len(), true));
    gates
}

#[test]
fn kernels_pass_their_gates_in_every_storage() {
    let Some(device) = device() else { return };
    let gates = gates(device, &Storage::ALL);
    assert!(gates.all.len() > 150, "{}", gates.all.len());
    assert_eq!(gates.failed().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn a_kernel_that_is_slightly_wrong_fails_its_gate() {
    let Some(device) = device() else { return };
    let (file, right) = ("layer_norm/cuda.cu", "warp_sum(squares) / width + eps)");
    let text = source(file).replace(right, "warp_sum(squares) / (width - 1) + eps)");
    assert_ne!(text, source(file), "the source has changed: this mutant is none");
    device.replace(file, Storage::F32, Library::compile(file, &text, Storage::F32).expect("a compiler was found before"));
    let gates = gates(device, &[Storage::F32]);
    let failed: Vec<_> = gates.failed().map(|gate| gate.what.as_str()).collect();
    assert!(!failed.is_empty() && failed.iter().all(|what| what.starts_with("layer norm")), "{failed:?}");
}

#[test]
fn every_rate_is_a_number() {
    let Some(device) = device() else { return };
    let models = [Model::named("tiny", 1).unwrap()];
    let storages = [Storage::F32, Storage::Bf16];
    let plan = Plan { memory: &Memory::new(device), storages: &storages, models: &models, batches: &[1], replays: 2, seed: 3, quick: true };
    let mut found = Vec::new();
    KINDS.iter().try_for_each(|(_, kind)| kind(&plan, &mut found)).unwrap_or_else(|fault: Fault| panic!("{fault}"));
    // The emulator takes no time for zeros.
    let timed = found.iter().filter(|rate| !rate.what.starts_with("zeros"));
    let off: Vec<_> = timed.filter(|rate| !(rate.value.is_finite() && rate.value > 0.0 && rate.milliseconds.raw.len() == 2)).collect();
    assert!(off.is_empty() && found.len() > 20, "{off:?}");
}
