//! What the library keeps of a product, a matrix, or a wish; given back when dropped.

use std::ffi::c_int;
use std::ptr::null_mut;

use super::library::{Functions, Handle, Refusal, Status, checked, number};

/// One of them.
#[derive(Debug)]
pub(super) struct Description {
    pub handle: Handle,
    set: unsafe extern "C" fn(Handle, c_int, *const std::ffi::c_void, usize) -> Status,
    destroy: unsafe extern "C" fn(Handle) -> Status,
}

/// A matrix as the library sees it: column after column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Matrix {
    pub rows: usize,
    pub columns: usize,
    /// Whether the product takes it with both turned.
    pub is_turned: bool,
}

impl Description {
    /// A product that sums as f32.
    pub fn operation(functions: &Functions) -> Result<Self, Refusal> {
        let mut handle = null_mut();
        // SAFETY: writes one handle to a live local.
        let status = unsafe { (functions.create_operation)(&raw mut handle, number::COMPUTE_32F, number::R_32F) };
        checked("cublasLtMatmulDescCreate", status)?;
        Ok(Self { handle, set: functions.set_operation, destroy: functions.destroy_operation })
    }

    /// A matrix of numbers of this type, packed.
    pub fn matrix(functions: &Functions, numbers: c_int, matrix: Matrix) -> Result<Self, Refusal> {
        let mut handle = null_mut();
        let Matrix { rows, columns, .. } = matrix;
        // SAFETY: as above.
        let status = unsafe { (functions.create_layout)(&raw mut handle, numbers, rows as u64, columns as u64, rows as i64) };
        checked("cublasLtMatrixLayoutCreate", status)?;
        // Nothing of a layout is ever set.
        Ok(Self { handle, set: functions.set_operation, destroy: functions.destroy_layout })
    }

    /// Wishes for the way a product is computed.
    pub fn preference(functions: &Functions) -> Result<Self, Refusal> {
        let mut handle = null_mut();
        // SAFETY: as above.
        let status = unsafe { (functions.create_preference)(&raw mut handle) };
        checked("cublasLtMatmulPreferenceCreate", status)?;
        Ok(Self { handle, set: functions.set_preference, destroy: functions.destroy_preference })
    }

    /// Sets an attribute, whose type is the one that the header names.
    pub fn put<T: Copy>(&self, attribute: c_int, value: T) -> Result<(), Refusal> {
        // SAFETY: the library copies so many bytes of a live local.
        checked("setting an attribute", unsafe { (self.set)(self.handle, attribute, (&raw const value).cast(), size_of::<T>()) })
    }
}

impl Drop for Description {
    fn drop(&mut self) {
        // SAFETY: the library gave this handle out, and nobody else has it.
        unsafe { (self.destroy)(self.handle) };
    }
}
