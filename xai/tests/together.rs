//! Processes that learn one model together end at the bits of one that takes the same parts: on the CPU, and on devices under the
//! emulated `libcuda` and `libnccl` of `kernels/emulator`.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "../../kernels/emulator/library.rs"]
mod emulator;
#[allow(dead_code)]
#[path = "../../kernels/tests/collective/ranks.rs"]
mod ranks;

use std::sync::Arc;

use kernels::check::seeded;
use ndarray::Array4;
use ranks::{Ended, Start, all_well, patience, with_ranks};
use xai::training::{AdamW, Decay, Lesson, Step, Together, Training};
use xai::{Batch, Device, HeadKind, Precision, Storage, Vit, VitConfig};

const STEP: Step =
    Step { adamw: AdamW { rate: 1e-2, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.05 }, decay: Decay::Matrices, clip: Some(0.5) };

fn vit(head: HeadKind) -> Vit {
    let small = VitConfig { image_size: (16, 16), hidden_size: 64, num_attention_heads: 2, ..VitConfig::tiny_for_tests() };
    Vit::random(small, head, 1).unwrap()
}

/// A rank's part of a step: parts have other sizes.
fn part(rank: usize, step: usize) -> (Batch, Vec<usize>) {
    let images = 2 + rank;
    let pixels = seeded::<f32>(100 * step as u64 + rank as u64, images * 3 * 16 * 16);
    let labels = (0..images).map(|image| (image + rank + step) % 3).collect();
    (Batch::new(Array4::from_shape_vec((images, 3, 16, 16), pixels).unwrap()).unwrap(), labels)
}

/// The weights, as they are stored in f32.
fn bits(training: &Training) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    training.vit().unwrap().save(folder.path(), Storage::F32).unwrap();
    std::fs::read(folder.path().join("model.safetensors")).unwrap()
}

/// Three steps among the ranks, and alone with the parts of all of them.
fn learn_on(device: Device, head: HeadKind, steps: usize) {
    let begin = || Training::on(vit(head), device, Precision::F32).unwrap();
    let group = Arc::new(ranks::join().unwrap());
    let (mut among, mut alone) = (begin(), begin());
    let mut others = Together::new(group.clone(), &among, patience(60)).unwrap();
    for step in 0..steps {
        let parts: Vec<_> = (0..group.world()).map(|rank| part(rank, step)).collect();
        let lessons: Vec<_> = parts.iter().map(|(batch, labels)| Lesson { batch, labels }).collect();
        let of = parts.iter().map(|(_, labels)| labels.len()).sum();
        let share = among.step_with(lessons[group.rank()], of, &[], STEP, &mut others).unwrap();
        let all = group.gather(&share.to_le_bytes()).unwrap();
        let loss: f64 = all.iter().map(|share| f64::from_le_bytes(share[..].try_into().unwrap())).sum();
        assert_eq!(loss, alone.step_of(&lessons, &[], STEP).unwrap(), "all shares sum to the loss");
    }
    assert!(bits(&among) == bits(&alone), "other bits than those of one process with the same parts");
    assert!(bits(&among) != bits(&begin()), "nothing was learned");
    group.barrier().unwrap();
}

fn learn_on_the_cpu() {
    learn_on(Device::Cpu, HeadKind::Linear(3), 3);
}

#[test]
fn two_processes_on_the_cpu() {
    with_ranks("two_processes_on_the_cpu", 2, Start::default(), learn_on_the_cpu, all_well);
}

#[test]
fn three_processes_on_the_cpu() {
    with_ranks("three_processes_on_the_cpu", 3, Start::default(), learn_on_the_cpu, all_well);
}

fn learn_with_batch_norm() {
    learn_on(Device::Cpu, HeadKind::Dnn3(3), 2);
}

#[test]
fn two_processes_with_statistics_of_their_own() {
    with_ranks("two_processes_with_statistics_of_their_own", 2, Start::default(), learn_with_batch_norm, all_well);
}

fn learn_on_a_device() {
    let found = kernels::collective::cuda::nccl();
    assert_eq!(found.is_ok(), std::env::var("PELLUCID_NCCL").unwrap() != "off", "{found:?}");
    learn_on(Device::Cuda(0), HeadKind::Linear(3), 2);
}

/// Runs two ranks that find the emulated driver, and NCCL as `nccl` says.
fn with_devices(name: &str, nccl: Option<&str>) {
    let (Some((_, driver)), Some(found)) = (emulator::driver(), emulator::nccl()) else { return };
    let mut all: Vec<(&str, &str)> = driver.iter().chain(&found).map(|(name, value)| (*name, &**value)).collect();
    all.extend(nccl.map(|nccl| ("PELLUCID_NCCL", nccl)));
    with_ranks(name, 2, Start { all: &all, ..Start::default() }, learn_on_a_device, all_well);
}

#[test]
fn two_devices_by_nccl() {
    with_devices("two_devices_by_nccl", None);
}

#[test]
fn two_devices_by_their_processors() {
    with_devices("two_devices_by_their_processors", Some("off"));
}

fn learn_without_the_last() {
    let group = Arc::new(ranks::join().unwrap());
    let mut training = Training::of(vit(HeadKind::Linear(3)));
    let mut others = Together::new(group.clone(), &training, patience(20)).unwrap();
    if group.rank() == 1 {
        std::process::exit(7);
    }
    let (before, (batch, labels)) = (bits(&training), part(0, 0));
    let error = training.step_with(Lesson { batch: &batch, labels: &labels }, 5, &[], STEP, &mut others).unwrap_err();
    assert!(error.to_string().contains("rank 1 is lost"), "{error}");
    assert!(bits(&training) == before, "the weights are as they were");
}

#[test]
fn a_process_that_ends_leaves_the_others_with_an_error() {
    let judge = |ended: &[Ended]| assert!(ended[0].is_well && !ended[1].is_well, "{ended:#?}");
    with_ranks("a_process_that_ends_leaves_the_others_with_an_error", 2, Start::default(), learn_without_the_last, judge);
}
