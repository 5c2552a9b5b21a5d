//! Rollout over maps of any size, launched as the engine does it.

use kernels::check::seeded;
use kernels::cuda::Queue;
use kernels::rollout::{self, Layer, Normalise, cuda};

use crate::SIZES;
use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

fn push(queue: &dyn Queue, storage: Storage, (layers, images, tokens): (usize, usize, usize)) -> Result<(), String> {
    let share: Vec<f64> = seeded::<f64>(21, layers * images * tokens * tokens).iter().map(|v| (v.abs() + 0.01) / tokens as f64).collect();
    let maps = Array::new(storage, &share);
    let start: Vec<f64> = seeded::<f64>(22, images * tokens).iter().map(|v| v.abs()).collect();
    let scratch = Array::poisoned(Storage::F32, cuda::scratch(images, tokens) / 4);
    for normalise in [Normalise::Rows, Normalise::ColumnsByRowSums, Normalise::Nothing] {
        let row = Array::new(Storage::F32, &start);
        let mut exact = row.values();
        for map in maps.values().chunks(images * tokens * tokens).rev() {
            rollout::push_row(Layer { residual: 0.375, normalise }, map, &mut exact, tokens).expect("the shapes fit");
        }
        let (maps, place, scratch_) = (maps.address(), row.address(), scratch.address());
        let push = cuda::Push { maps, row: place, scratch: scratch_, layers, images, tokens, residual: 0.375, normalise };
        cuda::push(queue, storage, push).map_err(|fault| fault.to_string())?;
        compare(&format!("row, {normalise:?}"), &row, &exact, Storage::F32.gate())?;
        scratch.read()?;
    }
    Ok(())
}

#[test]
fn tokens_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            // One or two images take the launches of rows, five those of whole images.
            let shapes =
                SIZES.into_iter().map(|tokens| (3, if tokens > 200 { 1 } else { 2 }, tokens)).chain([(2, 1, 65), (2, 5, 65), (1, 1, 1409)]);
            for shape in shapes.filter(|(_, _, tokens)| matches!(schedule, Schedule::Backward) || *tokens < 200) {
                push(&queue, storage, shape).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {shape:?}: {error}"));
            }
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the weights", from: "__syncthreads();  // the rows' weights are there", to: "" },
        Mutant { what: "one row too many", from: "min(ROWS, tokens - first)", to: "min(ROWS, tokens - first + 1)" },
        Mutant { what: "a part is left out", from: "block < blocks; block++", to: "block < blocks - 1; block++" },
    ];
    assert_caught_on("rollout/cuda_rows.cu", Storage::F32, &mutants, |queue| push(queue, Storage::F32, (2, 1, 65)));
}
