//! The models and pictures of the table.

use ndarray::{Array2, Array4};
use xai::{Batch, HeadKind, Method, Probe, Target, Trace, Vit, VitConfig, explain};

use crate::lively;

pub const CLASSES: usize = 4;
/// Three patches down, five across: rows and columns cannot be confused.
pub const ROWS: usize = 3;
pub const COLS: usize = 5;
const SIDE: usize = 4;

fn config() -> VitConfig {
    VitConfig { image_size: (ROWS * SIDE, COLS * SIDE), num_hidden_layers: 3, ..VitConfig::tiny_for_tests() }
}

pub fn model(seed: u64) -> Vit {
    lively::lively(config(), HeadKind::Linear(CLASSES), seed)
}

/// A model that cannot tell where a patch stands.
pub fn without_positions() -> Vit {
    lively::edited(config(), HeadKind::Linear(CLASSES), 1, |name, values| {
        if name.ends_with("position_embeddings") {
            values.fill(0.0);
        }
    })
}

/// A model whose attention is the same everywhere: no queries, no keys.
pub fn with_even_attention() -> Vit {
    lively::edited(config(), HeadKind::Linear(CLASSES), 1, |name, values| {
        if name.contains("attention.query") || name.contains("attention.key") {
            values.fill(0.0);
        }
    })
}

/// `images` pictures of seeded noise.
pub fn noise(seed: u64, images: usize) -> Batch {
    let shape = (images, 3, ROWS * SIDE, COLS * SIDE);
    let numbers = kernels::check::seeded(seed, images * 3 * shape.2 * shape.3);
    Batch::new(Array4::from_shape_vec(shape, numbers).unwrap()).unwrap()
}

/// One picture whose patch at (row, col) holds `inside` and whose others hold `outside`.
pub fn one_patch((row, col): (usize, usize), inside: f32, outside: f32) -> Batch {
    let lit = |y: usize, x: usize| y / SIDE == row && x / SIDE == col;
    let pixels = Array4::from_shape_fn((1, 3, ROWS * SIDE, COLS * SIDE), |(_, _, y, x)| if lit(y, x) { inside } else { outside });
    Batch::new(pixels).unwrap()
}

/// The same picture with its patches moved: patch k goes to place `moved(k)`.
pub fn with_patches_moved(batch: &Batch) -> Batch {
    let mut pixels = batch.pixels().to_owned();
    for ((image, channel, y, x), value) in batch.pixels().indexed_iter() {
        let (row, col) = moved((y / SIDE, x / SIDE));
        pixels[[image, channel, row * SIDE + y % SIDE, col * SIDE + x % SIDE]] = *value;
    }
    Batch::new(pixels).unwrap()
}

/// A permutation of the patches that is neither a flip nor a rotation: seven steps on, row by row.
pub fn moved((row, col): (usize, usize)) -> (usize, usize) {
    let place = (row * COLS + col + 7) % (ROWS * COLS);
    (place / COLS, place % COLS)
}

/// The mean of a map over the pixels of each patch; a map on patches as it is.
pub fn by_patch(map: &Array2<f32>) -> Array2<f32> {
    let (height, width) = (map.nrows() / ROWS, map.ncols() / COLS);
    let tile = |row: usize, col: usize| map.slice(ndarray::s![row * height..(row + 1) * height, col * width..(col + 1) * width]);
    Array2::from_shape_fn((ROWS, COLS), |(row, col)| tile(row, col).sum() / (height * width) as f32)
}

pub fn trace(vit: &Vit, batch: &Batch) -> Trace {
    vit.trace(batch, Probe::Gradients).unwrap()
}

/// The maps of every image.
pub fn maps(trace: &Trace, target: Target, method: &Method) -> Vec<Array2<f32>> {
    explain(trace, target, method).unwrap().into_iter().map(|map| map.values).collect()
}
