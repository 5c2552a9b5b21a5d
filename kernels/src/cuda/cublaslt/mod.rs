//! Products of matrices through NVIDIA's cublasLt, where one of its versions 11, 12 or 13 is found.
//!
//! Read the files in this order: `search` and `python` (where it is looked for), `library` (loading it), `plan` (how one shape is
//! computed), `part` (what of a product is the library's and what follows it). Which products come here is decided in
//! [`products`](super::products), and not before they agreed with own kernels ([`proof`](super::proof)).

mod description;
mod library;
mod part;
mod plan;
mod python;
mod search;

use std::collections::HashMap;
use std::ptr::null_mut;

pub use library::{Library, Version};
pub use search::{Place, Search, Surroundings, VARIABLE};

use super::{Address, Fault, Queue};
use crate::linear::cuda::Asked;
use crate::linear::cuda_bias::{self, RoundedBias};
use library::{Handle, Refusal, checked};
use part::Part;
use plan::{ALIGNMENT, Places, Plan, Shape, WORKSPACE};

/// More shapes than this are planned anew.
const MOST_PLANS: usize = 4096;
/// Bytes for a bias in the storage of its product.
const ROUNDED: usize = 128 << 10;

/// The library on one stream of one device.
#[derive(Debug)]
pub(super) struct Cublaslt {
    pub library: Library,
    handle: Handle,
    stream: Handle,
    workspace: Address,
    /// Where a bias is rounded to the storage; the stream's order keeps one product's from the next one's.
    rounded: Address,
    plans: HashMap<Shape, Result<Plan, Refusal>>,
}

// SAFETY: the library's handles may be used from any thread, by one at a time.
unsafe impl Send for Cublaslt {}

impl Cublaslt {
    /// Takes the library for a stream of the current context; why not, where it refuses. A device without room for its workspace is a
    /// fault: there may be room another time.
    pub fn open(library: Library, queue: &dyn Queue, stream: Handle) -> Result<Result<Self, String>, Fault> {
        let mut handle = null_mut();
        // SAFETY: writes one handle to a live local.
        let status = unsafe { (library.functions.create)(&raw mut handle) };
        if let Err(refusal) = checked("cublasLtCreate", status) {
            return Ok(Err(format!("{}: {refusal}", library.path)));
        }
        let mut opened = Self { library, handle, stream, workspace: Address::NONE, rounded: Address::NONE, plans: HashMap::new() };
        match queue.allocate(WORKSPACE + ROUNDED) {
            Ok(at) => (opened.workspace, opened.rounded) = (at, at.plus(WORKSPACE)),
            Err(fault) => {
                opened.close(queue);
                return Err(fault);
            }
        }
        Ok(Ok(opened))
    }

    /// Starts a product; false where it is left to own kernels, as it then always is for its shape.
    pub fn product(&mut self, queue: &dyn Queue, asked: &Asked) -> Result<bool, Fault> {
        let Some(part) = Part::of(asked, ROUNDED) else { return Ok(false) };
        let Some(places) = self.places(queue, asked, &part)? else { return Ok(false) };
        let Self { library, handle, stream, workspace, rounded, plans } = self;
        if plans.len() >= MOST_PLANS {
            plans.clear();
        }
        let entry = plans.entry(part.shape).or_insert_with(|| Plan::new(library, *handle, &part.shape, rounded.plus(ALIGNMENT as usize)));
        let Ok(plan) = entry else { return Ok(false) };
        match plan.run(library, *handle, places, (*workspace, *stream)) {
            Ok(()) => plan.has_run = true,
            Err(refusal) if plan.has_run => {
                return Err(Fault::Refused { what: part.shape.to_string(), reason: refusal.to_string() });
            }
            Err(refusal) => {
                *entry = Err(refusal);
                return Ok(false);
            }
        }
        part.follow(queue, asked)?;
        Ok(true)
    }

    /// Where the numbers are, the bias in the type of the result; nothing for a shape that is known not to be served.
    fn places(&self, queue: &dyn Queue, asked: &Asked, part: &Part) -> Result<Option<Places>, Fault> {
        if matches!(self.plans.get(&part.shape), Some(Err(_))) {
            return Ok(None);
        }
        let factors = asked.factors;
        let mut bias = if part.shape.has_bias { factors.bias } else { Address::NONE };
        if part.rounds_bias() {
            let columns = part.shape.extents[1] as i32;
            cuda_bias::round(queue, asked.storage, RoundedBias { from: bias, to: self.rounded, columns })?;
            bias = self.rounded;
        }
        Ok(Some(Places { left: factors.left, right: factors.right, bias, added: part.added, to: part.to }))
    }

    /// Shapes that are left to own kernels, and why.
    pub fn refused(&self) -> Vec<String> {
        let refused = self.plans.iter().filter_map(|(shape, plan)| Some((shape, plan.as_ref().err()?)));
        let mut words: Vec<_> = refused.map(|(shape, why)| format!("{shape}: {why}")).collect();
        words.sort();
        words
    }

    /// Gives back what it has of the device; the library itself stays loaded.
    pub fn close(mut self, queue: &dyn Queue) {
        self.plans.clear();
        if self.workspace.is_some() {
            queue.free(self.workspace);
        }
        // SAFETY: the handle came from the library, and its plans are gone.
        unsafe { (self.library.functions.destroy)(self.handle) };
    }
}
