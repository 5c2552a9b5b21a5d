//! Sums over ranks have the bits of the documented order, however they travel.

use std::sync::Arc;
use std::time::Duration;

use kernels::collective::{Buckets, Group, Named};

use crate::ranks::{Start, all_well, join, with_ranks};

/// A rank's values: of many sizes, so that another order of sums has other bits.
fn values(rank: usize, count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(rank as u64 + 1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|i| next() * 10f32.powi(i as i32 % 7 - 3)).collect()
}

/// What one process gets that adds all parts in the order of ranks.
fn alone(world: usize, count: usize) -> Vec<f32> {
    let mut sum = values(0, count);
    for rank in 1..world {
        sum.iter_mut().zip(values(rank, count)).for_each(|(sum, value)| *sum += value);
    }
    sum
}

#[track_caller]
fn same_bits(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let other = found.iter().zip(expected).position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(other, None, "the first value with other bits");
}

const COUNTS: [usize; 5] = [0, 1, 5, 1000, 1_000_003];

fn every_length() {
    let group = join().unwrap();
    for count in COUNTS {
        let mut mine = values(group.rank(), count);
        group.all_reduce_sum(&mut mine).unwrap();
        same_bits(&mine, &alone(group.world(), count));
        let mut theirs = values(group.rank(), count);
        group.broadcast(&mut theirs).unwrap();
        same_bits(&theirs, &values(0, count));
    }
    let given = vec![group.rank() as u8; 3 * group.rank()];
    let all = group.gather(&given).unwrap();
    let expected: Vec<Vec<u8>> = (0..group.world()).map(|rank| vec![rank as u8; 3 * rank]).collect();
    assert_eq!(all, expected);
    group.barrier().unwrap();
}

#[test]
fn one_rank() {
    with_ranks("sums::one_rank", 1, Start::default(), every_length, all_well);
}

#[test]
fn two_ranks() {
    with_ranks("sums::two_ranks", 2, Start::default(), every_length, all_well);
}

#[test]
fn three_ranks() {
    with_ranks("sums::three_ranks", 3, Start::default(), every_length, all_well);
}

#[test]
fn the_order_shows_in_the_bits() {
    let mut backwards = values(2, 1000);
    for rank in [1, 0] {
        backwards.iter_mut().zip(values(rank, 1000)).for_each(|(sum, value)| *sum += value);
    }
    assert_ne!(alone(3, 1000), backwards, "the test would not see another order");
}

/// Ranges as a backward pass finishes them: from the end of the gradient to its beginning, of many lengths.
fn backwards() -> Vec<Named> {
    let lengths = [70_001, 3, 0, 50_000, 1, 12_345];
    let mut end: usize = lengths.iter().sum();
    let range = |length: &usize| {
        end -= length;
        end..end + length
    };
    let ranges: Vec<_> = lengths.iter().map(range).collect();
    ranges.into_iter().enumerate().map(|(index, range)| Named { name: format!("weight {index}"), range }).collect()
}

fn every_bucket_size() {
    let group = Arc::new(join().unwrap());
    let named = backwards();
    let total = named.iter().map(|one| one.range.len()).sum();
    let (mine, expected) = (values(group.rank(), total), alone(group.world(), total));
    let halves: Vec<f32> = expected.iter().map(|value| value * 0.5).collect();
    for bytes in [0, 100_000, 300_000, 25 << 20] {
        let mut buckets = Buckets::new(group.clone(), &named, bytes).unwrap();
        for (factor, expected) in [(1.0, &expected), (0.5, &halves)] {
            // One rank finishes in another order, as passes on other devices may.
            let mut order: Vec<usize> = (0..named.len()).collect();
            order.rotate_left(group.rank());
            order.iter().for_each(|&index| buckets.finished(index, &mine[named[index].range.clone()]));
            let mut sums = vec![f32::NAN; total];
            buckets.finish(factor, |index, values| sums[named[index].range.clone()].copy_from_slice(values)).unwrap();
            same_bits(&sums, expected);
        }
    }
    group.barrier().unwrap();
}

#[test]
fn buckets_of_any_size_have_the_same_bits() {
    with_ranks("sums::buckets_of_any_size_have_the_same_bits", 2, Start::default(), every_bucket_size, all_well);
}

/// Rank 1 computes on until rank 0 has its sum, which needs rank 1's part.
fn sum_while_the_other_computes() {
    let group = Arc::new(join().unwrap());
    let done = std::env::temp_dir().join(format!("pellucid-sum-{}", std::env::var("MASTER_PORT").unwrap()));
    let named = [0..4, 4..10].map(|range| Named { name: format!("{range:?}"), range });
    let mut buckets = Buckets::new(group.clone(), &named, 1000).unwrap();
    named.iter().enumerate().for_each(|(index, one)| buckets.finished(index, &vec![1.5; one.range.len()]));
    if group.rank() == 1 {
        let came = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            done.exists()
        });
        assert!(came, "sums begin only when a rank waits for them");
    }
    let mut sums = Vec::new();
    buckets.finish(1.0, |_, values| sums.extend_from_slice(values)).unwrap();
    assert_eq!(sums, [3.0; 10]);
    if group.rank() == 0 {
        std::fs::write(&done, "").unwrap();
    }
    group.barrier().unwrap();
    // Whoever comes first removes it.
    let _ = std::fs::remove_file(&done);
}

#[test]
fn sums_run_while_ranks_compute() {
    with_ranks("sums::sums_run_while_ranks_compute", 2, Start::default(), sum_while_the_other_computes, all_well);
}

#[test]
fn a_group_of_one_sums_buckets_too() {
    let named = backwards();
    let total = named.iter().map(|one| one.range.len()).sum();
    let mine = values(0, total);
    let mut buckets = Buckets::new(Arc::new(Group::Alone), &named, 1000).unwrap();
    named.iter().enumerate().for_each(|(index, one)| buckets.finished(index, &mine[one.range.clone()]));
    let mut sums = vec![f32::NAN; total];
    buckets.finish(1.0, |index, values| sums[named[index].range.clone()].copy_from_slice(values)).unwrap();
    same_bits(&sums, &mine);
}
