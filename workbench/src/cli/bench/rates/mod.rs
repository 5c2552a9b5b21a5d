//! How fast single kernels are: products, attention, memory, launches.

mod attention;
mod memory;
mod products;

use kernels::cuda::{Clock, Fault, Storage};
use serde::Serialize;

use super::arrays::Memory;
use super::models::Model;
use super::samples::Samples;

/// One kernel at one size.
#[derive(Debug, Serialize)]
pub struct Rate {
    pub what: String,
    pub numbers: String,
    /// Sizes, as the name of the kind tells them.
    pub sizes: Vec<usize>,
    /// Milliseconds of one run of it.
    pub milliseconds: Samples,
    /// What the value is told in: `TFLOP/s`, `GB/s` or `microseconds`.
    pub unit: &'static str,
    pub value: f64,
}

/// What is measured, and how often.
pub struct Plan<'a> {
    pub memory: &'a Memory,
    pub storages: &'a [Storage],
    pub models: &'a [Model],
    pub batches: &'a [usize],
    pub replays: usize,
    pub seed: u64,
    pub quick: bool,
}

/// A kind of measurement: what it is called, and how it is made.
type Kind = (&'static str, fn(&Plan, &mut Vec<Rate>) -> Result<(), Fault>);

/// In the order in which they matter.
pub const KINDS: [Kind; 4] =
    [("memory", memory::bandwidth), ("launches", memory::launches), ("products", products::rates), ("attention", attention::rates)];

/// A device whose times nobody can tell.
pub fn no_clock() -> Fault {
    Fault::Unsupported("this device has no clock; nothing can be timed on it".into())
}

/// Times `launches`, `rounds` of them in one recording: milliseconds of one. They are run once before, so that modules are loaded.
fn timed(plan: &Plan, rounds: usize, launches: &dyn Fn(usize) -> Result<(), Fault>) -> Result<Samples, Fault> {
    let queue = &*plan.memory.queue;
    let clock = queue.clock().ok_or_else(no_clock)?;
    launches(0)?;
    queue.synchronise()?;
    let all = || (0..rounds).try_for_each(launches);
    if !queue.record()? {
        return measured(clock, plan.replays, rounds, &all);
    }
    let recorded = all();
    let recording = queue.end_recording();
    recorded?;
    let recording = recording?;
    let replay = || queue.replay(recording);
    (0..3).try_for_each(|_| replay())?;
    measured(clock, plan.replays, rounds, &replay)
}

fn measured(clock: &dyn Clock, replays: usize, rounds: usize, run: &dyn Fn() -> Result<(), Fault>) -> Result<Samples, Fault> {
    let between: Vec<_> = (0..replays)
        .map(|_| {
            let from = clock.mark()?;
            run()?;
            Ok([from, clock.mark()?])
        })
        .collect::<Result<_, Fault>>()?;
    let milliseconds = |between| clock.milliseconds(between).map(|all| f64::from(all) / rounds.max(1) as f64);
    Ok(Samples::of(between.into_iter().map(milliseconds).collect::<Result<_, _>>()?))
}

impl Rate {
    fn teraflops(what: &str, storage: Storage, sizes: Vec<usize>, operations: f64, milliseconds: Samples) -> Self {
        let value = operations / milliseconds.median * 1e-9;
        Self { what: what.into(), numbers: storage.to_string(), sizes, milliseconds, unit: "TFLOP/s", value }
    }

    fn gigabytes(what: &str, bytes: usize, milliseconds: Samples) -> Self {
        let value = bytes as f64 / milliseconds.median * 1e-6;
        Self { what: what.into(), numbers: "bytes".into(), sizes: vec![bytes], milliseconds, unit: "GB/s", value }
    }

    fn microseconds(what: &str, sizes: Vec<usize>, milliseconds: Samples) -> Self {
        let value = 1e3 * milliseconds.median;
        Self { what: what.into(), numbers: String::new(), sizes, milliseconds, unit: "microseconds", value }
    }
}

/// Rounds of a recording, so that what is timed is no shorter than some tens of microseconds.
fn rounds(operations: f64) -> usize {
    (2e10 / operations.max(1.0)).clamp(1.0, 32.0) as usize
}

/// So many random bytes that numbers of any storage in them are about as large as one.
fn fill(plan: &Plan, storage: Storage, at: kernels::cuda::Address, count: usize) -> Result<(), Fault> {
    const AT_ONCE: usize = 4 << 20;
    let values = kernels::check::seeded::<f32>(plan.seed, count.min(AT_ONCE));
    let bytes = kernels::cuda::encode(storage, &values);
    let whole = count * storage.bytes();
    for start in (0..whole).step_by(bytes.len().max(1)) {
        plan.memory.queue.upload(at.plus(start), &bytes[..bytes.len().min(whole - start)])?;
    }
    Ok(())
}
