//! Batches normalised by column, launched as the engine does it.

use kernels::batch_norm::cuda::{self, BatchNorm};
use kernels::batch_norm::{Affine, AffineGradient, EPS, Statistics, backward, forward};
use kernels::check::seeded;
use kernels::cuda::{Address, Queue};

use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

/// Pictures of a batch: the fewest, a few, a tile, one more, and more than warps have rows for.
const ROWS: [usize; 5] = [2, 17, 64, 65, 145];
const SHARE: f32 = 0.25;

const NONE: Address = Address::NONE;

/// A batch and what its layer has learnt, as a device has it.
struct Case {
    rows: usize,
    width: usize,
    relu: bool,
    x: Array,
    gain: Array,
    bias: Array,
    dy: Array,
}

impl Case {
    fn new((rows, width): (usize, usize), relu: bool) -> Self {
        let array = |seed, count, scale: f64, offset: f64| {
            let values: Vec<f64> = seeded::<f64>(seed, count).iter().map(|v| scale * v + offset).collect();
            Array::new(Storage::F32, &values)
        };
        let (x, dy) = (array(1, rows * width, 3.0, 20.0), array(2, rows * width, 1.0, 0.0));
        Self { rows, width, relu, x, gain: array(3, width, 0.5, 1.0), bias: array(4, width, 0.5, 0.25), dy }
    }

    fn arguments(&self) -> BatchNorm {
        let (x, gain, bias, dy) = (self.x.address(), self.gain.address(), self.bias.address(), self.dy.address());
        let (rows, width, relu, eps) = (self.rows as i32, self.width as i32, i32::from(self.relu), EPS as f32);
        BatchNorm {
            x,
            gain,
            bias,
            y: NONE,
            moments: NONE,
            mean: NONE,
            variance: NONE,
            dy,
            dx: NONE,
            dgain: NONE,
            dbias: NONE,
            rows,
            width,
            relu,
            eps,
            share: SHARE,
        }
    }

    /// What comes out in `f64`, and with what it was normalised.
    fn exact(&self) -> (Vec<f64>, Statistics<f64>) {
        let (gain, bias, mut y) = (self.gain.values(), self.bias.values(), vec![0.0; self.rows * self.width]);
        let batch = forward(Affine { gain: &gain, bias: &bias, eps: EPS }, &self.x.values(), &mut y).expect("the shapes fit");
        if self.relu {
            y.iter_mut().for_each(|y| *y = y.max(0.0));
        }
        (y, batch)
    }
}

fn forth(queue: &dyn Queue, case: &Case) -> Result<(), String> {
    let (exact, batch) = case.exact();
    let (y, moments) = (Array::poisoned(Storage::F32, exact.len()), Array::poisoned(Storage::F32, 2 * case.width));
    let [mean, variance] = [5, 6].map(|seed| Array::new(Storage::F32, &seeded(seed, case.width)));
    let added = |to: &Array, of: &[f64]| to.values().iter().zip(of).map(|(to, of)| to + f64::from(SHARE) * of).collect::<Vec<_>>();
    let (exact_mean, exact_variance) = (added(&mean, &batch.mean), added(&variance, &batch.variance));
    let arguments = BatchNorm {
        y: y.address(),
        moments: moments.address(),
        mean: mean.address(),
        variance: variance.address(),
        dy: NONE,
        ..case.arguments()
    };
    cuda::forward(queue, arguments).map_err(|fault| fault.to_string())?;
    let pairs: Vec<f64> = batch.mean.iter().zip(&batch.rstd).flat_map(|(&mean, &rstd)| [mean, rstd]).collect();
    // Rows far from zero lose digits before their mean is taken away.
    compare("y", &y, &exact, 5.0 * Storage::F32.gate())?;
    compare("moments", &moments, &pairs, Storage::F32.gate())?;
    compare("mean", &mean, &exact_mean, Storage::F32.gate())?;
    compare("variance", &variance, &exact_variance, 5.0 * Storage::F32.gate())
}

