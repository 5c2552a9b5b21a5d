//! Numbers on a device: as many as are put there, rounded to their storage, poisoned where nothing was written.

use std::sync::Arc;

use kernels::cuda::{Address, Arena, Fault, Queue, Region, Storage, decode, encode};

/// A device with memory to give out.
#[derive(Debug)]
pub struct Memory {
    pub queue: Arc<dyn Queue>,
    arena: Arena,
}

/// Numbers there.
#[derive(Debug)]
pub struct Array {
    region: Region,
    storage: Storage,
    len: usize,
}

impl Memory {
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self { arena: Arena::new(queue.clone()), queue }
    }

    /// The numbers, and what they are after rounding.
    pub fn put(&self, storage: Storage, values: &[f64]) -> Result<(Array, Vec<f64>), Fault> {
        let bytes = encode(storage, values);
        let region = self.arena.take(bytes.len())?;
        self.queue.upload(region.at(), &bytes)?;
        Ok((Array { region, storage, len: values.len() }, decode(storage, &bytes)))
    }

    /// Room for numbers, none of which is one yet.
    pub fn poisoned(&self, storage: Storage, len: usize) -> Result<Array, Fault> {
        let region = self.arena.take(len * storage.bytes())?;
        self.queue.upload(region.at(), &vec![0xff; len * storage.bytes()])?;
        Ok(Array { region, storage, len })
    }

    /// Room for so many bytes.
    pub fn room(&self, bytes: usize) -> Result<Region, Fault> {
        self.arena.take(bytes)
    }

    /// What stands there.
    pub fn read(&self, array: &Array) -> Result<Vec<f64>, Fault> {
        let mut bytes = vec![0; array.len * array.storage.bytes()];
        self.queue.download(array.region.at(), &mut bytes)?;
        Ok(decode(array.storage, &bytes))
    }
}

impl Array {
    pub fn at(&self) -> Address {
        self.region.at()
    }
}
