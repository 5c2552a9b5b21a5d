//! A bounded stand-in for a fuzzer: the committed seeds, and so many seeded changes of them, through a fuzz target's function.
//!
//! It knows nothing of coverage, but runs wherever the tests run; libFuzzer goes through the same functions (see CONTRIBUTING).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Bytes that lengths and counts break at.
const TELLING: [&[u8]; 10] =
    [b"\0", b"\x7f", b"\x80", b"\xff", b"\xff\xff", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x80", b"\0\0\0\0", &[0xff; 8]];
const LONGEST: usize = 1 << 14;

/// Runs `target` on every file of a folder and on `count` changed ones; what makes it panic is written beside the test's products.
pub fn survives(folder: &Path, count: u64, target: fn(&[u8])) {
    let entries = std::fs::read_dir(folder).expect("the seeds are committed").map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(seeds.len() >= 5, "only {} seeds in {}", seeds.len(), folder.display());
    seeds.iter().for_each(|seed| check(seed, target));
    let mut numbers = Numbers(0x5eed);
    for _ in 0..count {
        let mut bytes = seeds[numbers.below(seeds.len())].clone();
        for _ in 0..=numbers.below(4) {
            change(&mut bytes, &seeds, &mut numbers);
        }
        bytes.truncate(LONGEST);
        check(&bytes, target);
    }
    println!("{} seeds and {count} changed ones from {}", seeds.len(), folder.display());
}

fn check(bytes: &[u8], target: fn(&[u8])) {
    if catch_unwind(AssertUnwindSafe(|| target(bytes))).is_err() {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz_failure");
        std::fs::write(&file, bytes).unwrap();
        panic!("{} bytes break the target; they are in {}", bytes.len(), file.display());
    }
}

fn change(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let end = (at + 1 + numbers.below(16)).min(bytes.len());
    match numbers.below(8) {
        0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << numbers.below(8)),
        1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = numbers.below(256) as u8),
        2 => {
            let telling = TELLING[numbers.below(TELLING.len())];
            bytes.iter_mut().skip(at).zip(telling).for_each(|(byte, new)| *byte = *new);
        }
        3 => drop(bytes.drain(at..end)),
        4 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        5 => bytes.truncate(at),
        6 => {
            let other = &seeds[numbers.below(seeds.len())];
            let from = numbers.below(other.len() + 1);
            bytes.splice(at..end, other[from..(from + 64).min(other.len())].iter().copied());
        }
        _ => bytes.insert(at, numbers.below(256) as u8),
    }
}

/// SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

#[test]
#[should_panic(expected = "break the target")]
fn a_target_that_fails_is_seen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    survives(&folder, 1, |bytes| assert!(bytes.is_empty(), "on purpose"));
}
