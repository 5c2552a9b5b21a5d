//! How a product of one shape is computed: asked once, kept, and used with fresh addresses from then on.

use std::ffi::c_int;
use std::fmt;

use super::description::{Description, Matrix};
use super::library::{Handle, Heuristic, Library, Refusal, checked, number};
use crate::cuda::{Address, Storage};
use crate::linear::cuda::Product;

/// Bytes of the workspace, the same for every product and for as long as the device is open, so that recorded products keep it.
/// 32 MiB is what NVIDIA advises for `sm_90`, more than for any architecture before.
pub(super) const WORKSPACE: usize = 32 << 20;
/// What every address is a multiple of; own kernels need as much.
pub(super) const ALIGNMENT: u64 = 16;

/// What makes two products the same plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    pub product: Product,
    pub storage: Storage,
    pub extents: [usize; 3],
    /// Whether results are f32 whatever the storage is.
    pub is_wide: bool,
    pub has_bias: bool,
    /// Whether the result is added to something.
    pub adds: bool,
}

/// Where the numbers of one product are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub left: Address,
    pub right: Address,
    /// In the type of the result.
    pub bias: Address,
    pub added: Address,
    pub to: Address,
}

/// A shape's descriptions, and the library's answer.
#[derive(Debug)]
pub(super) struct Plan {
    operation: Description,
    first: Description,
    second: Description,
    result: Description,
    algorithm: [u64; 8],
    adds: bool,
    /// Whether it ran before.
    pub has_run: bool,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:?} of {:?} in {}", self.product, self.extents, self.storage)?;
        let parts = [(self.is_wide, ", kept as f32"), (self.has_bias, ", with a bias"), (self.adds, ", added to what is there")];
        parts.iter().filter(|(is_so, _)| *is_so).try_for_each(|(_, words)| f.write_str(words))
    }
}

impl Shape {
    /// Both factors as the library multiplies them. Our rows are its columns, so it computes `Yᵀ` (columns, rows), the right factor first.
    pub fn factors(&self) -> [Matrix; 2] {
        let [rows, columns, depth] = self.extents;
        let matrix = |rows, columns, is_turned| Matrix { rows, columns, is_turned };
        match self.product {
            Product::Forward => [matrix(depth, columns, true), matrix(depth, rows, false)],
            Product::Backward => [matrix(columns, depth, false), matrix(depth, rows, false)],
            Product::Weights => [matrix(columns, depth, false), matrix(rows, depth, true)],
        }
    }

    fn numbers(&self) -> [c_int; 2] {
        let of_storage = match self.storage {
            Storage::F32 => number::R_32F,
            Storage::Bf16 => number::R_16BF,
            Storage::F16 => number::R_16F,
        };
        [of_storage, if self.is_wide { number::R_32F } else { of_storage }]
    }
}

impl Plan {
    /// Asks for the best way. Of `bias` only the alignment is read: it is one that every bias has.
    pub fn new(library: &Library, handle: Handle, shape: &Shape, bias: Address) -> Result<Self, Refusal> {
        let functions = &library.functions;
        let operation = Description::operation(functions)?;
        let [first, second] = shape.factors();
        let [numbers, of_result] = shape.numbers();
        for (attribute, matrix) in [(number::DESC_TRANSA, first), (number::DESC_TRANSB, second)] {
            if matrix.is_turned {
                operation.put(attribute, number::TRANSPOSED)?;
            }
        }
        if shape.has_bias {
            operation.put(number::DESC_EPILOGUE, number::EPILOGUE_BIAS)?;
            operation.put(number::DESC_BIAS_POINTER, bias.0)?;
        }
        let [first, second] = [first, second].map(|matrix| Description::matrix(functions, numbers, matrix));
        let result = Matrix { rows: shape.extents[1], columns: shape.extents[0], is_turned: false };
        let result = Description::matrix(functions, of_result, result)?;
        let mut plan = Self { operation, first: first?, second: second?, result, algorithm: [0; 8], adds: shape.adds, has_run: false };
        plan.algorithm = plan.asked(library, handle, &wishes(library, shape)?)?;
        Ok(plan)
    }

    fn asked(&self, library: &Library, handle: Handle, wishes: &Description) -> Result<[u64; 8], Refusal> {
        const NAME: &str = "cublasLtMatmulAlgoGetHeuristic";
        let (mut answer, mut count) = (Heuristic::default(), 0);
        let [operation, first, second, result] = [&self.operation, &self.first, &self.second, &self.result].map(|of| of.handle);
        // SAFETY: live descriptions of this library; one answer is asked for and there is room for one.
        let status = unsafe {
            let ask = library.functions.ask;
            ask(handle, operation, first, second, result, result, wishes.handle, 1, &raw mut answer, &raw mut count)
        };
        checked(NAME, status)?;
        checked(NAME, if count < 1 || answer.workspace > WORKSPACE { 15 } else { answer.state })?;
        Ok(answer.algorithm)
    }

    /// Starts the product on a stream.
    pub fn run(&self, library: &Library, handle: Handle, places: Places, (workspace, stream): (Address, Handle)) -> Result<(), Refusal> {
        if places.bias.is_some() {
            self.operation.put(number::DESC_BIAS_POINTER, places.bias.0)?;
        }
        let (once, share): (f32, f32) = (1.0, if self.adds { 1.0 } else { 0.0 });
        let added = if self.adds { places.added } else { places.to };
        let [operation, first, second, result] = [&self.operation, &self.first, &self.second, &self.result].map(|of| of.handle);
        let (once, share) = (&raw const once, &raw const share);
        // SAFETY: live descriptions of this library; the addresses lead to memory of the current context with the extents of the plan,
        // which the caller keeps until the work is done; both numbers are read before this returns.
        let status = unsafe {
            let multiply = library.functions.multiply;
            let [left, right, added, to] = [places.left, places.right, added, places.to].map(|at| at.0);
            let algorithm = self.algorithm.as_ptr();
            let memory = workspace.0;
            multiply(
                handle, operation, once, right, first, left, second, share, added, result, to, result, algorithm, memory, WORKSPACE, stream,
            )
        };
        checked("cublasLtMatmul", status)
    }
}

/// A workspace of one size, sums in one order, addresses that are aligned as ours are.
fn wishes(library: &Library, shape: &Shape) -> Result<Description, Refusal> {
    let wishes = Description::preference(&library.functions)?;
    wishes.put(number::PREFERENCE_WORKSPACE, WORKSPACE)?;
    wishes.put(number::PREFERENCE_REDUCTIONS, number::REDUCTION_COMPUTE_TYPE)?;
    for attribute in number::PREFERENCE_ALIGNMENTS {
        wishes.put(attribute, ALIGNMENT as u32)?;
    }
    if library.version.major() == 11 && shape.has_bias {
        wishes.put(number::PREFERENCE_EPILOGUES, number::EPILOGUE_BIAS)?;
    }
    Ok(wishes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_ours_are_columns_of_the_library() {
        // Five rows, three columns, a depth of seven.
        let of = |product| {
            let shape = Shape { product, storage: Storage::F32, extents: [5, 3, 7], is_wide: false, has_bias: false, adds: false };
            shape.factors().map(|Matrix { rows, columns, is_turned }| if is_turned { [columns, rows] } else { [rows, columns] })
        };
        for product in [Product::Forward, Product::Backward, Product::Weights] {
            assert_eq!(of(product), [[3, 7], [7, 5]], "{product:?}: a (3, 7) times a (7, 5) is the (3, 5) that we call (5, 3)");
        }
    }
}
