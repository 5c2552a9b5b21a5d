//! Copies between the processor's memory and the device's, through two pinned buffers that take turns: while the device reads one, the
//! other is filled.

use std::ffi::c_void;
use std::ptr::null_mut;

use cudarc::driver::result::{self, DriverError, event, stream};
use cudarc::driver::sys;

use crate::cuda::Address;

/// Bytes of a buffer.
const BYTES: usize = 8 << 20;

/// The buffers, taken when first needed.
#[derive(Debug, Default)]
pub(super) struct Staging {
    buffers: Option<[Buffer; 2]>,
    /// How many pieces went through them.
    turns: usize,
}

#[derive(Debug, Clone, Copy)]
struct Buffer {
    start: *mut c_void,
    /// The copy out of it that was last asked for.
    copied: sys::CUevent,
}

impl Buffer {
    fn new() -> Result<Self, DriverError> {
        // SAFETY: pinned memory of the current context, given back in `release`.
        let start = unsafe { result::malloc_host(BYTES, 0) }?;
        Ok(Self { start, copied: event::create(sys::CUevent_flags::CU_EVENT_DISABLE_TIMING)? })
    }
}

impl Staging {
    fn buffers(&mut self) -> Result<[Buffer; 2], DriverError> {
        if let Some(buffers) = self.buffers {
            return Ok(buffers);
        }
        Ok(*self.buffers.insert([Buffer::new()?, Buffer::new()?]))
    }

    /// Returns once `bytes` may be changed; the device may still be copying.
    pub fn upload(&mut self, queue: sys::CUstream, to: Address, bytes: &[u8]) -> Result<(), DriverError> {
        let buffers = self.buffers()?;
        for (index, part) in bytes.chunks(BYTES).enumerate() {
            let Buffer { start, copied } = buffers[self.turns % 2];
            self.turns += 1;
            // SAFETY: the buffer is pinned memory of BYTES bytes; it is written only when the copy before has left it.
            unsafe {
                event::synchronize(copied)?;
                std::ptr::copy_nonoverlapping(part.as_ptr(), start.cast(), part.len());
                let part = std::slice::from_raw_parts(start.cast::<u8>(), part.len());
                result::memcpy_htod_async(to.plus(index * BYTES).0, part, queue)?;
                event::record(copied, queue)?;
            }
        }
        Ok(())
    }

    /// Returns once all bytes are there.
    pub fn download(&mut self, queue: sys::CUstream, from: Address, to: &mut [u8]) -> Result<(), DriverError> {
        let [Buffer { start, copied }, _] = self.buffers()?;
        for (index, part) in to.chunks_mut(BYTES).enumerate() {
            // SAFETY: as above; the buffer is read only when the copy into it is done.
            unsafe {
                event::synchronize(copied)?;
                let pinned = std::slice::from_raw_parts_mut(start.cast::<u8>(), part.len());
                result::memcpy_dtoh_async(pinned, from.plus(index * BYTES).0, queue)?;
                stream::synchronize(queue)?;
                part.copy_from_slice(pinned);
            }
        }
        Ok(())
    }

    /// Gives the buffers back.
    pub fn release(&mut self) {
        for Buffer { start, copied } in self.buffers.take().unwrap_or([Buffer { start: null_mut(), copied: null_mut() }; 2]) {
            if !start.is_null() {
                // SAFETY: nothing copies any more where a context ends; what a lost device refuses is gone anyway.
                unsafe {
                    let _ = event::destroy(copied);
                    let _ = result::free_host(start);
                }
            }
        }
    }
}
