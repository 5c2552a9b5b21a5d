//! What works on rows: norms, tokens and patches.

use kernels::cuda::{Fault, Storage};
use kernels::layer_norm::{self, cuda as norm};
use kernels::patchify;
use kernels::tokens::cuda::{self, Cut, Join};
use kernels::tokens::{self, Part, Shape};

use super::products::refused;
use super::{Lab, limit};
use crate::cli::bench::gates::{Gates, off};

/// Rows of widths of models, and of one beyond them.
pub fn layer_norm(lab: &Lab, rows: usize, gates: &mut Gates) -> Result<(), Fault> {
    const EPS: f32 = 1e-6;
    let widths: &[usize] = if lab.quick { &[72] } else { &[384, 768, 1280, 1792] };
    for &width in widths {
        // Numbers with a mean, so that a variance that is not taken around it shows.
        let shifted = |place, count| lab.numbers(place, count).iter().map(|value| 2.0 * value + 1.0).collect::<Vec<_>>();
        let put = |place| lab.memory.put(lab.storage, &shifted(place, rows * width));
        let [x, dy, dx] = [put(1)?, put(2)?, put(3)?];
        let [gain, bias] = [lab.memory.put(Storage::F32, &shifted(4, width))?, lab.memory.put(Storage::F32, &shifted(5, width))?];
        let affine = layer_norm::Affine { gain: &gain.1, bias: &bias.1, eps: EPS.into() };
        let there = norm::Affine { gain: gain.0.at(), bias: bias.0.at(), eps: EPS };
        let (y, mut exact) = (lab.memory.poisoned(lab.storage, rows * width)?, vec![0.0; rows * width]);
        norm::forward(&*lab.memory.queue, lab.storage, there, (rows, width), (x.0.at(), y.at()))?;
        layer_norm::forward(affine, &x.1, &mut exact).map_err(refused)?;
        let what = |of: &str| format!("{of} of {rows} rows of {width}");
        gates.at_most(what("layer norm"), lab.storage, lab.limit(), off(&lab.memory.read(&y)?, &exact));
        let mut exact = dx.1;
        norm::backward(&*lab.memory.queue, lab.storage, there, (rows, width), (x.0.at(), dy.0.at(), dx.0.at()))?;
        layer_norm::backward(affine, &x.1, &dy.1, &mut exact).map_err(refused)?;
        gates.at_most(what("layer norm's gradient"), lab.storage, lab.limit(), off(&lab.memory.read(&dx.0)?, &exact));
    }
    Ok(())
}

/// Joined, cut, pooled and pooled back; pixels to patches and back.
pub fn tokens_and_patches(lab: &Lab, count: usize, gates: &mut Gates) -> Result<(), Fault> {
    let shape = Shape { images: 2, tokens: count + 1, width: 64 };
    joined_and_cut(lab, shape, gates)?;
    pooled(lab, shape, gates)?;
    patched(lab, patchify::Shape { images: 2, channels: 3, rows: 2, cols: count.min(20), size: 14 }, gates)
}

