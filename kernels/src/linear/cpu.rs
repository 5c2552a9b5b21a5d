//! Products on the CPU: rows are packed once, then every task takes some panels of the weight and finishes their columns.
//!
//! | path | weights | numbers multiplied | used where |
//! |---|---|---|---|
//! | [`exact`] | full | as they are | portable, AVX2, AVX-512; any numbers |
//! | [`amx`] on split panels | full | three bf16 parts of each f32, six products, sums in f32 | AMX |
//! | [`amx`] on rounded panels | bf16 | bf16, sums in f32 | AMX |
//! | [`pairs`] | bf16 | pairs of bf16, sums in f32 | AVX512-BF16 |
//! | [`exact`] on widened panels | bf16 | bf16 widened to f32 | everywhere else |

#[cfg(target_arch = "x86_64")]
mod amx;
mod exact;
mod finish;
pub(super) mod gradient;
#[cfg(target_arch = "x86_64")]
mod pairs;
mod rows;
mod tile;

use std::any::TypeId;
use std::ops::Range;

use rayon::prelude::*;

use super::panels::WIDTH;
use super::weight::Panels;
use super::{Input, Then};
use crate::workspace::{Corner, corner, level};
use crate::{Instructions, Real, Workspace};
use finish::Finish;
use tile::tile_rows;
pub(crate) use tile::{Strip, Tile, exact_tile};

/// Rows of one walk through the weight: what they pack into stays in the second cache.
const ROWS: usize = 320;
/// Steps along the inputs before the next panel: a block of a panel stays in the first cache.
const BLOCK: usize = 256;
/// Panels of a task at most: the packed rows of a block are read from the second cache for each of them.
const GROUP: usize = 16;
/// Products with fewer multiplications run where they are asked for.
const SMALL: usize = 1 << 18;

pub(super) struct Product<'a, T: Real> {
    pub rows: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub panels: &'a Panels<T>,
    pub bias: Option<&'a [T]>,
}

/// One way to multiply packed rows by panels.
trait Path<T: Real>: Sync {
    /// Rows that results are laid out for: at least those of the product.
    fn result_rows(&self) -> usize;
    /// Fills `corner.results` (panels, result rows, 32) for the given panels.
    fn multiply(&self, panels: Range<usize>, corner: &mut Corner<T>);
}

pub(super) fn run<T: Real>(product: Product<T>, input: Input<T>, then: Then<T>, workspace: &mut Workspace<T>) {
    let finish = Finish::new(then, product.outputs, product.bias);
    let mut first = 0;
    for rows in shares(product.rows, ROWS) {
        let block = Block { product: &product, input, rows: first..first + rows, finish: &finish };
        block.run(workspace);
        first += rows;
    }
    level(&mut workspace.corners);
}

/// Cuts `total` into as few shares of at most `most` as there can be, all of nearly the same size.
pub(crate) fn shares(total: usize, most: usize) -> impl Iterator<Item = usize> + Clone {
    let count = total.div_ceil(most).max(1);
    (0..count).map(move |share| total / count + usize::from(share < total % count))
}

/// Some rows of a product.
struct Block<'a, T: Real> {
    product: &'a Product<'a, T>,
    input: Input<'a, T>,
    rows: Range<usize>,
    finish: &'a Finish<'a, T>,
}

impl<T: Real> Block<'_, T> {
    fn run(&self, workspace: &mut Workspace<T>) {
        let Workspace { instructions, rows, halves, corners, .. } = workspace;
        let (inputs, count) = (self.product.inputs, self.rows.len());
        let is_f32 = TypeId::of::<T>() == TypeId::of::<f32>();
        match (self.product.panels, *instructions) {
            #[cfg(target_arch = "x86_64")]
            (Panels::Full(weight), Instructions::Amx) if is_f32 => {
                let packed = rows::in_parts(self.input, self.rows.clone(), inputs, halves);
                self.over_panels(&amx::Split::new(weight, self.product, count, packed), corners);
            }
            (Panels::Full(weight), _) => {
                let packed = rows::as_they_are(self.input, self.rows.clone(), inputs, tile_rows::<T>(*instructions), rows);
                self.over_panels(&exact::Exact::full(weight, self.product, count, packed, *instructions), corners);
            }
            #[cfg(target_arch = "x86_64")]
            (Panels::Bf16(weight), Instructions::Amx) if is_f32 => {
                let packed = rows::in_tiles(self.input, self.rows.clone(), inputs, halves);
                self.over_panels(&amx::Rounded::new(weight, self.product, count, packed), corners);
            }
            #[cfg(target_arch = "x86_64")]
            (Panels::Bf16(weight), Instructions::Avx512Bf16) if is_f32 => {
                let packed = rows::in_pairs(self.input, self.rows.clone(), inputs, pairs::ROWS, halves);
                self.over_panels(&pairs::Pairs::new(weight, self.product, count, packed), corners);
            }
            (Panels::Bf16(weight), _) => {
                let packed = rows::widened(self.input, self.rows.clone(), inputs, tile_rows::<T>(*instructions), rows);
                self.over_panels(&exact::Exact::widened(weight, self.product, count, packed, *instructions), corners);
            }
        }
        let _ = (is_f32, halves);
    }

    fn over_panels(&self, path: &impl Path<T>, corners: &[std::sync::Mutex<Corner<T>>]) {
        let panels = self.product.outputs.div_ceil(WIDTH);
        let task = |group: Range<usize>| {
            let corner = &mut *corner(corners);
            path.multiply(group.clone(), corner);
            for (results, panel) in corner.results.chunks(path.result_rows() * WIDTH).zip(group) {
                self.finish.panel(self.rows.clone(), panel * WIDTH, results);
            }
        };
        if self.rows.len() * self.product.inputs * self.product.outputs < SMALL {
            return (0..panels).step_by(GROUP).for_each(|first| task(first..panels.min(first + GROUP)));
        }
        let group = panels.div_ceil(2 * rayon::current_num_threads()).clamp(1, GROUP);
        (0..panels.div_ceil(group)).into_par_iter().for_each(|index| task(index * group..panels.min((index + 1) * group)));
    }
}

/// The same values, where `T` is `f32`: what the paths through bf16 are taken for.
#[cfg(target_arch = "x86_64")]
fn as_f32<T: Real>(values: &[T]) -> &[f32] {
    assert_eq!(TypeId::of::<T>(), TypeId::of::<f32>(), "products through bf16 are for f32");
    // SAFETY: `T` is `f32`.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), values.len()) }
}

/// As [`as_f32`], to be written.
#[cfg(target_arch = "x86_64")]
fn as_f32_mut<T: Real>(values: &mut [T]) -> &mut [f32] {
    assert_eq!(TypeId::of::<T>(), TypeId::of::<f32>(), "products through bf16 are for f32");
    // SAFETY: `T` is `f32`, and the values are borrowed mutably.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), values.len()) }
}
