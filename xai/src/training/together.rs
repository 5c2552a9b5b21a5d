//! Several processes that learn one model: each takes its part of every batch, and all make the same step.

use std::sync::Arc;

use kernels::collective::{BUCKET, Buckets, Fault, Group, Named, Patience, cuda};
use kernels::cuda::{Address, Queue, as_bytes, as_bytes_mut};

use super::{Exchange, Range, Values};
use crate::Error;

/// The other processes of a group, among which gradients are added in the order of ranks.
///
/// On the CPU, and between devices without NCCL, N processes end at the bits of one that takes the same parts by
/// [`Training::step_of`](super::Training::step_of). With NCCL the order of sums is NCCL's; all ranks still have the same.
/// On devices sums run while the rest of the gradient is still being made; the CPU makes its gradient at once and then adds it.
///
/// A DNN-3-hidden head is normalised with the statistics of each process's own part, as PyTorch does without `SyncBatchNorm`. Its running
/// statistics follow the mean over processes, weighted by images, where PyTorch keeps those of rank 0.
///
/// ```
/// use std::sync::Arc;
/// use kernels::collective::{Group, Patience};
/// use xai::training::{AdamW, Decay, Lesson, Step, Together, Training};
/// use xai::{Batch, HeadKind, Vit, VitConfig};
/// let vit = || Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1);
/// let batch = Batch::new(ndarray::Array4::from_shape_fn((2, 3, 8, 12), |(b, _, y, x)| (b * x + y) as f32 / 20.0))?;
/// let lesson = Lesson { batch: &batch, labels: &[0, 1] };
/// let step = Step { adamw: AdamW::default(), decay: Decay::Matrices, clip: None };
/// let (mut among, mut alone) = (Training::of(vit()?), Training::of(vit()?));
/// let mut others = Together::new(Arc::new(Group::Alone), &among, Patience::default())?;
/// assert_eq!(among.step_with(lesson, 2, &[], step, &mut others)?, alone.step_of(&[lesson], &[], step)?);
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug)]
pub struct Together {
    group: Arc<Group>,
    patience: Patience,
    named: Vec<Named>,
    /// The number of the range that comes next.
    next: usize,
    /// How devices add, once one has been met.
    between_devices: Option<Between>,
}

#[derive(Debug)]
enum Between {
    Nccl(cuda::Communicator, cuda::Buckets),
    Processors(Buckets, Vec<Address>, Arc<dyn Queue>),
}

impl Together {
    /// The processes of `group`, for the gradient of `training`, which is alike in all of them.
    ///
    /// # Errors
    /// [`Error::Kernel`] where the gradient's ranges overlap.
    pub fn new(group: Arc<Group>, training: &super::Training, patience: Patience) -> Result<Self, Error> {
        let named = |range: &Range| Named { name: range.name.clone(), range: range.start..range.start + range.len };
        let named = training.ranges().iter().map(named).collect();
        Ok(Self { group, patience, named, next: 0, between_devices: None })
    }

    /// NCCL where all ranks have it, else the processors.
    fn begin(&self, queue: &Arc<dyn Queue>, flat: Address) -> Result<Between, Fault> {
        match cuda::Communicator::join(&self.group, queue.clone(), self.patience) {
            Ok(communicator) => Ok(Between::Nccl(communicator, cuda::Buckets::new(flat, &self.named, BUCKET)?)),
            Err(Fault::NoNccl(_)) => {
                let buckets = Buckets::new(self.group.clone(), &self.named, BUCKET)?;
                let places = self.named.iter().map(|one| flat.plus(4 * one.range.start)).collect();
                Ok(Between::Processors(buckets, places, queue.clone()))
            }
            Err(fault) => Err(fault),
        }
    }
}

impl Exchange for Together {
    fn finished(&mut self, ranges: &[Range], values: Values<'_>) -> Result<(), Error> {
        let numbers = self.next..self.next + ranges.len();
        self.next = numbers.end;
        let (queue, at, count) = match values {
            Values::Host(values) => return self.group.all_reduce_sum(values).map_err(failed),
            Values::Device { queue, at, count } => (queue, at, count),
        };
        if self.between_devices.is_none() {
            let flat = Address(at.0 - 4 * ranges.first().map_or(0, |range| range.start as u64));
            self.between_devices = Some(self.begin(queue, flat).map_err(failed)?);
        }
        match &mut self.between_devices {
            Some(Between::Nccl(communicator, buckets)) => numbers.for_each(|number| buckets.finished(communicator, number)),
            Some(Between::Processors(buckets, ..)) => {
                let mut piece = vec![0.0; count];
                queue.download(at, as_bytes_mut(&mut piece)).map_err(kernels::Error::from)?;
                for (number, range) in numbers.zip(ranges) {
                    let start = range.start - ranges[0].start;
                    buckets.finished(number, &piece[start..start + range.len]);
                }
            }
            None => {}
        }
        Ok(())
    }

    fn complete(&mut self) -> Result<(), Error> {
        self.next = 0;
        match &mut self.between_devices {
            None => Ok(()),
            Some(Between::Nccl(communicator, buckets)) => buckets.finish(communicator).map_err(failed),
            Some(Between::Processors(buckets, places, queue)) => {
                let mut uploaded = Ok(());
                let upload = |number: usize, sums: &[f32]| {
                    if uploaded.is_ok() {
                        uploaded = queue.upload(places[number], as_bytes(sums));
                    }
                };
                buckets.finish(1.0, upload).map_err(failed)?;
                Ok(uploaded.map_err(kernels::Error::from)?)
            }
        }
    }
}

fn failed(fault: Fault) -> Error {
    kernels::Error::from(fault).into()
}