/// Fails unless every value lies as near its twin as f32 allows of terms of this size, which may cancel.
fn near(what: &str, found: &Array, exact: &[f64], size: f64) -> Result<(), String> {
    let apart = found.read()?.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, |most: f64, v| if v <= most { most } else { v });
    if apart <= 1e-5 * size { Ok(()) } else { Err(format!("{what}: off by {apart:e} where terms are {size:e}")) }
}

fn back(queue: &dyn Queue, case: &Case) -> Result<(), String> {
    let (y, batch) = case.exact();
    let y = Array::new(Storage::F32, &y);
    let through: Vec<f64> = y.values().iter().zip(case.dy.values()).map(|(&y, dy)| if case.relu && y <= 0.0 { 0.0 } else { dy }).collect();
    let pairs: Vec<f64> = batch.mean.iter().zip(&batch.rstd).flat_map(|(&mean, &rstd)| [mean, rstd]).collect();
    let (moments, dx) = (Array::new(Storage::F32, &pairs), Array::poisoned(Storage::F32, through.len()));
    let [dgain, dbias] = [7, 8].map(|seed| Array::new(Storage::F32, &seeded(seed, case.width)));
    let (gain, bias, mut exact) = (case.gain.values(), case.bias.values(), vec![0.0; through.len()]);
    let (mut exact_gain, mut exact_bias) = (dgain.values(), dbias.values());
    let gradient = AffineGradient { gain: &mut exact_gain, bias: &mut exact_bias };
    backward(Affine { gain: &gain, bias: &bias, eps: EPS }, &batch, &case.x.values(), &through, &mut exact, gradient).expect("they fit");
    let arguments = BatchNorm {
        y: y.address(),
        moments: moments.address(),
        dx: dx.address(),
        dgain: dgain.address(),
        dbias: dbias.address(),
        ..case.arguments()
    };
    cuda::backward(queue, arguments).map_err(|fault| fault.to_string())?;
    let size = batch.rstd.iter().zip(&gain).map(|(rstd, gain)| (rstd * gain).abs()).fold(0.0, f64::max);
    near("dx", &dx, &exact, size)?;
    near("dgain", &dgain, &exact_gain, case.rows as f64)?;
    compare("dbias", &dbias, &exact_bias, 2.0 * Storage::F32.gate())
}

#[test]
fn batches_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for shape in ROWS.map(|rows| (rows, 40)).into_iter().chain([(17, 64), (3, 513), (2, 1)]) {
            for relu in [false, true] {
                let case = Case::new(shape, relu);
                forth(&queue, &case)
                    .and_then(|()| back(&queue, &case))
                    .unwrap_or_else(|error| panic!("{schedule:?}, rows and width {shape:?}, ReLU {relu}: {error}"));
            }
        }
    }
}

#[test]
fn comparisons_fail_on_what_is_no_number() {
    assert!(near("dx", &Array::poisoned(Storage::F32, 1), &[1.0], 1e9).is_err());
    assert!(near("dx", &Array::new(Storage::F32, &[1.1]), &[1.0], 1.0).is_err());
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the warps", from: "__syncthreads();  // every warp's sums are there", to: "" },
        Mutant { what: "sums are overwritten while they are read", from: "__syncthreads();  // the sums before are read", to: "" },
        Mutant { what: "the last warp is left out", from: "warp < WARPS; warp++", to: "warp < WARPS - 1; warp++" },
        Mutant {
            what: "a column is another's",
            from: "of_warps[warp * 32 + threadIdx.x % 32]",
            to: "of_warps[warp + threadIdx.x % 32 * 8]",
        },
        Mutant { what: "the variance is biased", from: "squares / (a.rows - 1)", to: "squares / a.rows" },
    ];
    let case = |queue: &Emulated| {
        let case = Case::new((145, 40), true);
        forth(queue, &case).and_then(|()| back(queue, &case))
    };
    assert_caught_on("batch_norm/cuda.cu", Storage::F32, &mutants, case);
}
