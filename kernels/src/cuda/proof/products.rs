//! A way that would take products is held against own kernels: one small product of each kind.

use std::fmt;

use super::{Lent, Verdict, compared, gate, seed};
use crate::activation::Activation;
use crate::cuda::{Address, Fault, Queue, Storage};
use crate::linear::cuda::{Asked, Factors, Product, Scratch, Then, own};

/// Rows, columns and depth: no multiple of any tile, and a depth of several steps.
const OF_PASSES: [usize; 3] = [37, 72, 136];
const OF_WEIGHTS: [usize; 3] = [72, 40, 37];
const NONE: Address = Address::NONE;

/// Holds products that `way` takes against own kernels; `way` says whether it took one, as [`Queue::product`] does.
///
/// # Errors
/// Faults of the device; a way that is wrong is no fault.
pub fn prove(queue: &dyn Queue, storage: Storage, way: &mut dyn FnMut(&Asked) -> Result<bool, Fault>) -> Result<Verdict, Fault> {
    let (seed, mut agreed) = (seed(), 0);
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
        let numbers = |part: u64, storage, count| Lent::of_numbers(queue, storage, seed.wrapping_add(part), count);
        let poisoned = || Lent::poisoned(queue, 4 * count);
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
