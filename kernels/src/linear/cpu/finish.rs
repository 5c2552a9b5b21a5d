//! What is done to a panel's results before they leave the first cache.

use std::marker::PhantomData;
use std::ops::Range;

use super::super::Then;
use super::super::panels::WIDTH;
use crate::Real;
use crate::activation::{Activation, activate, gate};
use crate::simd::vectorised;

/// Where results go; every thread finishes columns of its own.
pub(super) struct Finish<'a, T> {
    kind: Kind<T>,
    bias: Option<&'a [T]>,
    scale: Option<&'a [T]>,
    outputs: usize,
    borrowed: PhantomData<&'a mut [T]>,
}

enum Kind<T> {
    Store(*mut T),
    Add(*mut T),
    Activate(Activation, Option<*mut T>, *mut T),
    Gate(Activation, *const T, *mut T),
}

// SAFETY: the pointers stem from slices that are borrowed for `'a`, mutably where they are written; threads only call
// `panel`, each for columns that no other thread has.
unsafe impl<T: Sync> Sync for Finish<'_, T> {}

impl<'a, T: Real> Finish<'a, T> {
    pub fn new(then: Then<'a, T>, outputs: usize, bias: Option<&'a [T]>) -> Self {
        let mut scale = None;
        let kind = match then {
            Then::Store(to) => Kind::Store(to.as_mut_ptr()),
            Then::Add { to, scale: by } => {
                scale = by;
                Kind::Add(to.as_mut_ptr())
            }
            Then::Activate { activation, before, after } => {
                let before = if before.is_empty() { None } else { Some(before.as_mut_ptr()) };
                Kind::Activate(activation, before, after.as_mut_ptr())
            }
            Then::Gate { activation, before, to } => Kind::Gate(activation, before.as_ptr(), to.as_mut_ptr()),
        };
        Self { kind, bias, scale, outputs, borrowed: PhantomData }
    }

    /// Finishes the columns from `column` on of some rows; `results` is (rows, 32).
    pub fn panel(&self, rows: Range<usize>, column: usize, results: &[T]) {
        let width = WIDTH.min(self.outputs - column);
        let none = [T::ZERO; WIDTH];
        let bias = self.bias.map_or(&none[..width], |bias| &bias[column..column + width]);
        vectorised(
            #[inline(always)]
            || {
                for (row, results) in rows.zip(results.chunks(WIDTH)) {
                    // SAFETY: lengths were checked where the product was asked for, so the row and its columns are there;
                    // no other thread has these columns, and `before` and `to` are different slices.
                    unsafe { self.row(row * self.outputs + column, column, &results[..width], bias) };
                }
            },
        );
    }

    /// # Safety
    /// The caller owns `results.len()` values from `at` on in every slice this writes to.
    #[inline(always)]
    unsafe fn row(&self, at: usize, column: usize, results: &[T], bias: &[T]) {
        // SAFETY: the caller's promise.
        let mutable = |start: *mut T| unsafe { std::slice::from_raw_parts_mut(start.add(at), results.len()) };
        let biased = results.iter().zip(bias).map(|(&y, &b)| y + b);
        match self.kind {
            Kind::Store(to) => mutable(to).iter_mut().zip(biased).for_each(|(to, y)| *to = y),
            Kind::Add(to) => match self.scale {
                None => mutable(to).iter_mut().zip(biased).for_each(|(to, y)| *to += y),
                Some(scale) => {
                    let scaled = biased.zip(&scale[column..]);
                    mutable(to).iter_mut().zip(scaled).for_each(|(to, (y, &s))| *to = s.mul_add(y, *to));
                }
            },
            Kind::Activate(activation, before, after) => {
                if let Some(before) = before {
                    mutable(before).iter_mut().zip(biased.clone()).for_each(|(to, y)| *to = y);
                }
                activate(activation, mutable(after), biased);
            }
            Kind::Gate(activation, before, to) => {
                // SAFETY: the caller's promise; `before` is only read.
                let before = unsafe { std::slice::from_raw_parts(before.add(at), results.len()) };
                gate(activation, mutable(to), before, biased);
            }
        }
    }
}
