//! Memory that kernels use again and again: packed rows, and a corner for every thread.

use std::sync::Mutex;

use crate::{Buffer, Instructions, Real};

/// Scratch memory of kernels and the instructions they use; it grows to what the largest call needs and is then never taken anew.
#[derive(Debug)]
pub struct Workspace<T: Real> {
    pub(crate) instructions: Instructions,
    /// Rows packed in the numbers they came in.
    pub(crate) rows: Buffer<T>,
    /// Keys and values of attention, packed by heads.
    pub(crate) heads: [Buffer<T>; 2],
    /// Rows packed as bf16, or as the bf16 parts of f32.
    pub(crate) halves: Buffer<u16>,
    pub(crate) corners: Vec<Mutex<Corner<T>>>,
}

/// What one thread needs.
#[derive(Debug, Default)]
pub(crate) struct Corner<T: Real> {
    /// Results of a group of panels, (panels, rows, 32); scores of some queries, (keys, 32).
    pub results: Buffer<T>,
    /// A panel widened to 32 outputs; some queries of one head, (head width, 32).
    pub panel: Buffer<T>,
    /// A fused map of some queries, (keys, 32).
    pub map: Buffer<T>,
    /// Attention's context of some queries, (head width, 32).
    pub context: Buffer<T>,
    /// Queries and gradients of one head, in strips.
    pub strips: Buffer<T>,
    /// The gradient at one head's scores, (queries/32, keys, 32).
    pub square: Buffer<T>,
    /// Two blocks of a panel, split into the bf16 parts of f32.
    pub parts: Buffer<u16>,
}

impl<T: Real> Workspace<T> {
    /// Kernels by these instructions; where the processor lacks them, by the best it has below them.
    pub fn new(instructions: Instructions) -> Self {
        let there = Instructions::available().into_iter().filter(|set| *set <= instructions).max();
        let corners = (0..=rayon::current_num_threads()).map(|_| Mutex::default()).collect();
        Self {
            instructions: there.unwrap_or(Instructions::Portable),
            rows: Buffer::default(),
            heads: Default::default(),
            halves: Buffer::default(),
            corners,
        }
    }

    /// The instructions in use.
    pub fn instructions(&self) -> Instructions {
        self.instructions
    }

    /// Bytes of packed rows and of every corner.
    pub fn bytes(&self) -> usize {
        let corner = |corner: &Mutex<Corner<T>>| {
            let corner = &mut *lock(corner);
            let parts = size_of_val(&corner.parts[..]);
            corner.buffers().iter().map(|buffer| size_of_val(&buffer[..])).sum::<usize>() + parts
        };
        let heads: usize = self.heads.iter().map(|heads| size_of_val(&heads[..])).sum();
        size_of_val(&self.rows[..]) + heads + size_of_val(&self.halves[..]) + self.corners.iter().map(corner).sum::<usize>()
    }
}

/// Every corner grows to the largest: which thread takes which task is chance, what memory a pass needs should not be.
pub(crate) fn level<T: Real>(corners: &mut [Mutex<Corner<T>>]) {
    let mut most = ([0; 6], 0);
    for corner in corners.iter_mut() {
        let corner = owned(corner);
        most.0.iter_mut().zip(corner.buffers()).for_each(|(most, buffer)| *most = buffer.len().max(*most));
        most.1 = corner.parts.len().max(most.1);
    }
    for corner in corners {
        let corner = owned(corner);
        most.0.iter().zip(corner.buffers()).for_each(|(&most, buffer)| {
            buffer.at_least(most);
        });
        corner.parts.at_least(most.1);
    }
}

impl<T: Real> Corner<T> {
    fn buffers(&mut self) -> [&mut Buffer<T>; 6] {
        [&mut self.results, &mut self.panel, &mut self.map, &mut self.context, &mut self.strips, &mut self.square]
    }
}

impl<T: Real> Default for Workspace<T> {
    fn default() -> Self {
        Self::new(Instructions::best())
    }
}

/// The corner of the thread that asks; a thread outside the pool has the last one.
pub(crate) fn corner<T: Real>(corners: &[Mutex<Corner<T>>]) -> std::sync::MutexGuard<'_, Corner<T>> {
    let last = corners.len() - 1;
    lock(&corners[rayon::current_thread_index().unwrap_or(last).min(last)])
}

/// A panic elsewhere leaves scratch that is overwritten anyway.
fn owned<T: Real>(corner: &mut Mutex<Corner<T>>) -> &mut Corner<T> {
    corner.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// As [`owned`], while threads share it.
fn lock<T: Real>(corner: &Mutex<Corner<T>>) -> std::sync::MutexGuard<'_, Corner<T>> {
    corner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
