//! The proof that a faster way of products must pass, on ways that pass and on ways that must not.

use kernels::cuda::proof::{Verdict, prove};
use kernels::cuda::{Address, Fault, Queue};
use kernels::linear::cuda::{Asked, Product, Scratch, Then, own};

use crate::emulator::Schedule;
use crate::memory::Storage;
use crate::queue::Emulated;

/// What a way makes of a product that it is asked for.
type Way = fn(&dyn Queue, &Asked) -> Result<bool, Fault>;

fn right(queue: &dyn Queue, asked: &Asked) -> Result<bool, Fault> {
    own(queue, asked, Scratch { at: Address::NONE, values: 0 })?;
    Ok(true)
}

fn no_bias(queue: &dyn Queue, asked: &Asked) -> Result<bool, Fault> {
    let mut asked = *asked;
    asked.factors.bias = Address::NONE;
    right(queue, &asked)
}

fn a_sum_is_overwritten(queue: &dyn Queue, asked: &Asked) -> Result<bool, Fault> {
    match (asked.product, asked.then) {
        (Product::Weights, Then::Wide(to)) => {
            let [rows, columns, _] = asked.factors.extents;
            queue.clear(to, 4 * rows * columns)?;
        }
        _ => return Ok(false),
    }
    right(queue, asked)
}

fn a_row_is_missing(queue: &dyn Queue, asked: &Asked) -> Result<bool, Fault> {
    let mut asked = *asked;
    if asked.product != Product::Weights {
        asked.factors.extents[0] -= 1;
    }
    right(queue, &asked)
}

fn verdict(storage: Storage, way: Way) -> Option<Verdict> {
    let queue = Emulated::new(Schedule::Backward)?;
    let verdict = prove(&queue, storage, &mut |asked| way(&queue, asked)).expect("the emulator has no faults");
    assert_eq!(queue.given_out(), 0, "memory is left behind");
    Some(verdict)
}

#[test]
fn what_is_right_passes_and_nothing_else() {
    for storage in Storage::ALL {
        let Some(found) = verdict(storage, right) else { return };
        assert_eq!(found, Verdict::Agrees(13), "{storage}");
        assert_eq!(verdict(storage, |_, _| Ok(false)), Some(Verdict::Declines));
        let wrong: [(Way, &str); 4] =
            [(|_, _| Ok(true), "NaN"), (no_bias, "with a bias"), (a_sum_is_overwritten, "Weights"), (a_row_is_missing, "NaN")];
        for (way, says) in wrong {
            let Some(Verdict::Disagrees(what)) = verdict(storage, way) else { panic!("{storage}: {says} passes") };
            assert!(what.contains(says), "{storage}: {what}");
        }
    }
}
