//! Memory that products use again and again: packed rows, and a corner for every thread.

use std::sync::Mutex;

use crate::{Buffer, Instructions, Real};

/// Scratch memory of products and the instructions they use; grows to the largest product and is then never taken anew.
#[derive(Debug)]
pub struct Workspace<T: Real> {
    pub(super) instructions: Instructions,
    /// Rows packed in the numbers they came in.
    pub(super) rows: Buffer<T>,
    /// Rows packed as bf16, or as the bf16 parts of f32.
    pub(super) halves: Buffer<u16>,
    pub(super) corners: Vec<Mutex<Corner<T>>>,
}

/// What one thread needs.
#[derive(Debug, Default)]
pub(super) struct Corner<T: Real> {
    /// Results of a group of panels, (panels, rows, 32).
    pub results: Buffer<T>,
    /// A panel widened to 32 outputs.
    pub panel: Buffer<T>,
    /// Two blocks of a panel, split into the bf16 parts of f32.
    pub parts: Buffer<u16>,
}

impl<T: Real> Workspace<T> {
    /// Products by these instructions; where the processor lacks them, by the best it has below them.
    pub fn new(instructions: Instructions) -> Self {
        let there = Instructions::available().into_iter().filter(|set| *set <= instructions).max();
        let corners = (0..=rayon::current_num_threads()).map(|_| Mutex::default()).collect();
        Self { instructions: there.unwrap_or(Instructions::Portable), rows: Buffer::default(), halves: Buffer::default(), corners }
    }

    /// The instructions in use.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// Bytes of packed rows and of every corner.
    pub fn bytes(&self) -> usize {
        let corner = |corner: &Mutex<Corner<T>>| {
            let corner = lock(corner);
            size_of_val(&corner.results[..]) + size_of_val(&corner.panel[..]) + size_of_val(&corner.parts[..])
        };
        size_of_val(&self.rows[..]) + size_of_val(&self.halves[..]) + self.corners.iter().map(corner).sum::<usize>()
    }
}

impl<T: Real> Default for Workspace<T> {
    fn default() -> Self {
        Self::new(Instructions::best())
    }
}

/// The corner of the thread that asks; a thread outside the pool has the last one.
pub(super) fn corner<T: Real>(corners: &[Mutex<Corner<T>>]) -> std::sync::MutexGuard<'_, Corner<T>> {
    let last = corners.len() - 1;
    lock(&corners[rayon::current_thread_index().unwrap_or(last).min(last)])
}

/// A panic elsewhere leaves scratch that is overwritten anyway.
fn lock<T: Real>(corner: &Mutex<Corner<T>>) -> std::sync::MutexGuard<'_, Corner<T>> {
    corner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
