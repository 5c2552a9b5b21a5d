//! A stream beside the driver's own, for what another library asks of the device: events put the two in order where one needs the other.

use std::ffi::c_void;

use cudarc::driver::result::{DriverError, event, stream};
use cudarc::driver::sys::{self, CUresult as Code};

use super::Driver;
use crate::cuda::Fault;

/// A stream of its own on a device; [`Driver::close`] gives it back.
#[derive(Debug)]
pub struct Side {
    stream: sys::CUstream,
    event: sys::CUevent,
}

// SAFETY: the driver's handles may be used from any thread, once the context is current there, which every call sees to.
unsafe impl Send for Side {}
// SAFETY: as above; what is behind the handles is the driver's.
unsafe impl Sync for Side {}

impl Side {
    /// The stream's handle, as other libraries take it.
    pub fn handle(&self) -> *mut c_void {
        self.stream.cast()
    }
}

impl Driver {
    /// A stream beside the driver's own.
    ///
    /// # Errors
    /// [`Fault::Lost`] and [`Fault::Refused`], as for all that follow.
    pub fn side(&self) -> Result<Side, Fault> {
        let _state = self.enter()?;
        let made = stream::create(stream::StreamKind::NonBlocking)
            .and_then(|stream| Ok(Side { stream, event: event::create(sys::CUevent_flags::CU_EVENT_DISABLE_TIMING)? }));
        made.map_err(|error| self.fault("making a stream", error))
    }

    /// What `side` is asked for from now on happens after everything that the device was asked for so far.
    ///
    /// # Errors
    /// As for [`Driver::side`].
    pub fn after_own(&self, side: &Side) -> Result<(), Fault> {
        self.order(side, self.stream, side.stream)
    }

    /// What the device is asked for from now on happens after everything that `side` was asked for so far.
    ///
    /// # Errors
    /// As for [`Driver::side`].
    pub fn after_side(&self, side: &Side) -> Result<(), Fault> {
        self.order(side, side.stream, self.stream)
    }

    /// Whether `side` has done everything.
    ///
    /// # Errors
    /// As for [`Driver::side`].
    pub fn is_idle(&self, side: &Side) -> Result<bool, Fault> {
        let _state = self.enter()?;
        // SAFETY: the stream is open.
        match unsafe { sys::cuStreamQuery(side.stream) } {
            Code::CUDA_SUCCESS => Ok(true),
            Code::CUDA_ERROR_NOT_READY => Ok(false),
            code => Err(self.fault("waiting for a stream", DriverError(code))),
        }
    }

    /// Calls another library with the device's context current on this thread.
    ///
    /// # Errors
    /// As for [`Driver::side`].
    pub fn within<T>(&self, call: impl FnOnce() -> T) -> Result<T, Fault> {
        drop(self.enter()?);
        Ok(call())
    }

    /// Gives a stream back that [`Driver::side`] made here.
    pub fn close(&self, side: Side) {
        let Ok(_state) = self.enter() else { return };
        // SAFETY: nothing else holds these handles any more; what a lost device refuses is gone anyway.
        unsafe {
            let _ = event::destroy(side.event);
            let _ = stream::destroy(side.stream);
        }
    }

    fn order(&self, side: &Side, first: sys::CUstream, then: sys::CUstream) -> Result<(), Fault> {
        let _state = self.enter()?;
        // SAFETY: streams and event are open; an event may be recorded anew while somebody still waits for what it recorded before.
        let ordered = unsafe {
            event::record(side.event, first)
                .and_then(|()| stream::wait_event(then, side.event, sys::CUevent_wait_flags::CU_EVENT_WAIT_DEFAULT))
        };
        ordered.map_err(|error| self.fault("putting streams in order", error))
    }
}
