//! What the patches of a pass are made of: prepared numbers, bytes with what they stand for, or variants of one picture.

use kernels::cuda::{Address, Fault, Storage};
use kernels::patchify;
use kernels::patchify::cuda::Variants;

use super::Engine;
use super::forward::Run;
use super::places::{Places, Sizes};
use crate::{Batch, Error, Patches};

/// Pictures of a batch, as they are uploaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pictures<'a> {
    pub data: Data<'a>,
    pub images: usize,
    pub patches: Patches,
}

/// How they are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Data<'a> {
    /// (B, C, H, W), prepared.
    Values(&'a [f32]),
    /// (B, H, W, C), and the prepared value of every byte in each channel, (C, 256).
    Bytes(&'a [u8], &'a [f32]),
}

impl<'a> Pictures<'a> {
    pub fn of(batch: &'a Batch, patches: Patches) -> Self {
        let data = match batch.bytes() {
            Some(bytes) => Data::Bytes(&bytes.pictures, &bytes.values),
            None => Data::Values(batch.contiguous()),
        };
        Self { data, images: batch.len(), patches }
    }

    /// The first so many images, and the others.
    pub fn split_at(self, images: usize) -> (Self, Self) {
        let (first, second) = match self.data {
            Data::Values(values) => {
                let (first, second) = values.split_at(values.len() / self.images.max(1) * images);
                (Data::Values(first), Data::Values(second))
            }
            Data::Bytes(pictures, values) => {
                let (first, second) = pictures.split_at(pictures.len() / self.images.max(1) * images);
                (Data::Bytes(first, values), Data::Bytes(second, values))
            }
        };
        (Self { data: first, images, ..self }, Self { data: second, images: self.images - images, ..self })
    }
}

/// Where on the device it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Input {
    /// (B, C, H, W) as f32.
    Values(Address),
    Bytes {
        /// (B, H, W, C).
        pictures: Address,
        /// (C, 256) as f32.
        values: Address,
    },
    Variants(Variants),
}

impl Input {
    pub fn lay(pictures: &Pictures, sizes: &Sizes, places: &mut Places) -> Self {
        match pictures.data {
            Data::Values(_) => Self::Values(places.singles(sizes.pixels())),
            Data::Bytes(_, values) => Self::Bytes { pictures: places.bytes(sizes.pixels()), values: places.singles(values.len()) },
        }
    }

    /// Uploads pictures to where there is a place for them.
    pub fn upload(self, engine: &Engine, pictures: &Pictures) -> Result<(), Error> {
        match (self, pictures.data) {
            (Self::Values(at), Data::Values(values)) => engine.put(at, values),
            (Self::Bytes { pictures: at, values: values_at }, Data::Bytes(bytes, values)) => {
                engine.queue.upload(at, bytes).map_err(super::failed)?;
                engine.put(values_at, values)
            }
            _ => Ok(()),
        }
    }
}

impl Sizes {
    /// Pictures of the batch cut into patches.
    pub fn patch_shape(&self) -> patchify::Shape {
        let (images, channels, size) = (self.extent.images, self.config.num_channels, self.config.patch_size);
        patchify::Shape { images, channels, rows: self.patches.rows, cols: self.patches.cols, size }
    }
}

impl Run<'_> {
    /// Rows of patches, (B·P, pitch).
    pub fn patches(&self, storage: Storage, to: Address) -> Result<(), Fault> {
        let (shape, pitch) = (self.sizes.patch_shape(), self.sizes.pitch);
        match self.input {
            Input::Values(pixels) => patchify::cuda::patchify(self.queue, storage, shape, (pixels, to), pitch),
            Input::Bytes { pictures, values } => patchify::cuda::patchify_bytes(self.queue, storage, shape, (pictures, values, to), pitch),
            Input::Variants(variants) => patchify::cuda::patchify_variants(self.queue, storage, shape, (variants, to), pitch),
        }
    }
}
