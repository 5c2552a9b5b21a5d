//! The device's clock: events of the driver, some of which are used again and again.

use std::sync::MutexGuard;

use cudarc::driver::result::{self, DriverError, event};
use cudarc::driver::sys;

use super::{Driver, State};
use crate::cuda::Fault;
use crate::cuda::clock::{Clock, Mark, Stretches};

/// Of so many marks time is known.
const EVENTS: u64 = 1024;

/// What was noted so far.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// Mark `n` is event `n` modulo their number.
    events: Vec<sys::CUevent>,
    noted: u64,
    stretches: Stretches,
    /// Launches are recorded and take no time now.
    pub recording: bool,
}

impl Moments {
    /// Work comes.
    fn computes(&mut self, stream: sys::CUstream) -> Result<(), DriverError> {
        let Self { events, noted, stretches, recording } = self;
        if *recording { Ok(()) } else { stretches.computes(|| note(events, noted, stream)) }
    }

    /// A copy comes.
    fn copies(&mut self, stream: sys::CUstream) -> Result<(), DriverError> {
        let Self { events, noted, stretches, .. } = self;
        stretches.copies(|| note(events, noted, stream))
    }

    fn event(&self, Mark(mark): Mark) -> Option<sys::CUevent> {
        let is_kept = mark < self.noted && self.noted - mark <= EVENTS;
        self.events.get((mark % EVENTS) as usize).copied().filter(|_| is_kept)
    }

    /// Gives the events back.
    pub fn release(&mut self) {
        for made in self.events.drain(..) {
            // SAFETY: nobody else holds the event; what a lost device refuses is gone anyway.
            let _ = unsafe { event::destroy(made) };
        }
    }
}

fn note(events: &mut Vec<sys::CUevent>, noted: &mut u64, stream: sys::CUstream) -> Result<Mark, DriverError> {
    let index = (*noted % EVENTS) as usize;
    if index == events.len() {
        events.push(event::create(sys::CUevent_flags::CU_EVENT_DEFAULT)?);
    }
    // SAFETY: event and stream belong to the context that is current.
    unsafe { event::record(events[index], stream) }?;
    *noted += 1;
    Ok(Mark(*noted - 1))
}

impl Clock for Driver {
    fn mark(&self) -> Result<Mark, Fault> {
        let mut state = self.enter()?;
        let Moments { events, noted, .. } = &mut state.moments;
        note(events, noted, self.stream).map_err(|error| self.fault("noting a moment", error))
    }

    fn milliseconds(&self, between: [Mark; 2]) -> Result<f32, Fault> {
        let state = self.enter()?;
        let [Some(from), Some(to)] = between.map(|mark| state.moments.event(mark)) else {
            return Err(Fault::Refused {
                what: "telling a time".into(),
                reason: format!("of {between:?} one is none of the last {EVENTS}"),
            });
        };
        // SAFETY: both events were made by `note` and stay until the driver is dropped.
        let told = unsafe { event::synchronize(to).and_then(|()| event::synchronize(from)).and_then(|()| event::elapsed(from, to)) };
        told.map_err(|error| self.fault("telling a time", error))
    }

    fn watch(&self) -> Result<(), Fault> {
        self.enter()?.moments.stretches.watch();
        Ok(())
    }

    fn watched(&self) -> Result<Vec<[Mark; 2]>, Fault> {
        let mut state = self.enter()?;
        let Moments { events, noted, stretches, .. } = &mut state.moments;
        stretches.take(|| note(events, noted, self.stream)).map_err(|error| self.fault("noting a moment", error))
    }
}

impl Driver {
    /// The device is about to compute.
    pub(super) fn computing(&self) -> Result<MutexGuard<'_, State>, Fault> {
        let mut state = self.enter()?;
        state.moments.computes(self.stream).map_err(|error| self.fault("noting a moment", error))?;
        Ok(state)
    }

    /// Bytes are about to be copied to the device or from it.
    pub(super) fn copying(&self) -> Result<MutexGuard<'_, State>, Fault> {
        let mut state = self.enter()?;
        state.moments.copies(self.stream).map_err(|error| self.fault("noting a moment", error))?;
        Ok(state)
    }

    /// Bytes of the device that are free, and all there are.
    ///
    /// # Errors
    /// [`Fault::Lost`] and [`Fault::Refused`].
    pub fn memory(&self) -> Result<(usize, usize), Fault> {
        let _state = self.enter()?;
        result::mem_get_info().map_err(|error| self.fault("asking for its memory", error))
    }
}
