//! A gradient on a device that is summed over ranks while the rest of it is still being computed.

use std::ops::Range;

use super::Communicator;
use crate::collective::plan::Plan;
use crate::collective::{Fault, Named};
use crate::cuda::{Address, Storage};

/// A flat gradient of f32 on a device, in buckets: as [`Buckets`](crate::collective::Buckets) on the processor, in its own place.
#[derive(Debug)]
pub struct Buckets {
    plan: Plan,
    flat: Address,
    fault: Option<Fault>,
}

impl Buckets {
    /// Buckets of so many bytes for ranges of the gradient at `flat`, in the order in which they will be finished, alike on all ranks.
    ///
    /// # Errors
    /// [`Fault::Range`] where ranges overlap.
    pub fn new(flat: Address, named: &[Named], bytes: usize) -> Result<Self, Fault> {
        Ok(Self { plan: Plan::of(named, bytes)?, flat, fault: None })
    }

    /// Notes that everything was asked of the device that fills a range, by its number; sums of buckets that are complete are asked for.
    pub fn finished(&mut self, communicator: &Communicator, index: usize) {
        let values = self.plan.named().get(index).map_or(0, |one| one.range.len());
        let asked = self.plan.finished(index, values).and_then(|ready| {
            let mut buckets = ready.map(|bucket| self.ranges(bucket));
            buckets.try_for_each(|ranges| communicator.all_reduce_sum(&ranges, Storage::F32))
        });
        if let Err(fault) = asked {
            self.fault.get_or_insert(fault);
        }
    }

    /// Waits for all sums; then the next pass may begin.
    ///
    /// # Errors
    /// [`Fault::Range`] for what was not finished as announced, and as for [`Communicator::wait`].
    pub fn finish(&mut self, communicator: &Communicator) -> Result<(), Fault> {
        let complete = self.fault.take().map_or_else(|| self.plan.complete(), Err);
        self.plan.begin();
        complete?;
        communicator.wait()
    }

    /// A bucket's places; ranges that touch are one.
    fn ranges(&self, bucket: usize) -> Vec<(Address, usize)> {
        let mut ranges: Vec<Range<usize>> =
            self.plan.named()[self.plan.buckets()[bucket].clone()].iter().map(|one| one.range.clone()).collect();
        ranges.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = Vec::new();
        for range in ranges.into_iter().filter(|range| !range.is_empty()) {
            match joined.last_mut().filter(|last| last.end == range.start) {
                Some(last) => last.end = range.end,
                None => joined.push(range),
            }
        }
        joined.into_iter().map(|range| (self.flat.plus(4 * range.start), range.len())).collect()
    }
}
