//! Memory and launches: what a device moves in a second, and what stands between two kernels.

use std::time::Instant;

use kernels::cuda::{Address, Fault, Storage};
use kernels::tokens::cuda::{Cut, cut};

use super::{Plan, Rate, fill, timed};
use crate::cli::bench::samples::Samples;

/// A copy by a kernel of ours, zeros by the driver, and both ways between the processor and the device.
pub fn bandwidth(plan: &Plan, found: &mut Vec<Rate>) -> Result<(), Fault> {
    let bytes: usize = if plan.quick { 1 << 16 } else { 1 << 30 };
    let room = plan.memory.room(2 * bytes)?;
    let (from, to) = (room.at(), room.at().plus(bytes));
    fill(plan, Storage::F32, from, bytes / 4)?;
    let copied = timed(plan, 1, &|_| copy(plan, from, to, bytes))?;
    found.push(Rate::gigabytes("copy on the device, read and written", 2 * bytes, copied));
    let cleared = timed(plan, 1, &|_| plan.memory.queue.clear(to, bytes))?;
    found.push(Rate::gigabytes("zeros on the device, written", bytes, cleared));
    let mut there = vec![0u8; bytes / 8];
    let queue = &*plan.memory.queue;
    let by_processor = |run: &mut dyn FnMut() -> Result<(), Fault>| {
        let taken = (0..plan.replays.min(10)).map(|_| {
            let started = Instant::now();
            run()?;
            queue.synchronise()?;
            Ok(1e3 * started.elapsed().as_secs_f64())
        });
        taken.collect::<Result<Vec<_>, Fault>>().map(Samples::of)
    };
    let down = by_processor(&mut || queue.download(from, &mut there))?;
    let up = by_processor(&mut || queue.upload(to, &there))?;
    found.push(Rate::gigabytes("from the device to the processor", there.len(), down));
    found.push(Rate::gigabytes("from the processor to the device", there.len(), up));
    Ok(())
}

/// Rows of 1024 bytes, cut behind the last one.
fn copy(plan: &Plan, from: Address, to: Address, bytes: usize) -> Result<(), Fault> {
    let (width, rows) = (256, (bytes / 1024) as i32);
    cut(&*plan.memory.queue, Storage::F32, Cut { from, to, images: 1, from_tokens: rows, to_tokens: rows, first: 0, width })
}

/// What one more kernel costs that does next to nothing: in a recording, and launched by itself.
pub fn launches(plan: &Plan, found: &mut Vec<Rate>) -> Result<(), Fault> {
    let room = plan.memory.room(2048)?;
    let (from, to) = (room.at(), room.at().plus(1024));
    fill(plan, Storage::F32, from, 256)?;
    let kernels = if plan.quick { 4 } else { 1000 };
    let recorded = timed(plan, kernels, &|_| copy(plan, from, to, 1024))?;
    found.push(Rate::microseconds("a small kernel among others of a recording", vec![kernels], recorded));
    let queue = &*plan.memory.queue;
    let clock = queue.clock().ok_or_else(super::no_clock)?;
    let alone = super::measured(clock, plan.replays, kernels, &|| (0..kernels).try_for_each(|_| copy(plan, from, to, 1024)))?;
    found.push(Rate::microseconds("a small kernel among others that are launched one by one", vec![kernels], alone));
    Ok(())
}
