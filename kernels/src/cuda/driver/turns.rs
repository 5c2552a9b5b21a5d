//! Whose turn it is: while one thread records, the others wait. What they asked a device for meanwhile would not happen, but become part
//! of the recording, a copy out of pinned memory among it.

use std::sync::{MutexGuard, PoisonError};
use std::thread;

use cudarc::driver::result::{self, stream};
use cudarc::driver::sys;

use super::{Driver, State};
use crate::cuda::Fault;

impl Driver {
    /// Makes the device's context current on this thread, as every call to the driver needs it, once it is this thread's turn.
    pub(super) fn enter(&self) -> Result<MutexGuard<'_, State>, Fault> {
        // SAFETY: the context was retained in `open` and is released in `drop`.
        unsafe { result::ctx::set_current(self.context) }.map_err(|error| self.fault("using the device", error))?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while is_of_another(&state) {
            state = self.recorded.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(state)
    }

    /// Whether another thread records.
    pub(super) fn is_recorded_by_another(&self) -> bool {
        is_of_another(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the device is this thread's.
    pub(super) fn begin_recording(&self) -> Result<(), Fault> {
        let mut state = self.enter()?;
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
        // SAFETY: the stream was made in `open`.
        unsafe { stream::begin_capture(self.stream, mode) }.map_err(|error| self.fault("recording", error))?;
        (state.moments.recording, state.recorder) = (true, Some(thread::current().id()));
        Ok(())
    }

    /// Ends what [`Driver::begin_recording`] began, as soon as the state is given back.
    pub(super) fn let_others_in(&self, state: &mut State) {
        (state.moments.recording, state.branch.open, state.recorder) = (false, false, None);
        self.recorded.notify_all();
    }
}

fn is_of_another(state: &State) -> bool {
    state.recorder.is_some_and(|recorder| recorder != thread::current().id())
}
