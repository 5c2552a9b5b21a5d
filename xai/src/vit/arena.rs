//! Memory that passes use again and again, so that a call takes none for what it does not give away.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use kernels::{Buffer, Real, Workspace};

use super::block::BlockTape;

/// Scratch memory of one pass at a time; every buffer grows to the largest pass and stays.
#[derive(Debug, Default)]
pub(crate) struct Arena<T: Real> {
    pub workspace: Workspace<T>,
    pub scratch: Scratch<T>,
    /// Tapes of a trace that is gone: room for the next one's.
    pub spare: Vec<BlockTape<T>>,
}

/// Buffers between the layers of a block.
#[derive(Debug, Default)]
pub(crate) struct Scratch<T: Real> {
    /// (B, N, 3·A) where a pass keeps no tape.
    pub qkv: Buffer<T>,
    /// (B, N, H) where a pass keeps no tape.
    pub log_sum_exp: Buffer<T>,
    /// (B, N, A) where a pass keeps no tape; on the way back the gradient there.
    pub context: Buffer<T>,
    /// The MLP after its activation, (B, N, M); on the way back the gradient before it.
    pub hidden: Buffer<T>,
    /// A gradient of rows of tokens, (B, N, D).
    pub rows: Buffer<T>,
    /// The gradient at queries, keys and values, (B, N, 3·A).
    pub dqkv: Buffer<T>,
}

/// Arenas that wait for the next pass; a clone begins without any.
#[derive(Debug, Default)]
pub(crate) struct Arenas(Mutex<Vec<Arena<f32>>>);

/// Arenas that are kept: a pass and one beside it. More passes at a time take memory anew.
const KEPT: usize = 2;

impl Arenas {
    /// An arena for one pass; it comes back when dropped.
    pub fn lend(&self) -> Lent<'_> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Lent { home: self, arena: Some(waiting.unwrap_or_default()) }
    }
}

impl Clone for Arenas {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A lent arena.
pub(crate) struct Lent<'a> {
    home: &'a Arenas,
    /// There until dropped.
    arena: Option<Arena<f32>>,
}

impl Deref for Lent<'_> {
    type Target = Arena<f32>;

    fn deref(&self) -> &Arena<f32> {
        self.arena.as_ref().unwrap_or_else(|| unreachable!("an arena is lent until it is dropped"))
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Arena<f32> {
        self.arena.as_mut().unwrap_or_else(|| unreachable!("an arena is lent until it is dropped"))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut waiting = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < KEPT {
            waiting.extend(self.arena.take());
        }
    }
}
