//! A GPU's memory: numbers in their storage, between fences, poisoned where nothing was written.

use std::ffi::c_void;

/// How numbers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    F32,
    Bf16,
    F16,
}

impl Storage {
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    /// Its name in the kernels' sources.
    pub fn in_cuda(self) -> &'static str {
        match self {
            Self::F32 => "float",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }

    /// How far results may lie from the `f64` twin, in the norm of the difference over that of the twin's.
    pub fn gate(self) -> f64 {
        match self {
            Self::F32 => 2e-6,
            Self::Bf16 => 1e-2,
            Self::F16 => 1e-3,
        }
    }

    fn bytes(self) -> usize {
        if self == Self::F32 { 4 } else { 2 }
    }

    fn encode(self, value: f64) -> Vec<u8> {
        let bits = (value as f32).to_bits();
        match self {
            Self::F32 => bits.to_le_bytes().into(),
            Self::Bf16 => (((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16).to_le_bytes().into(),
            Self::F16 => f16_bits(value).to_le_bytes().into(),
        }
    }

    fn decode(self, bytes: &[u8]) -> f64 {
        let half = || u16::from_le_bytes([bytes[0], bytes[1]]);
        match self {
            Self::F32 => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).into(),
            Self::Bf16 => f32::from_bits(u32::from(half()) << 16).into(),
            Self::F16 => f16_value(half()),
        }
    }
}

/// Rounds to the nearest f16; the tests' numbers stay within its range.
fn f16_bits(value: f64) -> u16 {
    let magnitude = value.abs();
    assert!(magnitude < 65520.0, "{value} is beyond f16");
    let exponent = magnitude.log2().floor().max(-14.0);
    let digits = (magnitude / (exponent - 10.0).exp2()).round_ties_even();
    // A subnormal number has fewer than 1024 digits and its exponent's field is 0.
    let bits = (exponent + 14.0) * 1024.0 + digits;
    bits as u16 | if value.is_sign_negative() { 0x8000 } else { 0 }
}

fn f16_value(bits: u16) -> f64 {
    let (exponent, digits) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let magnitude = match exponent {
        0 => digits * (-24f64).exp2(),
        31 if digits == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + digits) * f64::from(exponent - 25).exp2(),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// Bytes before and after an array that nobody may write.
const FENCE: usize = 256;
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
        let bytes: Vec<u8> = values.iter().flat_map(|&value| storage.encode(value)).collect();
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

    /// What stands there, or that a fence was written.
    pub fn read(&self) -> Result<Vec<f64>, String> {
        // SAFETY: words are plain bytes, read after the kernel has ended; the volatile start keeps the compiler from knowing them.
        let bytes = unsafe { std::slice::from_raw_parts(std::hint::black_box(self.words.as_ptr()).cast::<u8>(), self.words.len() * 16) };
        let end = FENCE + self.len * self.storage.bytes();
        if bytes[..FENCE].iter().chain(&bytes[end..]).any(|&byte| byte != POISON) {
            return Err(format!("memory is written outside of an array of {} values", self.len));
        }
        Ok(bytes[FENCE..end].chunks(self.storage.bytes()).map(|bytes| self.storage.decode(bytes)).collect())
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
fn every_f16_comes_back() {
    for bits in (0..0x7c00).chain(0x8000..0xfc00) {
        assert_eq!(f16_bits(f16_value(bits)), bits, "{bits:04x}");
    }
    assert_eq!((f16_bits(1.0 + 1.0 / 2048.0), f16_bits(1.0 + 3.0 / 2048.0)), (0x3c00, 0x3c02), "ties go to even");
}

#[test]
fn comparisons_fail_on_poison_and_on_differences() {
    let is_off = |values: &[f64]| compare("y", &Array::new(Storage::F32, values), &[1.0, 2.0], 1e-6).is_err();
    assert!(compare("y", &Array::poisoned(Storage::Bf16, 1), &[1.0], 1e9).is_err());
    assert!(is_off(&[1.0, 2.0001]) && is_off(&[f64::NAN, 2.0]) && !is_off(&[1.0, 2.0]));
}
