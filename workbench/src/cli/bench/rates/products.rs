//! Products of the models' layers: `Y = X·Wᵀ` and `dX = dY·W`, through whatever way the library takes them.

use kernels::cuda::{Address, Fault, Storage};
use kernels::linear::cuda::{Factors, Product, Scratch, Then, product};

use super::{Plan, Rate, fill, rounds, timed};

/// Rows: tokens of one picture of 145, 197 and 577, and of 64 pictures of the first and the last.
const ROWS: [usize; 5] = [145, 197, 577, 9280, 36_928];
/// Weights in turns, so that they come from memory as in a model: more bytes than a cache has.
const BEYOND_CACHES: usize = 256 << 20;

/// Every depth and width that a model's layers have.
fn layers(plan: &Plan) -> Vec<[usize; 2]> {
    let of = |model: &super::Model| {
        let (width, hidden) = (model.config.hidden_size, model.config.intermediate_size.next_multiple_of(8));
        [[width, 3 * width], [width, width], [width, hidden], [hidden, width]]
    };
    let mut layers: Vec<_> = plan.models.iter().flat_map(of).collect();
    layers.sort_unstable();
    layers.dedup();
    layers
}

pub fn rates(plan: &Plan, found: &mut Vec<Rate>) -> Result<(), Fault> {
    let rows: &[usize] = if plan.quick { &[17] } else { &ROWS };
    for &storage in plan.storages {
        for [depth, width] in layers(plan) {
            for &rows in rows {
                found.push(one(plan, storage, Product::Forward, [rows, width, depth])?);
            }
            let many = rows.iter().copied().max().unwrap_or(1);
            found.push(one(plan, storage, Product::Backward, [many.min(9280), depth, width])?);
        }
    }
    Ok(())
}

/// Of rows, columns and depth, as the product names them.
fn one(plan: &Plan, storage: Storage, which: Product, extents: [usize; 3]) -> Result<Rate, Fault> {
    let [rows, columns, depth] = extents;
    let weight = columns * depth * storage.bytes();
    let turns = if plan.quick { 1 } else { (BEYOND_CACHES / weight).clamp(1, 16) };
    let line = |values: usize| (values * storage.bytes()).next_multiple_of(256);
    let splits = 8 * plan.memory.queue.multiprocessors() * 64 * 64;
    let bytes = [line(rows * depth), turns * line(columns * depth), 4 * columns.next_multiple_of(64), line(rows * columns), 4 * splits];
    let room = plan.memory.room(bytes.iter().sum())?;
    let mut at = room.at();
    let [left, weights, bias, y, partials] = bytes.map(|bytes| {
        let here = at;
        at = at.plus(bytes);
        here
    });
    fill(plan, storage, left, rows * depth)?;
    fill(plan, storage, weights, turns * line(columns * depth) / storage.bytes())?;
    fill(plan, Storage::F32, bias, columns)?;
    let (name, bias) = if which == Product::Forward { ("product", bias) } else { ("product back", Address::NONE) };
    let operations = 2.0 * rows as f64 * columns as f64 * depth as f64;
    let milliseconds = timed(plan, rounds(operations), &|round| {
        let right = weights.plus(round % turns * line(columns * depth));
        let then = Then::Store { to: y, residual: Address::NONE };
        let scratch = Scratch { at: partials, values: splits };
        product(&*plan.memory.queue, storage, which, Factors { left, right, bias, extents }, then, scratch)
    })?;
    Ok(Rate::teraflops(name, storage, extents.into(), operations, milliseconds))
}
