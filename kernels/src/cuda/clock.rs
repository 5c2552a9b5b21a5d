//! A device's own clock: moments in the order of its work, and stretches of computing between copies.

use super::Fault;

/// A moment in the order of a device's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark(pub u64);

/// What a [`Queue`](super::Queue) tells of time. An emulated device counts its blocks: numbers come out, and they are no time.
///
/// ```
/// # fn twice(queue: &dyn kernels::cuda::Queue, recording: kernels::cuda::Recording) -> Result<f32, kernels::cuda::Fault> {
/// let clock = queue.clock().ok_or_else(|| kernels::cuda::Fault::Unsupported("this device has no clock".into()))?;
/// let from = clock.mark()?;
/// queue.replay(recording)?;
/// queue.replay(recording)?;
/// clock.milliseconds([from, clock.mark()?])
/// # }
/// ```
pub trait Clock {
    /// Notes the moment at which everything before is done. Of the last 1024 marks time is known; none is set inside a recording.
    ///
    /// # Errors
    /// As for [`Queue::upload`](super::Queue::upload), and so for all here.
    fn mark(&self) -> Result<Mark, Fault>;

    /// Waits for both and gives the time from the first to the second.
    ///
    /// # Errors
    /// [`Fault::Refused`] for marks that were given up.
    fn milliseconds(&self, between: [Mark; 2]) -> Result<f32, Fault>;

    /// From now on, keeps the stretches in which launches, clears and replays follow each other without a copy between them.
    ///
    /// # Errors
    /// As for [`Clock::mark`].
    fn watch(&self) -> Result<(), Fault>;

    /// Ends what [`Clock::watch`] began: first and last moment of every stretch.
    ///
    /// # Errors
    /// As for [`Clock::mark`].
    fn watched(&self) -> Result<Vec<[Mark; 2]>, Fault>;
}

/// Stretches of computing, as a queue keeps them for its clock.
#[derive(Debug, Default)]
pub struct Stretches {
    watching: bool,
    open: Option<Mark>,
    closed: Vec<[Mark; 2]>,
}

impl Stretches {
    /// Forgets all and watches from now on.
    pub fn watch(&mut self) {
        *self = Self { watching: true, ..Self::default() };
    }

    /// Work comes; `mark` is asked for the moment where a stretch begins.
    ///
    /// # Errors
    /// What `mark` says.
    pub fn computes<E>(&mut self, mark: impl FnOnce() -> Result<Mark, E>) -> Result<(), E> {
        if self.watching && self.open.is_none() {
            self.open = Some(mark()?);
        }
        Ok(())
    }

    /// A copy comes; `mark` is asked for the moment where a stretch ends.
    ///
    /// # Errors
    /// What `mark` says.
    pub fn copies<E>(&mut self, mark: impl FnOnce() -> Result<Mark, E>) -> Result<(), E> {
        if let Some(open) = self.open.take() {
            self.closed.push([open, mark()?]);
        }
        Ok(())
    }

    /// Ends the last stretch and gives all of them.
    ///
    /// # Errors
    /// What `mark` says.
    pub fn take<E>(&mut self, mark: impl FnOnce() -> Result<Mark, E>) -> Result<Vec<[Mark; 2]>, E> {
        self.copies(mark)?;
        Ok(std::mem::take(self).closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_part_stretches_and_nothing_is_kept_unless_it_is_watched() {
        let moments = std::cell::Cell::new(0);
        let mark = || {
            moments.set(moments.get() + 1);
            Ok::<_, Fault>(Mark(moments.get()))
        };
        let mut stretches = Stretches::default();
        stretches.computes(mark).unwrap();
        assert_eq!((stretches.take(mark).unwrap(), moments.get()), (vec![], 0));
        stretches.watch();
        stretches.copies(mark).unwrap();
        stretches.computes(mark).unwrap();
        stretches.computes(mark).unwrap();
        stretches.copies(mark).unwrap();
        stretches.copies(mark).unwrap();
        stretches.computes(mark).unwrap();
        assert_eq!(stretches.take(mark).unwrap(), [[Mark(1), Mark(2)], [Mark(3), Mark(4)]]);
        stretches.computes(mark).unwrap();
        assert_eq!(moments.get(), 4, "it is watched no more");
    }
}
