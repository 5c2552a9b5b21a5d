//! The explicit product of rollout, launched as the engine does it.

use kernels::check::seeded;
use kernels::cuda::{Address, Queue};
use kernels::rollout::cuda_explicit::{self, Multiply};
use kernels::rollout::{self, Layer, Normalise};

use crate::SIZES;
use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on, under_all_schedules};
use crate::queue::Emulated;

const RULES: [Normalise; 3] = [Normalise::Rows, Normalise::ColumnsByRowSums, Normalise::Nothing];

/// Multiplies `layers` from the first one up, as the definition does in `f64`.
fn multiply(
    queue: &dyn Queue,
    storage: Storage,
    (layers, images, tokens): (usize, usize, usize),
    rules: &[Normalise],
) -> Result<(), String> {
    let count = images * tokens * tokens;
    let share: Vec<f64> = seeded::<f64>(23, layers * count).iter().map(|v| (v.abs() + 0.01) / tokens as f64).collect();
    for &normalise in rules {
        let layer = Layer { residual: 0.375, normalise };
        let mut exact: Vec<f64> = (0..count).map(|at| f64::from(u8::from(at / tokens % tokens == at % tokens))).collect();
        let products: Vec<_> = (0..layers).map(|_| Array::poisoned(Storage::F32, count)).collect();
        for (index, share) in share.chunks(count).enumerate() {
            let (map, shares) = (Array::new(storage, share), Array::poisoned(Storage::F32, images * tokens));
            let mut matrix = map.values();
            rollout::layer_matrix(layer, &mut matrix, tokens).expect("the shapes fit");
            rollout::multiply(&matrix, &mut exact, tokens).expect("the shapes fit");
            let before = index.checked_sub(1).map_or(Address::NONE, |below| products[below].address());
            let (product, at, shares_at) = (&products[index], map.address(), shares.address());
            let of = Multiply { map: at, before, product: product.address(), shares: shares_at, images, tokens, layer };
            cuda_explicit::multiply(queue, storage, of).map_err(|fault| fault.to_string())?;
            compare(&format!("product of {} layers, {normalise:?}", index + 1), product, &exact, Storage::F32.gate())?;
        }
    }
    Ok(())
}

#[test]
fn tokens_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            for tokens in SIZES {
                // The longest have nothing that 257 tokens have not: one schedule and one rule do.
                let is_long = tokens > 200;
                if is_long && !matches!(schedule, Schedule::Backward) {
                    continue;
                }
                let (shape, rules) = if is_long { ((2, 1, tokens), &RULES[..1]) } else { ((3, 2, tokens), &RULES[..]) };
                multiply(&queue, storage, shape, rules).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {shape:?}: {error}"));
            }
        }
    }
}

#[test]
fn before_ampere() {
    for (capability, storage) in [(70, Storage::F32), (70, Storage::F16), (75, Storage::F16)] {
        under_all_schedules(|schedule| {
            let Some(queue) = Emulated::new(schedule).map(|queue| queue.of_capability(capability)) else { return Ok(()) };
            multiply(&queue, storage, (2, 1, 65), &RULES).map_err(|error| format!("sm_{capability}, {storage:?}: {error}"))
        })
        .unwrap();
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant {
            what: "nobody waits for a chunk",
            from: "__syncthreads();  // this chunk is there, and the one before it is read by all who come to overwrite it",
            to: "",
        },
        Mutant { what: "both chunks in one place", from: "k / CHUNK % 2 * STAGE", to: "0 * STAGE" },
        Mutant { what: "one column too many", from: "column < a.tokens ? *map", to: "column <= a.tokens ? *map" },
        Mutant { what: "low parts are left out", from: "mma_tf32(sums, a, low);", to: "" },
        Mutant {
            what: "every picture is the first",
            from: "(size_t(blockIdx.z) * a.tokens + row) * a.tokens + column",
            to: "size_t(row) * a.tokens + column",
        },
        Mutant { what: "the identity has no share", from: "a.residual * before)", to: "0.0f)" },
        Mutant { what: "rows are not divided", from: "a.normalise == ROWS_BY_SUMS ? value * share(row) : value", to: "value" },
    ];
    assert_caught_on("rollout/cuda_explicit.cu", Storage::Bf16, &mutants, |queue| multiply(queue, Storage::Bf16, (2, 2, 65), &RULES));
}
