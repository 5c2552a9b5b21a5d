//! Memory for a proof.

use crate::check::seeded;
use crate::cuda::{Address, Fault, Queue, Storage, decode, encode};

/// Memory of a device that goes back when dropped.
pub(super) struct Lent<'a> {
    queue: &'a dyn Queue,
    pub at: Address,
    bytes: usize,
}

impl<'a> Lent<'a> {
    fn new(queue: &'a dyn Queue, bytes: &[u8]) -> Result<Self, Fault> {
        let lent = Self { queue, at: queue.allocate(bytes.len())?, bytes: bytes.len() };
        queue.upload(lent.at, bytes)?;
        Ok(lent)
    }

    /// Seeded numbers in [−1, 1).
    pub fn of_numbers(queue: &'a dyn Queue, storage: Storage, seed: u64, count: usize) -> Result<Self, Fault> {
        Self::new(queue, &encode(storage, &seeded::<f32>(seed, count)))
    }

    /// Bytes that are no number, so that what is not written shows.
    pub fn poisoned(queue: &'a dyn Queue, bytes: usize) -> Result<Self, Fault> {
        Self::new(queue, &vec![0xff; bytes])
    }

    /// So many numbers of it, once all that was launched is done.
    pub fn read(&self, storage: Storage, count: usize) -> Result<Vec<f64>, Fault> {
        let mut bytes = vec![0; (count * storage.bytes()).min(self.bytes)];
        self.queue.download(self.at, &mut bytes)?;
        Ok(decode(storage, &bytes))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.queue.free(self.at);
    }
}
