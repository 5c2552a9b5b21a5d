//! Places in a device's memory, and how numbers are kept there.

use std::fmt;

use crate::Real;

/// A place in a device's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Address(pub u64);

impl Address {
    /// What a kernel takes for "none".
    pub const NONE: Self = Self(0);

    /// So many bytes further.
    pub fn plus(self, bytes: usize) -> Self {
        Self(self.0 + bytes as u64)
    }

    /// Whether something can be there.
    pub fn is_some(self) -> bool {
        self != Self::NONE
    }
}

/// How numbers are kept; arithmetic is f32 for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// 4 bytes.
    F32,
    /// 2 bytes, 8 significant bits; architectures from `sm_80` on.
    Bf16,
    /// 2 bytes, 11 significant bits; architectures before `sm_80`.
    F16,
}

impl Storage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    /// Bytes of a number.
    pub fn bytes(self) -> usize {
        if self == Self::F32 { 4 } else { 2 }
    }

    /// Numbers that a thread moves at once, in 16 bytes; widths are multiples of it.
    pub fn pack(self) -> usize {
        16 / self.bytes()
    }

    /// Its name in the kernels' sources.
    pub fn in_cuda(self) -> &'static str {
        match self {
            Self::F32 => "float",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(if *self == Self::F32 { "f32" } else { self.in_cuda() })
    }
}

/// The bytes of numbers, each rounded to the nearest of its storage, to even where two are as near.
///
/// ```
/// use kernels::cuda::{Storage, decode, encode};
/// assert_eq!(decode::<f32>(Storage::Bf16, &encode(Storage::Bf16, &[1.0f32, 0.333_333_34])), [1.0, 0.333_984_38]);
/// ```
pub fn encode<T: Real>(storage: Storage, values: &[T]) -> Vec<u8> {
    let single = |value: &T| value.to_f64() as f32;
    match storage {
        Storage::F32 => values.iter().flat_map(|value| single(value).to_le_bytes()).collect(),
        Storage::Bf16 => values.iter().flat_map(|value| bf16_bits(single(value)).to_le_bytes()).collect(),
        Storage::F16 => values.iter().flat_map(|value| f16_bits(single(value)).to_le_bytes()).collect(),
    }
}

/// The bytes of f32 numbers where they lie; devices are little-endian, as every machine is that has one.
///
/// ```
/// assert_eq!(kernels::cuda::as_bytes(&[1.0, -2.0]), [0, 0, 128, 63, 0, 0, 0, 192]);
/// ```
pub fn as_bytes(values: &[f32]) -> &[u8] {
    // SAFETY: every byte of an f32 is a byte, and bytes need no alignment.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The same, to be written.
pub fn as_bytes_mut(values: &mut [f32]) -> &mut [u8] {
    // SAFETY: as above, and every pattern of bits is an f32.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

/// The numbers that bytes stand for.
pub fn decode<T: Real>(storage: Storage, bytes: &[u8]) -> Vec<T> {
    let number = |bytes: &[u8]| match (storage, bytes) {
        (Storage::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
        (Storage::Bf16, &[a, b]) => f32::from_bits(u32::from(u16::from_le_bytes([a, b])) << 16),
        (Storage::F16, &[a, b]) => f16_value(u16::from_le_bytes([a, b])),
        _ => f32::NAN,
    };
    bytes.chunks_exact(storage.bytes()).map(|bytes| T::from_f64(f64::from(number(bytes)))).collect()
}

fn bf16_bits(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() { 0x7fff } else { ((u64::from(bits) + 0x7fff + u64::from(bits >> 16 & 1)) >> 16) as u16 }
}

fn f16_bits(value: f32) -> u16 {
    let (sign, magnitude) = ((value.to_bits() >> 16) as u16 & 0x8000, value.abs());
    if value.is_nan() {
        return sign | 0x7fff;
    }
    if magnitude >= 65520.0 {
        return sign | 0x7c00;
    }
    if magnitude < 6.103_515_6e-5 {
        // Adding a half leaves a subnormal's digits, rounded to even, in the low bits.
        return sign | ((magnitude + 0.5).to_bits() - 0.5f32.to_bits()) as u16;
    }
    let bits = magnitude.to_bits() - (112 << 23);
    sign | ((bits + 0xfff + (bits >> 13 & 1)) >> 13) as u16
}

fn f16_value(bits: u16) -> f32 {
    let (exponent, digits) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let magnitude = match exponent {
        0 => digits * 2f32.powi(-24),
        31 if digits == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + digits) * 2f32.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_comes_back() {
        for bits in (0..0x7c00u16).chain(0x8000..0xfc00) {
            assert_eq!(f16_bits(f16_value(bits)), bits, "{bits:04x} as f16");
            let bf16 = f32::from_bits(u32::from(bits) << 16);
            assert_eq!(bf16_bits(bf16), bits, "{bits:04x} as bf16");
        }
        assert_eq!((f16_bits(1.0 + 1.0 / 2048.0), f16_bits(1.0 + 3.0 / 2048.0)), (0x3c00, 0x3c02), "ties go to even");
        assert_eq!((bf16_bits(1.0 + 1.0 / 256.0), bf16_bits(1.0 + 3.0 / 256.0)), (0x3f80, 0x3f82), "ties go to even");
    }

    #[test]
    fn what_is_no_number_stays_none() {
        for storage in Storage::ALL {
            assert!(decode::<f64>(storage, &encode(storage, &[f64::NAN]))[0].is_nan(), "{storage}");
            assert_eq!(decode::<f64>(storage, &encode(storage, &[f64::INFINITY, -0.0])), [f64::INFINITY, -0.0], "{storage}");
        }
        assert_eq!(decode::<f64>(Storage::F16, &encode(Storage::F16, &[1e6])), [f64::INFINITY]);
    }
}
