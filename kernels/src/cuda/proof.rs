//! Before a faster way takes products on a device, it shows there that it is right.
//!
//! Libraries are wrong now and then without an error, on one architecture, in one version. So a way that would take the place of the
//! own kernels (`linear/cuda.cu`, on `mma.sync`) first takes one small product of each kind on fresh random numbers, and every result
//! is compared with theirs: the norm of the difference over the norm, and every single value. What was not written, or is no number,
//! fails. A way passes for one storage on one device; of other shapes than these it shows nothing.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use super::{Address, Fault, Queue, Storage, decode, encode};
use crate::activation::Activation;
use crate::check::seeded;
use crate::linear::cuda::{Asked, Factors, Product, Scratch, Then, own};

/// Rows, columns and depth: no multiple of any tile, and a depth of several steps.
const OF_PASSES: [usize; 3] = [37, 72, 136];
const OF_WEIGHTS: [usize; 3] = [72, 40, 37];
const NONE: Address = Address::NONE;

/// What a proof showed.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// So many products agree.
    Agrees(usize),
    /// The way took none of the products.
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

/// Holds products that `way` takes against own kernels; `way` says whether it took one, as [`Queue::product`] does.
///
/// # Errors
/// Faults of the device; a way that is wrong is no fault.
pub fn prove(queue: &dyn Queue, storage: Storage, way: &mut dyn FnMut(&Asked) -> Result<bool, Fault>) -> Result<Verdict, Fault> {
    let seed = RandomState::new().build_hasher().finish();
    let mut agreed = 0;
    for kind in kinds() {
        let bench = Bench::new(queue, storage, kind, seed)?;
        own(queue, &bench.asked(0), bench.scratch())?;
        if !way(&bench.asked(1))? {
            continue;
        }
        if let Err(what) = bench.compare()? {
            return Ok(Verdict::Disagrees(format!("{kind} in {storage}: {what} (seed {seed})")));
        }
        agreed += 1;
    }
    Ok(if agreed == 0 { Verdict::Declines } else { Verdict::Agrees(agreed) })
}

/// A product and what becomes of it.
#[derive(Debug, Clone, Copy)]
struct Kind {
    product: Product,
    way_out: WayOut,
    has_bias: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WayOut {
    Stored,
    Added,
    Wide,
    Activated,
    Gated,
}

fn kinds() -> Vec<Kind> {
    use WayOut::{Activated, Added, Gated, Stored, Wide};
    let ways_out = [(Stored, false), (Stored, true), (Added, true), (Wide, true), (Activated, true), (Gated, false)];
    let passes = [Product::Forward, Product::Backward].into_iter();
    let of_passes = passes.flat_map(|product| ways_out.map(|(way_out, has_bias)| Kind { product, way_out, has_bias }));
    of_passes.chain([Kind { product: Product::Weights, way_out: Wide, has_bias: false }]).collect()
}

/// Numbers of one product, and room for the results of both ways.
struct Bench<'a> {
    kind: Kind,
    storage: Storage,
    left: Lent<'a>,
    right: Lent<'a>,
    bias: Lent<'a>,
    /// What enters the activation on the way back.
    entered: Lent<'a>,
    partials: Lent<'a>,
    /// Of the own kernels, and of the way.
    results: [Lent<'a>; 2],
    /// What enters the activation, of both.
    befores: [Lent<'a>; 2],
}

impl<'a> Bench<'a> {
    fn new(queue: &'a dyn Queue, storage: Storage, kind: Kind, seed: u64) -> Result<Self, Fault> {
        let [rows, columns, depth] = kind.extents();
        let count = rows * columns;
        let numbers = |part: u64, storage, count| Lent::new(queue, &encode(storage, &seeded::<f32>(seed.wrapping_add(part), count)));
        let poisoned = || Lent::new(queue, &vec![0xff; 4 * count]);
        let result = || if kind.adds() { numbers(5, kind.of_result(storage), count) } else { poisoned() };
        Ok(Self {
            kind,
            storage,
            left: numbers(1, storage, rows * depth)?,
            right: numbers(2, storage, columns * depth)?,
            bias: numbers(3, Storage::F32, columns)?,
            entered: numbers(4, storage, count)?,
            partials: poisoned()?,
            results: [result()?, result()?],
            befores: [poisoned()?, poisoned()?],
        })
    }

    fn asked(&self, way: usize) -> Asked {
        let (to, before, activation) = (self.results[way].at, self.befores[way].at, Activation::Gelu);
        let then = match self.kind.way_out {
            WayOut::Stored => Then::Store { to, residual: NONE },
            WayOut::Added => Then::Store { to, residual: to },
            WayOut::Wide => Then::Wide(to),
            WayOut::Activated => Then::Activate { activation, before, to },
            WayOut::Gated => Then::Gate { activation, before: self.entered.at, to },
        };
        let bias = if self.kind.has_bias { self.bias.at } else { NONE };
        let factors = Factors { left: self.left.at, right: self.right.at, bias, extents: self.kind.extents() };
        Asked { storage: self.storage, product: self.kind.product, factors, then }
    }

    /// For a depth in one part.
    fn scratch(&self) -> Scratch {
        Scratch { at: self.partials.at, values: self.kind.extents()[..2].iter().product() }
    }

    fn compare(&self) -> Result<Result<(), String>, Fault> {
        let count = self.kind.extents()[..2].iter().product();
        let same = |[own, way]: &[Lent; 2], storage| {
            Ok::<_, Fault>(compared(&way.read(storage, count)?, &own.read(storage, count)?, gate(storage)))
        };
        let results = same(&self.results, self.kind.of_result(self.storage))?;
        if self.kind.way_out != WayOut::Activated || results.is_err() {
            return Ok(results);
        }
        same(&self.befores, self.storage)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let way_out = format!("{:?}", self.way_out).to_lowercase();
        write!(f, "{:?}, {way_out}{}", self.product, if self.has_bias { ", with a bias" } else { "" })
    }
}

impl Kind {
    fn extents(self) -> [usize; 3] {
        if self.product == Product::Weights { OF_WEIGHTS } else { OF_PASSES }
    }

    fn adds(self) -> bool {
        self.way_out == WayOut::Added || self.product == Product::Weights
    }

    fn of_result(self, storage: Storage) -> Storage {
        if self.way_out == WayOut::Wide { Storage::F32 } else { storage }
    }
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

/// Memory of a device that goes back when dropped.
struct Lent<'a> {
    queue: &'a dyn Queue,
    at: Address,
    bytes: usize,
}

impl<'a> Lent<'a> {
    fn new(queue: &'a dyn Queue, bytes: &[u8]) -> Result<Self, Fault> {
        let lent = Self { queue, at: queue.allocate(bytes.len())?, bytes: bytes.len() };
        queue.upload(lent.at, bytes)?;
        Ok(lent)
    }

    fn read(&self, storage: Storage, count: usize) -> Result<Vec<f64>, Fault> {
        let mut bytes = vec![0; (count * storage.bytes()).min(self.bytes)];
        self.queue.download(self.at, &mut bytes)?;
        Ok(decode(storage, &bytes))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.queue.free(self.at);
    }
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
