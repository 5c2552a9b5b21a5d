//! The lesions there are: drawn ones for good, uploads in a bounded store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lesion::Lesion;

/// Drawn lesions in the order of the worklist, and the latest uploads.
#[derive(Debug)]
pub struct Lesions {
    drawn: Vec<Arc<Lesion>>,
    uploads: Mutex<VecDeque<Arc<Lesion>>>,
    kept: usize,
}

impl Lesions {
    /// Starts with the drawn ones; at most `kept` uploads stay.
    pub fn new(drawn: Vec<Arc<Lesion>>, kept: usize) -> Self {
        Self { drawn, uploads: Mutex::default(), kept: kept.max(1) }
    }

    /// The drawn lesions.
    pub fn drawn(&self) -> &[Arc<Lesion>] {
        &self.drawn
    }

    /// A lesion by its id.
    pub fn find(&self, id: &str) -> Option<Arc<Lesion>> {
        let drawn = self.drawn.iter().find(|lesion| lesion.id == id);
        drawn.cloned().or_else(|| self.uploads().iter().find(|lesion| lesion.id == id).cloned())
    }

    /// Keeps an upload; the same bytes are the same lesion and stay once.
    pub fn keep(&self, lesion: Arc<Lesion>) {
        let mut uploads = self.uploads();
        uploads.retain(|other| other.id != lesion.id);
        uploads.push_back(lesion);
        while uploads.len() > self.kept {
            uploads.pop_front();
        }
    }

    /// How many uploads are kept now.
    pub fn uploaded(&self) -> usize {
        self.uploads().len()
    }

    /// A panic elsewhere cannot leave the queue half changed.
    fn uploads(&self) -> MutexGuard<'_, VecDeque<Arc<Lesion>>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
