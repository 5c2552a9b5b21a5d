//! How a device is opened (the driver's version, the device's attributes, its context and its stream), and given back.

use std::sync::{Condvar, Mutex};

use cudarc::driver::result::{self, DriverError, graph, stream};
use cudarc::driver::sys;

use super::Driver;
use super::ways::Ways;
use crate::cuda::Fault;
use crate::cuda::products::Choice;

/// The oldest driver that loads cubins of our compiler: CUDA 12.0.
const OLDEST: i32 = 12000;

/// The device of this ordinal; panics on a library that lacks symbols.
pub(super) fn opened(ordinal: usize, choice: Choice) -> Result<Driver, Fault> {
    use sys::CUresult as Code;
    let broken = |DriverError(code): DriverError| match code {
        Code::CUDA_ERROR_NO_DEVICE => Fault::NoDevice { ordinal, count: 0 },
        Code::CUDA_ERROR_OUT_OF_MEMORY => Fault::OutOfMemory { wanted: 0, free: 0 },
        code => Fault::Broken(format!("{code:?}")),
    };
    result::init().map_err(broken)?;
    let mut version = 0;
    // SAFETY: writes one `int` to the given address, which is a live local.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(broken)?;
    if version < OLDEST {
        return Err(Fault::OldDriver { version });
    }
    let count = usize::try_from(result::device::get_count().map_err(broken)?).unwrap_or(0);
    if ordinal >= count {
        return Err(Fault::NoDevice { ordinal, count });
    }
    let device = result::device::get(ordinal as i32).map_err(broken)?;
    let [capability, multiprocessors] = extents(device).map_err(broken)?;
    let name = result::device::get_name(device).map_err(broken)?;
    // SAFETY: the driver gave this device out; released in `drop`.
    let context = unsafe { result::primary_ctx::retain(device) }.map_err(broken)?;
    // SAFETY: the context was just retained.
    unsafe { result::ctx::set_current(context) }.map_err(broken)?;
    let stream = stream::create(stream::StreamKind::NonBlocking).map_err(broken)?;
    let (capability, multiprocessors) = (capability as u32, multiprocessors.max(1) as usize);
    Ok(Driver {
        name,
        capability,
        multiprocessors,
        version,
        device,
        context,
        stream,
        state: Mutex::default(),
        recorded: Condvar::new(),
        ways: Ways::new(choice),
    })
}

/// A device's architecture, as 90 for `sm_90`, and its multiprocessors.
pub(crate) fn extents(device: sys::CUdevice) -> Result<[i32; 2], DriverError> {
    use sys::CUdevice_attribute as Attribute;
    // SAFETY: the driver gave this device out.
    let attribute = |which| unsafe { result::device::get_attribute(device, which) };
    let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    Ok([10 * major + minor, attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?])
}

impl Drop for Driver {
    fn drop(&mut self) {
        std::mem::take(&mut self.ways).close(self);
        let Ok(mut state) = self.enter() else { return };
        state.staging.release();
        state.moments.release();
        state.branch.release();
        let (recordings, loaded) = (std::mem::take(&mut state.recordings), std::mem::take(&mut state.loaded));
        drop(state);
        // SAFETY: nothing else holds these handles any more; what a lost device refuses is gone anyway.
        unsafe {
            let _ = stream::synchronize(self.stream);
            for graph in recordings.into_values() {
                let _ = graph::exec_destroy(graph);
            }
            loaded.unload();
            let _ = stream::destroy(self.stream);
            let _ = result::primary_ctx::release(self.device);
        }
    }
}
