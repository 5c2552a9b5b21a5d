//! Before a faster way is taken on a device, it shows there that it is right.
//!
//! Libraries are wrong now and then without an error, on one architecture, in one version, and so may be kernels that have met no
//! hardware. So a way that would take the place of the plain kernels, on `mma.sync`, first computes something small of each kind on fresh
//! random numbers, and every result is compared with theirs: the norm of the difference over the norm, and every single value. What was
//! not written, or is no number, fails. A way passes for one storage on one device; of other shapes than these it shows nothing.

mod lent;
mod products;
pub mod warpgroups;

use std::hash::{BuildHasher, Hasher, RandomState};

use super::Storage;
use lent::Lent;
pub use products::prove;

/// What a proof showed.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// So many results agree.
    Agrees(usize),
    /// The way took nothing.
    Declines,
    /// What is wrong.
    Disagrees(String),
}

/// How far results of two ways may lie apart, in the norm of the difference over the norm.
pub fn gate(storage: Storage) -> f64 {
    match storage {
        Storage::F32 => 1e-5,
        Storage::Bf16 => 1e-2,
        Storage::F16 => 1e-3,
    }
}

/// Another one each time.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Fails unless every value is near the own one, and all together are within `gate` of the norm.
fn compared(found: &[f64], own: &[f64], gate: f64) -> Result<(), String> {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let most = own.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    for (index, (a, b)) in found.iter().zip(own).enumerate() {
        // Three roundings to eight significant bits, of numbers no larger than the largest.
        let close = (a - b).abs() <= 2.0 * gate * most;
        if !close {
            return Err(format!("value {index} is {a}, own kernels say {b}"));
        }
    }
    let off = norm(&mut found.iter().zip(own).map(|(a, b)| a - b)) / norm(&mut own.iter().copied());
    if off <= gate { Ok(()) } else { Err(format!("off by {off:e} of the norm, {gate:e} is allowed")) }
}

#[cfg(test)]
mod tests {
    use super::compared;

    #[test]
    fn comparisons_fail_on_differences_and_on_what_is_no_number() {
        let own = [1.0, -2.0, 0.5];
        assert_eq!(compared(&[1.0, -2.0, 0.5], &own, 1e-6), Ok(()));
        assert!(compared(&[1.0, -2.0, 0.6], &own, 1e-2).is_err());
        assert!(compared(&[1.0 + 3e-2, -2.0 - 3e-2, 0.5 + 3e-2], &own, 1e-2).unwrap_err().contains("of the norm"));
        assert!(compared(&[1.0, f64::NAN, 0.5], &own, 1e9).is_err());
        assert!(compared(&[1.0, -2.0, 0.5], &[1.0, f64::NAN, 0.5], 1e9).is_err());
        assert!(compared(&own, &[0.0; 3], 1e9).is_err() && compared(&[f64::INFINITY; 3], &own, 1e9).is_err());
    }
}
