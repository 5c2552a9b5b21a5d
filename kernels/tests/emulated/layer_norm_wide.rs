//! Layer normalisation of rows of any width, launched as the engine does it.

use kernels::check::seeded;
use kernels::cuda::Queue;
use kernels::layer_norm::{self, Affine, cuda};

use crate::emulator::Schedule;
use crate::layer_norm::EPS;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

fn there_and_back(queue: &dyn Queue, storage: Storage, (rows, width): (usize, usize)) -> Result<(), String> {
    let array = |seed, storage, count| Array::new(storage, &seeded::<f64>(seed, count).iter().map(|v| 2.0 * v + 1.0).collect::<Vec<_>>());
    let (x, dy, dx) = (array(1, storage, rows * width), array(2, storage, rows * width), array(3, storage, rows * width));
    let (gain, bias) = (array(4, Storage::F32, width), array(5, Storage::F32, width));
    let y = Array::poisoned(storage, rows * width);
    let exact_affine = Affine { gain: &gain.values(), bias: &bias.values(), eps: EPS.into() };
    let (mut exact, mut exact_dx) = (vec![0.0; rows * width], dx.values());
    layer_norm::forward(exact_affine, &x.values(), &mut exact).expect("the shapes fit");
    layer_norm::backward(exact_affine, &x.values(), &dy.values(), &mut exact_dx).expect("the shapes fit");
    let affine = cuda::Affine { gain: gain.address(), bias: bias.address(), eps: EPS };
    cuda::forward(queue, storage, affine, (rows, width), (x.address(), y.address())).map_err(|fault| fault.to_string())?;
    compare("y", &y, &exact, storage.gate())?;
    let places = (x.address(), dy.address(), dx.address());
    cuda::backward(queue, storage, affine, (rows, width), places).map_err(|fault| fault.to_string())?;
    compare("dx", &dx, &exact_dx, storage.gate())
}

#[test]
fn rows_of_every_width() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            for shape in [(1, 8), (5, 768), (3, 1536), (3, 1544), (2, 3072), (1, 4104)] {
                there_and_back(&queue, storage, shape).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {shape:?}: {error}"));
            }
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "sums are overwritten before they are read", from: "__syncthreads();  // the sums before are read", to: "" },
        Mutant { what: "nobody waits for the warps", from: "__syncthreads();  // every warp's sums are there", to: "" },
        Mutant { what: "a warp is left out", from: "warp < WARPS; warp++", to: "warp < WARPS - 1; warp++" },
    ];
    assert_caught_on("layer_norm/cuda_wide.cu", Storage::F32, &mutants, |queue| there_and_back(queue, Storage::F32, (2, 3072)));
}
