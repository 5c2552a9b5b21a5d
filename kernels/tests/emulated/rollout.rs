//! The rollout of one row through all layers.

use std::ffi::c_void;

use kernels::check::seeded;
use kernels::rollout::{self, Layer, Normalise};

use crate::SIZES;
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught, under_all_schedules};

const FILE: &str = "rollout/cuda.cu";

#[repr(C)]
struct Rollout {
    maps: *const c_void,
    row: *mut c_void,
    layers: i32,
    images: i32,
    tokens: i32,
    residual: f32,
    normalise: i32,
}

fn push(library: &Library, storage: Storage, (layers, images, tokens): (usize, usize, usize), schedule: Schedule) -> Result<(), String> {
    let share: Vec<f64> = seeded::<f64>(21, layers * images * tokens * tokens).iter().map(|v| (v.abs() + 0.01) / tokens as f64).collect();
    let maps = Array::new(storage, &share);
    let start: Vec<f64> = seeded::<f64>(22, images * tokens).iter().map(|v| v.abs()).collect();
    for (code, normalise) in [Normalise::Rows, Normalise::ColumnsByRowSums, Normalise::Nothing].into_iter().enumerate() {
        let row = Array::new(Storage::F32, &start);
        let mut exact = row.values();
        for map in maps.values().chunks(images * tokens * tokens).rev() {
            rollout::push_row(Layer { residual: 0.375, normalise }, map, &mut exact, tokens).expect("the shapes fit");
        }
        let (most, warps) =
            [(256, 32), (640, 32), (1408, 16)].into_iter().find(|(most, _)| tokens <= *most).expect("a count that has a kernel");
        let how = Launched { grid: [images, 1, 1], threads: 32 * warps, shared: (2 + warps / 2) * tokens * 4 };
        let (maps, row_) = (maps.at(), row.at());
        let [layers, images, tokens] = [layers, images, tokens].map(|count| count as i32);
        let arguments = Rollout { maps, row: row_, layers, images, tokens, residual: 0.375, normalise: code as i32 };
        library.run(&format!("rollout_{most}"), how, &arguments, schedule)?;
        compare(&format!("row, {normalise:?}"), &row, &exact, Storage::F32.gate())?;
    }
    Ok(())
}

#[test]
fn tokens_of_every_count() {
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for tokens in SIZES.into_iter().chain([700]) {
            let shape = (if tokens > 200 { 2 } else { 4 }, 2, tokens);
            under_all_schedules(|schedule| push(&library, storage, shape, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, layers, images and tokens {shape:?}: {error}"));
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the row", from: "__syncthreads();  // the row is there", to: "" },
        Mutant {
            what: "parts are overwritten before they are read",
            from: "__syncthreads();  // the parts of the round before are read",
            to: "",
        },
        Mutant { what: "parts are read before they are written", from: "__syncthreads();  // the parts of this round are written", to: "" },
        Mutant { what: "the next layer begins with the old row", from: "__syncthreads();  // the new row is there", to: "" },
        Mutant { what: "the layers go up", from: "size_t(layer) * a.images", to: "size_t(a.layers - 1 - layer) * a.images" },
        Mutant { what: "one column too many", from: "line[k] = j < tokens ?", to: "line[k] = j <= tokens ?" },
    ];
    assert_caught(FILE, Storage::F32, &mutants, |library, schedule| push(library, Storage::F32, (3, 2, 65), schedule));
}
