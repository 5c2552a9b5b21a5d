//! A GPU's memory: numbers in their storage, between fences, poisoned where nothing was written.

use std::ffi::c_void;

pub use kernels::cuda::Storage;
use kernels::cuda::{Address, decode, encode};

/// How far results may lie from the `f64` twin, in the norm of the difference over that of the twin's.
pub trait Gate {
    fn gate(self) -> f64;
}

impl Gate for Storage {
    fn gate(self) -> f64 {
        match self {
            Self::F32 => 2e-6,
            Self::Bf16 => 1e-2,
            Self::F16 => 1e-3,
        }
    }
}

/// Bytes before and after an array that nobody may write.
const FENCE: usize = 1024;
const POISON: u8 = 0xff;

/// An array as a kernel gets it: aligned to 16 bytes, between two fences.
#[derive(Debug)]
pub struct Array {
    storage: Storage,
    len: usize,
    /// Words of 16 bytes keep the alignment that a GPU's allocations have.
    words: Vec<u128>,
}

impl Array {
    /// The numbers, rounded to the storage.
    pub fn new(storage: Storage, values: &[f64]) -> Self {
        let mut array = Self::poisoned(storage, values.len());
        let bytes = encode(storage, values);
        array.bytes_mut()[FENCE..FENCE + bytes.len()].copy_from_slice(&bytes);
        array
    }

    /// Room for numbers, all of them NaN.
    pub fn poisoned(storage: Storage, len: usize) -> Self {
        let words = (2 * FENCE + len * storage.bytes()).div_ceil(16);
        Self { storage, len, words: vec![u128::MAX; words] }
    }

    /// Where it begins; kernels may write here although we only lend it.
    pub fn at(&self) -> *mut c_void {
        // SAFETY: the first fence lies inside the words.
        unsafe { self.words.as_ptr().cast::<u8>().add(FENCE) }.cast_mut().cast()
    }

    /// The same as kernels' structures have it.
    pub fn address(&self) -> Address {
        Address(self.at() as u64)
    }

    /// What stands there, or that a fence was written.
    pub fn read(&self) -> Result<Vec<f64>, String> {
        // SAFETY: words are plain bytes, read after the kernel has ended; the volatile start keeps the compiler from knowing them.
        let bytes = unsafe { std::slice::from_raw_parts(std::hint::black_box(self.words.as_ptr()).cast::<u8>(), self.words.len() * 16) };
        let end = FENCE + self.len * self.storage.bytes();
        if bytes[..FENCE].iter().chain(&bytes[end..]).any(|&byte| byte != POISON) {
            return Err(format!("memory is written outside of an array of {} values", self.len));
        }
        Ok(decode(self.storage, &bytes[FENCE..end]))
    }

    /// How its numbers are kept.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// What was put in, after rounding.
    pub fn values(&self) -> Vec<f64> {
        self.read().expect("nothing was written yet")
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        let bytes = self.words.len() * 16;
        // SAFETY: words are plain bytes.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), bytes) }
    }
}

/// Fails unless every value is a number near its twin, and all together are within `gate` of the twin's norm.
pub fn compare(what: &str, found: &Array, expected: &[f64], gate: f64) -> Result<(), String> {
    let found = found.read()?;
    assert_eq!(found.len(), expected.len(), "{what}: lengths differ");
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let most = expected.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    for (index, (a, b)) in found.iter().zip(expected).enumerate() {
        let difference = (a - b).abs();
        let close = difference <= 8.0 * gate * (most + 1e-30);
        if !close {
            return Err(format!("{what}[{index}]: found {a}, expected {b}, difference {difference:e}"));
        }
    }
    let (off, size) = (norm(&mut found.iter().zip(expected).map(|(a, b)| a - b)), norm(&mut expected.iter().copied()));
    if off <= gate * size { Ok(()) } else { Err(format!("{what}: off by {:e} of its norm, {gate:e} is allowed", off / size)) }
}

#[test]
fn comparisons_fail_on_poison_and_on_differences() {
    let is_off = |values: &[f64]| compare("y", &Array::new(Storage::F32, values), &[1.0, 2.0], 1e-6).is_err();
    assert!(compare("y", &Array::poisoned(Storage::Bf16, 1), &[1.0], 1e9).is_err());
    assert!(is_off(&[1.0, 2.0001]) && is_off(&[f64::NAN, 2.0]) && !is_off(&[1.0, 2.0]));
}
