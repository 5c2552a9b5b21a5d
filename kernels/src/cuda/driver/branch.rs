//! A second stream beside the driver's own, for work that need not be done at once.
//!
//! Events put the two in order where one waits for the other; a capture of the first stream takes the second in with them.

use cudarc::driver::result::{DriverError, event, stream};
use cudarc::driver::sys;

/// The branch, made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Branch {
    made: Option<Made>,
    /// Whether work goes to it now.
    inside: bool,
    /// Whether it has work that the first stream did not wait for.
    pub open: bool,
}

#[derive(Debug, Clone, Copy)]
struct Made {
    stream: sys::CUstream,
    forked: sys::CUevent,
    joined: sys::CUevent,
}

impl Made {
    fn new() -> Result<Self, DriverError> {
        let event = || event::create(sys::CUevent_flags::CU_EVENT_DISABLE_TIMING);
        Ok(Self { stream: stream::create(stream::StreamKind::NonBlocking)?, forked: event()?, joined: event()? })
    }
}

impl Branch {
    /// Where work goes.
    pub fn current(&self, first: sys::CUstream) -> sys::CUstream {
        self.made.filter(|_| self.inside).map_or(first, |made| made.stream)
    }

    /// From now on work goes to the branch, after what the first stream has.
    pub fn begin(&mut self, first: sys::CUstream) -> Result<(), DriverError> {
        let made = match self.made {
            Some(made) => made,
            None => *self.made.insert(Made::new()?),
        };
        wait(made.stream, made.forked, first)?;
        (self.inside, self.open) = (true, true);
        Ok(())
    }

    /// Work goes to the first stream again.
    pub fn end(&mut self) {
        self.inside = false;
    }

    /// What the first stream gets from now on comes after the branch.
    pub fn join(&mut self, first: sys::CUstream) -> Result<(), DriverError> {
        let Some(made) = self.made.filter(|_| self.open) else { return Ok(()) };
        wait(first, made.joined, made.stream)?;
        self.open = false;
        Ok(())
    }

    /// Waits for all of the branch.
    pub fn synchronise(&self) -> Result<(), DriverError> {
        // SAFETY: the stream lives as long as this.
        self.made.filter(|_| self.open).map_or(Ok(()), |made| unsafe { stream::synchronize(made.stream) })
    }

    /// Gives the stream and its events back.
    pub fn release(&mut self) {
        let Some(Made { stream, forked, joined }) = self.made.take() else { return };
        // SAFETY: nothing else holds them; what a lost device refuses is gone anyway.
        unsafe {
            let _ = stream::synchronize(stream);
            let _ = (event::destroy(forked), event::destroy(joined), stream::destroy(stream));
        }
    }
}

/// Puts what `later` gets from now on behind what `earlier` has.
fn wait(later: sys::CUstream, event: sys::CUevent, earlier: sys::CUstream) -> Result<(), DriverError> {
    // SAFETY: streams and event live as long as the driver's context, which is current on this thread.
    unsafe {
        event::record(event, earlier)?;
        stream::wait_event(later, event, sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT)
    }
}
