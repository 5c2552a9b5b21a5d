//! Launches of a pass, recorded once for each shape and place and replayed from then on: one call in the place of hundreds.

use std::collections::HashMap;

use kernels::cuda::{Address, Fault, Queue, Recording};

use super::variants::Gather;
use crate::Patches;
use crate::vit::forward::Keep;

/// More shapes than this run launch by launch.
const MOST: usize = 256;

/// What makes two passes the same launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub images: usize,
    pub patches: Patches,
    pub keep: Keep,
    /// Whether patches are made of bytes.
    pub is_bytes: bool,
    /// What becomes of gradients, for passes of a method's own.
    pub gather: Option<Gather>,
    /// Where its regions begin: of the pass, of its scratch, and of a backward pass.
    pub places: [Address; 3],
}

/// What was seen, and recorded where it was seen twice.
#[derive(Debug, Default)]
pub(super) struct Replays {
    seen: HashMap<Key, Option<Recording>>,
}

impl Replays {
    /// Runs the launches; those of a shape that comes again are recorded, those of a third time replayed.
    pub fn run(&mut self, queue: &dyn Queue, key: Key, launches: impl Fn() -> Result<(), Fault>) -> Result<(), Fault> {
        let known = self.seen.get(&key).copied();
        if let Some(Some(recording)) = known {
            return queue.replay(recording);
        }
        if known.is_none() {
            if self.seen.len() < MOST {
                self.seen.insert(key, None);
            }
            return launches();
        }
        if !queue.record()? {
            return launches();
        }
        let launched = launches();
        let recording = queue.end_recording();
        if let (Err(fault), Ok(part)) = (&launched, &recording) {
            queue.forget(*part);
            return Err(fault.clone());
        }
        launched?;
        let recording = recording?;
        self.seen.insert(key, Some(recording));
        queue.replay(recording)
    }

    /// Gives all recordings back.
    pub fn forget(&mut self, queue: &dyn Queue) {
        self.seen.drain().filter_map(|(_, recording)| recording).for_each(|recording| queue.forget(recording));
    }
}
