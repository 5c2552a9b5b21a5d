//! A gradient that is summed over ranks while the rest of it is still being computed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::plan::Plan;
use super::{Fault, Group, Named};

/// Bytes of a bucket, where nothing else is said: what PyTorch takes, large enough that the wire and not its delay counts.
pub const BUCKET: usize = 25 << 20;

/// A gradient in buckets. A bucket is summed in the background as soon as its last range is finished.
///
/// ```
/// use std::sync::Arc;
/// use kernels::collective::{BUCKET, Buckets, Group, Named};
/// let named = [("head", 4..6), ("block", 0..4)].map(|(name, range)| Named { name: name.into(), range });
/// let mut buckets = Buckets::new(Arc::new(Group::Alone), &named, BUCKET)?;
/// buckets.finished(0, &[3.0, 4.0]);
/// buckets.finished(1, &[0.0, 1.0, 2.0, 3.0]);
/// let mut gradient = [0.0; 6];
/// buckets.finish(0.5, |index, sums| gradient[named[index].range.clone()].copy_from_slice(sums))?;
/// assert_eq!(gradient, [0.0, 0.5, 1.0, 1.5, 1.5, 2.0]);
/// # Ok::<(), kernels::collective::Fault>(())
/// ```
#[derive(Debug)]
pub struct Buckets {
    plan: Plan,
    /// By bucket, while it is being filled.
    filling: Vec<Vec<f32>>,
    sent: usize,
    /// What went wrong first; it shows at the end of the pass.
    fault: Option<Fault>,
    worker: Option<Worker>,
}

/// The thread that talks with the other ranks.
#[derive(Debug)]
struct Worker {
    to: Sender<Vec<f32>>,
    from: Receiver<Result<Vec<f32>, Fault>>,
    thread: JoinHandle<()>,
}

impl Buckets {
    /// Buckets of so many bytes for ranges in the order in which they will be finished, alike on all ranks.
    ///
    /// # Errors
    /// [`Fault::Range`] where ranges overlap.
    pub fn new(group: Arc<Group>, named: &[Named], bytes: usize) -> Result<Self, Fault> {
        let plan = Plan::of(named, bytes)?;
        let (to, received) = channel::<Vec<f32>>();
        let (answer, from) = channel();
        let thread = std::thread::spawn(move || {
            for mut values in received {
                let summed = group.all_reduce_sum(&mut values).map(|()| values);
                // Nobody listens any more where a pass was given up.
                if answer.send(summed).is_err() {
                    break;
                }
            }
        });
        let mut buckets = Self { plan, filling: Vec::new(), sent: 0, fault: None, worker: Some(Worker { to, from, thread }) };
        buckets.begin();
        Ok(buckets)
    }

    /// Takes the values of a range, by its number, which may be changed afterwards.
    pub fn finished(&mut self, index: usize, values: &[f32]) {
        let ready = match self.plan.finished(index, values.len()) {
            Ok(ready) => ready,
            Err(fault) => {
                self.fault.get_or_insert(fault);
                return;
            }
        };
        let bucket = self.plan.buckets().partition_point(|bucket| bucket.end <= index);
        let start = offset(&self.plan, bucket, index);
        let length = offset(&self.plan, bucket, self.plan.buckets()[bucket].end);
        self.filling[bucket].resize(length, 0.0);
        self.filling[bucket][start..start + values.len()].copy_from_slice(values);
        for bucket in ready {
            let values = std::mem::take(&mut self.filling[bucket]);
            // A thread that ended is told of at the end.
            let is_sent = self.worker.as_ref().is_some_and(|worker| worker.to.send(values).is_ok());
            self.sent += usize::from(is_sent);
        }
    }

    /// Waits for all sums, multiplies them by `factor` and hands them on, range by range; then the next pass may begin.
    ///
    /// # Errors
    /// [`Fault::Range`] for what was not handed over as announced, and as for [`Group::all_reduce_sum`]; nothing is then handed on.
    pub fn finish(&mut self, factor: f32, mut hand_on: impl FnMut(usize, &[f32])) -> Result<(), Fault> {
        let summed = self.summed();
        self.begin();
        for (bucket, mut values) in self.plan.buckets().iter().zip(summed?) {
            values.iter_mut().for_each(|value| *value *= factor);
            let mut rest = &values[..];
            for index in bucket.clone() {
                let (range, after) = rest.split_at(self.plan.named()[index].range.len());
                hand_on(index, range);
                rest = after;
            }
        }
        Ok(())
    }

    fn summed(&mut self) -> Result<Vec<Vec<f32>>, Fault> {
        let ended = || Fault::Range { name: "of the first bucket".into(), what: "was not summed: the thread that sums ended".into() };
        let answers = self.worker.iter().flat_map(|worker| worker.from.iter()).take(self.sent);
        let summed: Vec<_> = answers.collect::<Result<_, _>>()?;
        self.fault.take().map_or(Ok(()), Err)?;
        self.plan.complete()?;
        if summed.len() == self.plan.buckets().len() { Ok(summed) } else { Err(ended()) }
    }

    fn begin(&mut self) {
        self.plan.begin();
        self.filling = vec![Vec::new(); self.plan.buckets().len()];
        (self.sent, self.fault) = (0, None);
    }
}

/// Where a range begins in its bucket.
fn offset(plan: &Plan, bucket: usize, index: usize) -> usize {
    plan.named()[plan.buckets()[bucket].start..index].iter().map(|one| one.range.len()).sum()
}

impl Drop for Buckets {
    fn drop(&mut self) {
        if let Some(Worker { to, from, thread }) = self.worker.take() {
            drop((to, from));
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
    }
}
