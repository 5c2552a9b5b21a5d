//! What lies on the device for all passes over one picture's variants.

use std::mem::offset_of;

use kernels::cuda::{Address, Field, Storage};
use kernels::patchify::cuda::{Noise, Variants};
use kernels::saliency::cuda::{PARTS, Saliency};
use ndarray::ArrayView3;

use super::{Gather, MOST};
use crate::Error;
use crate::vit::cuda::forward::Run;
use crate::vit::cuda::input::Input;
use crate::vit::cuda::places::{Places, Sizes};
use crate::vit::cuda::{Engine, failed};

/// Places that all passes share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    /// (C, H, W) as f32.
    picture: Address,
    /// The same, of a path.
    baseline: Address,
    /// [`Dials`].
    pub dials: Address,
    /// Running mean and squares, or the sum along a path and picture minus baseline: (P, pitch) as f32.
    pub gathered: [Address; 2],
    /// (MOST, PARTS) as f32.
    partials: Address,
    /// (MOST) as f32.
    pub totals: Address,
    /// (H, W) as f32.
    pub map: Address,
}

/// What changes from pass to pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dials<'a> {
    /// Where gradients are kept.
    pub kept: Address,
    pub noise: Noise,
    /// Variants that were gathered already.
    pub before: usize,
    /// Of baseline and picture, (images, 2).
    pub shares: &'a [f32],
    /// (images).
    pub weights: &'a [f32],
}

/// The same on the device, for the most images that a pass may have.
#[derive(Debug)]
#[repr(C)]
struct Layout {
    kept: Address,
    noise: Noise,
    before: i32,
    shares: [f32; 2 * MOST],
    weights: [f32; MOST],
}

impl Dials<'_> {
    pub const NONE: Self =
        Self { kept: Address::NONE, noise: Noise { seed: [0; 2], first_sample: 0, deviation: 0.0 }, before: 0, shares: &[], weights: &[] };

    fn bytes(&self) -> Vec<u8> {
        let Self { kept, noise, before, .. } = *self;
        let mut layout = Layout { kept, noise, before: before as i32, shares: [0.0; 2 * MOST], weights: [0.0; MOST] };
        layout.shares[..self.shares.len()].copy_from_slice(self.shares);
        layout.weights[..self.weights.len()].copy_from_slice(self.weights);
        let mut bytes = vec![0; size_of::<Layout>()];
        layout.kept.put(&mut bytes[offset_of!(Layout, kept)..][..size_of::<Address>()]);
        layout.noise.put(&mut bytes[offset_of!(Layout, noise)..][..size_of::<Noise>()]);
        layout.before.put(&mut bytes[offset_of!(Layout, before)..][..4]);
        layout.shares.put(&mut bytes[offset_of!(Layout, shares)..][..8 * MOST]);
        layout.weights.put(&mut bytes[offset_of!(Layout, weights)..][..4 * MOST]);
        bytes
    }
}

impl Ground {
    /// For a picture of the sizes of one image.
    pub fn lay(sizes: &Sizes, gather: Gather, places: &mut Places) -> Self {
        let (pixels, count) = (sizes.pixels(), sizes.patch_rows() * sizes.pitch);
        let of_path = if gather == Gather::Moments { 0 } else { pixels };
        Self {
            picture: places.singles(pixels),
            baseline: places.singles(of_path),
            dials: places.bytes(size_of::<Layout>()),
            gathered: [places.singles(count), places.singles(count)],
            partials: places.singles(MOST * PARTS),
            totals: places.singles(MOST),
            map: places.singles(pixels / sizes.config.num_channels),
        }
    }

    pub fn put_picture(&self, engine: &Engine, picture: ArrayView3<f32>) -> Result<(), Error> {
        let _turn = engine.turn();
        put(engine, self.picture, picture)
    }

    /// The ends of a path, and their difference in the order of patches.
    pub fn put_path(&self, engine: &Engine, sizes: &Sizes, [from, to]: [ArrayView3<f32>; 2]) -> Result<(), Error> {
        let _turn = engine.turn();
        put(engine, self.picture, (&to - &from).view())?;
        let run = Run::new(engine, sizes).reading(Input::Values(self.picture));
        run.patches(Storage::F32, self.gathered[1]).map_err(failed)?;
        put(engine, self.baseline, from)?;
        put(engine, self.picture, to)
    }

    pub fn put_dials(&self, engine: &Engine, dials: &Dials) -> Result<(), Error> {
        engine.queue.upload(self.dials, &dials.bytes()).map_err(failed)
    }

    /// What patches are made of.
    pub fn variants(&self, gather: Gather) -> Variants {
        let Self { picture, baseline, dials, .. } = *self;
        match gather {
            Gather::Moments => Variants::Noisy { picture, noise: dials.plus(offset_of!(Layout, noise)) },
            Gather::Weighted | Gather::Kept => Variants::Along { picture, baseline, shares: dials.plus(offset_of!(Layout, shares)) },
        }
    }

    /// What gathers `samples` gradients of `count` values.
    pub fn saliency(&self, gradients: Address, (samples, count): (usize, usize), unscale: f32) -> Saliency {
        let [first, second] = self.gathered;
        Saliency {
            gradients,
            weights: self.dials.plus(offset_of!(Layout, weights)),
            before: self.dials.plus(offset_of!(Layout, before)),
            mean: first,
            squares: second,
            sum: first,
            moved: second,
            partials: self.partials,
            totals: self.totals,
            kept: self.dials.plus(offset_of!(Layout, kept)),
            samples: samples as i32,
            count: count as i32,
            unscale,
        }
    }
}

fn put(engine: &Engine, at: Address, picture: ArrayView3<f32>) -> Result<(), Error> {
    let picture = picture.as_standard_layout();
    engine.put(at, picture.as_slice().unwrap_or(&[]))
}
