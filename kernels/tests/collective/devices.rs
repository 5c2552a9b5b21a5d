//! Sums between devices: NCCL's functions as `emulator/nccl.cpp` has them, on the `libcuda` of `emulator/driver.cpp`.

use std::sync::Arc;

use kernels::collective::cuda::{Buckets, Communicator, nccl};
use kernels::collective::{Fault, Group, Named, Patience};
use kernels::cuda::driver::Driver;
use kernels::cuda::{Queue, Storage, decode, encode};

use crate::emulator;
use crate::ranks::{Start, all_well, join, patience, with_ranks};

fn device() -> Arc<dyn Queue> {
    Arc::new(Driver::open(0).unwrap())
}

fn values(rank: usize, count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.37 + rank as f32).sin()).collect()
}

fn sum(world: usize, count: usize) -> Vec<f32> {
    (0..count).map(|i| (0..world).map(|rank| values(rank, count)[i]).reduce(|a, b| a + b).unwrap()).collect()
}

/// Runs `body` as `world` ranks that find the emulated libraries.
fn with_devices(name: &str, world: usize, more: &[(&str, &str)], body: fn(), judge: fn(&[crate::ranks::Ended])) {
    let Some(found) = emulator::nccl() else { return };
    let all: Vec<(&str, &str)> = found.iter().map(|(name, value)| (*name, &**value)).chain(more.iter().copied()).collect();
    with_ranks(name, world, Start { all: &all, ..Start::default() }, body, judge);
}

fn read(queue: &dyn Queue, at: kernels::cuda::Address, count: usize) -> Vec<f32> {
    let mut bytes = vec![0; 4 * count];
    queue.download(at, &mut bytes).unwrap();
    decode(Storage::F32, &bytes)
}

const COUNT: usize = 200;

fn sum_on_devices() {
    let (group, queue) = (Arc::new(join().unwrap()), device());
    assert_eq!(nccl().unwrap().0, 22000);
    let communicator = Communicator::join(&group, queue.clone(), patience(20)).unwrap();
    let at = queue.allocate(4 * COUNT).unwrap();
    queue.upload(at, &encode(Storage::F32, &values(group.rank(), COUNT))).unwrap();
    communicator.all_reduce_sum(&[(at, 50), (at.plus(200), COUNT - 50), (at, 0)], Storage::F32).unwrap();
    communicator.wait().unwrap();
    assert_eq!(read(&*queue, at, COUNT), sum(group.world(), COUNT));
    queue.upload(at, &encode(Storage::F32, &values(group.rank() + 5, COUNT))).unwrap();
    communicator.broadcast(at, COUNT, Storage::F32).unwrap();
    communicator.wait().unwrap();
    assert_eq!(read(&*queue, at, COUNT), values(5, COUNT));
    let refused = communicator.all_reduce_sum(&[(at, 1)], Storage::Bf16);
    assert!(matches!(refused, Err(Fault::Nccl { what: "summing", .. })), "the emulated one adds f32 only: {refused:?}");
    group.barrier().unwrap();
}

#[test]
fn one_device() {
    with_devices("devices::one_device", 1, &[], sum_on_devices, all_well);
}

#[test]
fn two_devices() {
    with_devices("devices::two_devices", 2, &[], sum_on_devices, all_well);
}

fn sum_in_buckets() {
    let (group, queue) = (Arc::new(join().unwrap()), device());
    let communicator = Communicator::join(&group, queue.clone(), patience(20)).unwrap();
    let flat = queue.allocate(4 * COUNT).unwrap();
    let named = [150..200, 149..149, 30..150, 0..30].map(|range| Named { name: format!("{range:?}"), range });
    let expected = sum(group.world(), COUNT);
    for bytes in [0, 500, 1 << 20] {
        let mut buckets = Buckets::new(flat, &named, bytes).unwrap();
        for _ in 0..2 {
            // As a pass does: each part is asked for, then said to be finished, while later parts are still to come.
            for (index, Named { range, .. }) in named.iter().enumerate() {
                let part = &values(group.rank(), COUNT)[range.clone()];
                queue.upload(flat.plus(4 * range.start), &encode(Storage::F32, part)).unwrap();
                buckets.finished(&communicator, index);
            }
            buckets.finish(&communicator).unwrap();
            assert_eq!(read(&*queue, flat, COUNT), expected, "buckets of {bytes} bytes");
        }
        buckets.finished(&communicator, 9);
        assert!(matches!(buckets.finish(&communicator), Err(Fault::Range { .. })));
    }
    group.barrier().unwrap();
}

#[test]
fn buckets_on_two_devices() {
    with_devices("devices::buckets_on_two_devices", 2, &[], sum_in_buckets, all_well);
}

fn sum_without_the_other() {
    let (group, queue) = (Arc::new(join().unwrap()), device());
    let communicator = Communicator::join(&group, queue.clone(), patience(20)).unwrap();
    if group.rank() == 1 {
        std::process::exit(7);
    }
    let at = queue.allocate(64).unwrap();
    communicator.all_reduce_sum(&[(at, 16)], Storage::F32).unwrap();
    let fault = communicator.wait().unwrap_err();
    assert!(matches!(fault, Fault::Lost { rank: 1, .. }), "{fault}");
    assert!(communicator.all_reduce_sum(&[(at, 16)], Storage::F32).is_err(), "it is over");
}

#[test]
fn a_device_that_is_lost() {
    let judge = |ended: &[crate::ranks::Ended]| assert!(ended[0].is_well && !ended[1].is_well, "{ended:#?}");
    with_devices("devices::a_device_that_is_lost", 2, &[("EMULATED_NCCL_SECONDS", "0.5")], sum_without_the_other, judge);
}

fn none_for_nobody() {
    let (group, queue) = (Arc::new(join().unwrap()), device());
    let fault = Communicator::join(&group, queue, patience(20)).unwrap_err();
    let words = if group.rank() == 1 { "PELLUCID_NCCL=off" } else { "rank 1 cannot use it" };
    assert!(matches!(&fault, Fault::NoNccl(_)) && fault.to_string().contains(words), "{fault}");
    group.barrier().unwrap();
}

#[test]
fn a_rank_without_nccl() {
    let Some(found) = emulator::nccl() else { return };
    let all: Vec<(&str, &str)> = found.iter().map(|(name, value)| (*name, &**value)).collect();
    let start = Start { all: &all, variables: &[(1, "PELLUCID_NCCL", "off")], ..Start::default() };
    with_ranks("devices::a_rank_without_nccl", 2, start, none_for_nobody, all_well);
}

fn none_that_is_old_or_broken() {
    let fault = nccl().unwrap_err();
    let asked = std::env::var("PELLUCID_NCCL").unwrap();
    let words = if asked.contains("nowhere") { "nowhere" } else { "2.4 or later is needed" };
    assert!(fault.to_string().contains(words) && fault.to_string().contains("pip install"), "{fault}");
    let queue = Arc::new(Driver::open(0).unwrap());
    assert!(matches!(Communicator::join(&Arc::new(Group::Alone), queue, Patience::default()), Err(Fault::NoNccl(_))));
}

#[test]
fn nccl_that_is_old() {
    with_devices("devices::nccl_that_is_old", 1, &[("EMULATED_NCCL_VERSION", "2307")], none_that_is_old_or_broken, all_well);
}

#[test]
fn nccl_that_is_not_there() {
    with_devices("devices::nccl_that_is_not_there", 1, &[("PELLUCID_NCCL", "/nowhere/libnccl.so.2")], none_that_is_old_or_broken, all_well);
}
