//! One piece of a device's memory at a time, given out in regions and taken back: after the first passes nothing is allocated.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Address, Fault, Queue};

/// Regions begin at multiples of this.
const ALIGNMENT: usize = 256;

/// Memory of one model on one device.
#[derive(Debug, Clone)]
pub struct Arena {
    home: Arc<Home>,
}

#[derive(Debug)]
struct Home {
    queue: Arc<dyn Queue>,
    pieces: Mutex<Vec<Piece>>,
    /// The most bytes it had.
    most: AtomicUsize,
}

/// Memory as the device gave it, and what of it is free, in order.
#[derive(Debug)]
struct Piece {
    start: Address,
    bytes: usize,
    free: Vec<(usize, usize)>,
}

/// Memory that goes back to its arena when dropped.
#[derive(Debug)]
pub struct Region {
    home: Arc<Home>,
    at: Address,
    bytes: usize,
}

impl Arena {
    /// An arena without memory.
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self { home: Arc::new(Home { queue, pieces: Mutex::default(), most: AtomicUsize::new(0) }) }
    }

    /// The device.
    pub fn queue(&self) -> &Arc<dyn Queue> {
        &self.home.queue
    }

    /// So many bytes: the first free ones that are enough, else new ones from the device, after pieces that nobody uses went back.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`].
    pub fn take(&self, bytes: usize) -> Result<Region, Fault> {
        let bytes = bytes.max(1).next_multiple_of(ALIGNMENT);
        let mut pieces = self.home.pieces();
        let found = pieces.iter_mut().find_map(|piece| piece.take(bytes));
        let at = match found {
            Some(at) => at,
            None => {
                pieces.retain(|piece| !piece.give_back_if_free(&*self.home.queue));
                let start = self.home.queue.allocate(bytes)?;
                pieces.push(Piece { start, bytes, free: Vec::new() });
                self.home.most.fetch_max(total(&pieces), Ordering::Relaxed);
                start
            }
        };
        Ok(Region { home: self.home.clone(), at, bytes })
    }

    /// Gives the device back what nobody uses.
    pub fn give_back(&self) {
        self.home.pieces().retain(|piece| !piece.give_back_if_free(&*self.home.queue));
    }

    /// Bytes taken from the device.
    pub fn bytes(&self) -> usize {
        total(&self.home.pieces())
    }

    /// The most bytes that it had at once since this was last asked for; what nobody uses goes back to the device.
    pub fn most_bytes(&self) -> usize {
        self.give_back();
        self.home.most.swap(self.bytes(), Ordering::Relaxed)
    }
}

fn total(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.bytes).sum()
}

impl Region {
    /// Where it begins.
    pub fn at(&self) -> Address {
        self.at
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        let holds = |piece: &&mut Piece| piece.start <= self.at && self.at < piece.start.plus(piece.bytes);
        if let Some(piece) = self.home.pieces().iter_mut().find(holds) {
            piece.put_back((self.at.0 - piece.start.0) as usize, self.bytes);
        }
    }
}

impl Home {
    fn pieces(&self) -> MutexGuard<'_, Vec<Piece>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for piece in std::mem::take(&mut *self.pieces()) {
            self.queue.free(piece.start);
        }
    }
}

impl Piece {
    fn take(&mut self, bytes: usize) -> Option<Address> {
        let index = self.free.iter().position(|(_, free)| *free >= bytes)?;
        let (start, free) = self.free[index];
        if free == bytes {
            self.free.remove(index);
        } else {
            self.free[index] = (start + bytes, free - bytes);
        }
        Some(self.start.plus(start))
    }

    fn put_back(&mut self, start: usize, bytes: usize) {
        let index = self.free.partition_point(|(other, _)| *other < start);
        self.free.insert(index, (start, bytes));
        // Neighbours become one.
        let mut joined: Vec<(usize, usize)> = Vec::with_capacity(self.free.len());
        for (start, bytes) in self.free.drain(..) {
            match joined.last_mut() {
                Some((before, length)) if *before + *length == start => *length += bytes,
                _ => joined.push((start, bytes)),
            }
        }
        self.free = joined;
    }

    fn give_back_if_free(&self, queue: &dyn Queue) -> bool {
        let unused = self.free == [(0, self.bytes)];
        if unused {
            queue.free(self.start);
        }
        unused
    }
}