fn joined_and_cut(lab: &Lab, shape: Shape, gates: &mut Gates) -> Result<(), Fault> {
    let Shape { images, tokens, width } = shape;
    let patches = lab.memory.put(lab.storage, &lab.numbers(1, images * (tokens - 1) * width))?;
    let singles = |place, count| lab.memory.put(Storage::F32, &lab.numbers(place, count));
    let [special, positions] = [singles(2, width)?, singles(3, (tokens - 1) * width)?];
    let (all, mut exact) = (lab.memory.poisoned(lab.storage, shape.total())?, vec![0.0; shape.total()]);
    let [patches_at, special_rows, positions_at] = [patches.0.at(), special.0.at(), positions.0.at()];
    let [images_, count, width_] = [images, tokens, width].map(|n| n as i32);
    let to = all.at();
    let join =
        Join { patches: patches_at, special_rows, positions: positions_at, tokens: to, images: images_, count, special: 1, width: width_ };
    cuda::join(&*lab.memory.queue, lab.storage, join)?;
    tokens::join(shape, &special.1, &patches.1, &positions.1, &mut exact).map_err(refused)?;
    let joined = lab.memory.read(&all)?;
    gates.at_most(format!("{tokens} tokens joined"), lab.storage, lab.limit(), off(&joined, &exact));
    let (some, mut exact) = (lab.memory.poisoned(lab.storage, images * 3 * width)?, vec![0.0; images * 3 * width]);
    let cut = Cut { from: to, to: some.at(), images: images_, from_tokens: count, to_tokens: 3, first: count - 1, width: width_ };
    cuda::cut(&*lab.memory.queue, lab.storage, cut)?;
    tokens::cut(shape, &joined, tokens - 1, &mut exact).map_err(refused)?;
    gates.at_most(format!("{tokens} tokens cut"), lab.storage, 0.0, off(&lab.memory.read(&some)?, &exact));
    Ok(())
}

fn pooled(lab: &Lab, shape: Shape, gates: &mut Gates) -> Result<(), Fault> {
    let parts = [Part { first: 0, count: 1 }, Part { first: 1, count: shape.tokens - 1 }];
    let all = lab.memory.put(lab.storage, &lab.numbers(4, shape.total()))?;
    let len = shape.images * parts.len() * shape.width;
    let (mean, mut exact) = (lab.memory.poisoned(Storage::F32, len)?, vec![0.0; len]);
    cuda::pool(&*lab.memory.queue, lab.storage, shape, &parts, (all.0.at(), mean.at()))?;
    tokens::pool(shape, &parts, &all.1, &mut exact).map_err(refused)?;
    let what = |of: &str| format!("{} tokens {of}", shape.tokens);
    gates.at_most(what("pooled"), lab.storage, limit(Storage::F32), off(&lab.memory.read(&mean)?, &exact));
    let gradient = lab.memory.put(Storage::F32, &lab.numbers(5, len))?;
    let (back, mut exact) = (lab.memory.poisoned(lab.storage, shape.total())?, vec![0.0; shape.total()]);
    cuda::pool_backward(&*lab.memory.queue, lab.storage, shape, &parts, (gradient.0.at(), back.at()), 1.0)?;
    tokens::pool_backward(shape, &parts, &gradient.1, &mut exact).map_err(refused)?;
    gates.at_most(what("pooled back"), lab.storage, lab.limit(), off(&lab.memory.read(&back)?, &exact));
    Ok(())
}

fn patched(lab: &Lab, shape: patchify::Shape, gates: &mut Gates) -> Result<(), Fault> {
    let pitch = shape.patch_len().next_multiple_of(8);
    let pixels = lab.memory.put(Storage::F32, &lab.numbers(6, shape.total()))?;
    let mut cut = vec![0.0; shape.total()];
    patchify::patchify(shape, &pixels.1, &mut cut).map_err(refused)?;
    let filled = |row: &[f64]| row.iter().copied().chain(std::iter::repeat_n(0.0, pitch - row.len())).collect::<Vec<_>>();
    let exact: Vec<f64> = cut.chunks(shape.patch_len()).flat_map(filled).collect();
    let patches = lab.memory.poisoned(lab.storage, exact.len())?;
    patchify::cuda::patchify(&*lab.memory.queue, lab.storage, shape, (pixels.0.at(), patches.at()), pitch)?;
    gates.at_most(format!("{} patches", 2 * shape.cols), lab.storage, lab.limit(), off(&lab.memory.read(&patches)?, &exact));
    let back = lab.memory.poisoned(Storage::F32, shape.total())?;
    patchify::cuda::unpatchify(&*lab.memory.queue, lab.storage, shape, (patches.at(), back.at()), (pitch, 1.0))?;
    gates.at_most(format!("{} patches back", 2 * shape.cols), lab.storage, lab.limit(), off(&lab.memory.read(&back)?, &pixels.1));
    Ok(())
}
