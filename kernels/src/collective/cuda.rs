//! Sums over ranks between devices: NCCL, loaded at run time, on a stream of its own.
//!
//! NCCL is NVIDIA's; nothing of it is needed to build, and where it is not found there is a [`Fault::NoNccl`]. It is looked for once:
//! what `PELLUCID_NCCL` names (a file, a folder, or `off`), what the system's loader finds (and `LD_LIBRARY_PATH`), and the Python
//! package `nvidia-nccl-cu12` under `VIRTUAL_ENV`, `CONDA_PREFIX`, or beside the first `python3` of `PATH`.
//!
//! Sums are asked for while a backward pass goes on: they wait, by an event, for what the device was asked for before, and run beside
//! what it is asked for afterwards. NCCL's order of sums is its own; it is the same on all ranks. On several devices: not measured.

mod gradient;
mod library;
mod search;

use std::ffi::{c_char, c_int, c_void};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Fault, Group, Patience};
use crate::cuda::driver::{Driver, Side};
use crate::cuda::{self, Address, Queue, Storage};
pub use gradient::Buckets;
use library::{BFLOAT16, FLOAT16, FLOAT32, Handle, Library, SUM, UniqueId};

/// What was found of NCCL on this machine: its version as 10000·major + 100·minor + patch (before 2.9 with
/// 1000·major), and where it was loaded from.
///
/// # Errors
/// [`Fault::NoNccl`].
pub fn nccl() -> Result<(i32, &'static str), Fault> {
    Library::get().map(|library| (library.version, library.path.as_str()))
}

/// Devices that sum together, as one rank sees them; a rank has one device.
#[derive(Debug)]
pub struct Communicator {
    queue: Arc<dyn Queue>,
    /// Nothing once it was given back.
    side: Option<Side>,
    library: &'static Library,
    /// Nothing once it was aborted.
    handle: Mutex<Option<Open>>,
    group: Arc<Group>,
    patience: Duration,
}

/// How long sums are waited for once a rank is gone: it may have made its part of them before.
const LAST_SUMS: Duration = Duration::from_secs(5);

/// NCCL's handle, which any thread may use, one at a time.
#[derive(Debug, Clone, Copy)]
struct Open(Handle);

// SAFETY: NCCL allows a communicator to be used from any thread, one at a time; it is behind a lock.
unsafe impl Send for Open {}

impl Communicator {
    /// Connects the devices of a group's ranks, of which this one is `queue`'s; all ranks call it, and either all get one or none.
    ///
    /// # Errors
    /// [`Fault::NoNccl`] where a rank has none, or has no device of NVIDIA's; [`Fault::Nccl`]; and as for
    /// [`Group::all_reduce_sum`].
    pub fn join(group: &Arc<Group>, queue: Arc<dyn Queue>, patience: Patience) -> Result<Self, Fault> {
        let found = Library::get().and_then(|library| {
            let driver = queue.driver().ok_or_else(|| Fault::NoNccl(format!("{} is no device of NVIDIA's driver", queue.name())))?;
            let mut id = UniqueId([0; 128]);
            // SAFETY: writes the 128 bytes of a live local.
            let drawn = driver.within(|| if group.rank() == 0 { unsafe { (library.get_unique_id)(&raw mut id) } } else { 0 })?;
            library.checked("drawing a number for the group", drawn)?;
            Ok((library, id, driver.side()?))
        });
        let mine = found.as_ref().map_or(Vec::new(), |(_, id, _)| id.0.iter().map(|byte| byte.cast_unsigned()).collect());
        let all = group.gather(&mine)?;
        let (library, _, side) = found?;
        if let Some(without) = all.iter().position(Vec::is_empty) {
            if let Some(driver) = queue.driver() {
                driver.close(side);
            }
            return Err(Fault::NoNccl(format!("rank {without} cannot use it, so none can")));
        }
        let mut id = UniqueId([0; 128]);
        id.0.iter_mut().zip(&all[0]).for_each(|(to, from)| *to = *from as c_char);
        let (value, ranks) = (queue.allocate(4)?, (group.rank(), group.world()));
        let handle = initialised(library, &queue, ranks, id, (value, side.handle() as usize), patience.joining)?;
        let (handle, group) = (Mutex::new(Some(handle)), group.clone());
        let mut connected = Self { queue, side: Some(side), library, handle, group, patience: patience.joining };
        connected.wait()?;
        connected.queue.free(value);
        connected.patience = patience.answering;
        Ok(connected)
    }

    /// Asks for the sums over ranks of `values` of each range, in their place, after all that the device was asked for so far.
    ///
    /// # Errors
    /// [`Fault::Nccl`] and [`Fault::Device`], as for all that follow.
    pub fn all_reduce_sum(&self, ranges: &[(Address, usize)], storage: Storage) -> Result<(), Fault> {
        let library = self.library;
        self.enqueue(&mut |handle, stream| {
            // SAFETY: NCCL takes them together; the group is ended whatever happens between.
            library.checked("beginning a group", unsafe { (library.group_start)() })?;
            let asked = ranges.iter().filter(|(_, count)| *count > 0).try_for_each(|&(at, count)| {
                let at = at.0 as *mut c_void;
                // SAFETY: the caller keeps the memory until the work is done, as for every launch.
                let code = unsafe { (library.all_reduce)(at, at, count, number(storage), SUM, handle, stream) };
                library.checked("summing", code)
            });
            // SAFETY: as above.
            let ended = library.checked("ending a group", unsafe { (library.group_end)() });
            asked.and(ended)
        })
    }

    /// Asks for rank 0's values in the place of every other rank's.
    ///
    /// # Errors
    /// As for [`Communicator::all_reduce_sum`].
    pub fn broadcast(&self, at: Address, count: usize, storage: Storage) -> Result<(), Fault> {
        let library = self.library;
        self.enqueue(&mut |handle, stream| {
            let at = at.0 as *mut c_void;
            // SAFETY: as above.
            library.checked("handing out", unsafe { (library.broadcast)(at, at, count, number(storage), 0, handle, stream) })
        })
    }

    /// Waits until all sums are there; what the device is asked for afterwards may read them. A rank that is gone, or does not come within
    /// [`Patience::answering`], ends the communicator.
    ///
    /// # Errors
    /// As for [`Communicator::all_reduce_sum`], and [`Fault::Lost`].
    pub fn wait(&self) -> Result<(), Fault> {
        let (driver, side) = self.device()?;
        let (mut until, mut lost) = (Instant::now() + self.patience, None);
        let mut pause = Duration::from_micros(20);
        while !driver.is_idle(side)? {
            // Between devices of one machine NCCL finds out nothing: its kernel waits for the other's memory.
            if lost.is_none() {
                lost = self.group.lost();
                until = if lost.is_some() { until.min(Instant::now() + LAST_SUMS) } else { until };
            }
            self.healthy(Instant::now() < until).map_err(|fault| lost.clone().unwrap_or(fault))?;
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(1));
        }
        self.healthy(true).map_err(|fault| self.group.lost().unwrap_or(fault))?;
        Ok(driver.after_side(side)?)
    }

    /// What NCCL found out meanwhile; whatever it is ends the communicator, so that no later call hangs.
    fn healthy(&self, is_in_time: bool) -> Result<(), Fault> {
        let mut handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Open(open)) = *handle else { return Err(ended()) };
        let mut code: c_int = 0;
        // SAFETY: writes one `int` of a live local; the handle is open.
        let asked = unsafe { (self.library.comm_get_async_error)(open, &raw mut code) };
        let late = || Fault::Nccl { what: "summing", reason: format!("not all ranks came within {} s", self.patience.as_secs()) };
        let found = self.library.checked("summing", if asked == 0 { code } else { asked });
        found.and(if is_in_time { Ok(()) } else { Err(late()) }).inspect_err(|_| {
            *handle = None;
            // SAFETY: nobody uses the handle afterwards.
            unsafe { (self.library.comm_abort)(open) };
        })
    }

    fn enqueue(&self, call: &mut dyn FnMut(Handle, *mut c_void) -> Result<(), Fault>) -> Result<(), Fault> {
        let (driver, side) = self.device()?;
        driver.after_own(side)?;
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Open(open)) = *handle else { return Err(ended()) };
        driver.within(|| call(open, side.handle()))?
    }

    fn device(&self) -> Result<(&Driver, &Side), Fault> {
        self.queue.driver().zip(self.side.as_ref()).ok_or_else(ended)
    }
}

impl Drop for Communicator {
    fn drop(&mut self) {
        let handle = self.handle.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let Some(driver) = self.queue.driver() else { return };
        if let Some(Open(open)) = handle {
            // To destroy it, NCCL would wait for all ranks of this machine, gone ones too. What was waited for is done, nothing else is.
            // SAFETY: nobody uses the handle afterwards.
            let _ = driver.within(|| unsafe { (self.library.comm_abort)(open) });
        }
        if let Some(side) = self.side.take() {
            driver.close(side);
        }
    }
}

/// NCCL's own meeting, which has no end where a rank does not come: it is left behind in its thread when it takes too long. Devices
/// connect when they first sum, so that is asked for here too, on a stream whose handle goes to the thread as a number.
fn initialised(
    library: &'static Library,
    queue: &Arc<dyn Queue>,
    (rank, world): (usize, usize),
    id: UniqueId,
    (value, stream): (Address, usize),
    patience: Duration,
) -> Result<Open, Fault> {
    let (tell, told) = channel();
    let queue = queue.clone();
    std::thread::spawn(move || {
        let mut handle: Handle = std::ptr::null_mut();
        let call = || {
            let (value, stream) = (value.0 as *mut c_void, stream as *mut c_void);
            // SAFETY: writes one handle to a live local; the context of the rank's device is current, and the value stays until the sum
            // of it was made.
            let code = unsafe {
                match (library.comm_init_rank)(&raw mut handle, world as c_int, id, rank as c_int) {
                    0 => (library.all_reduce)(value, value, 1, FLOAT32, SUM, handle, stream),
                    code => code,
                }
            };
            library.checked("connecting the devices", code)
        };
        let made = queue.driver().map_or_else(|| Err(ended()), |driver| driver.within(call).map_err(Fault::from));
        let made = made.and_then(|made| made).map(|()| Open(handle));
        // Nobody listens any more where it took too long.
        let _ = tell.send(made);
    });
    let late = || Fault::Nccl { what: "connecting the devices", reason: format!("not all ranks came within {} s", patience.as_secs()) };
    told.recv_timeout(patience).unwrap_or_else(|_| Err(late()))
}

fn ended() -> Fault {
    Fault::Nccl { what: "summing", reason: "the communicator was ended by an earlier fault".into() }
}

/// NCCL's number of a storage.
fn number(storage: cuda::Storage) -> c_int {
    match storage {
        Storage::F32 => FLOAT32,
        Storage::F16 => FLOAT16,
        Storage::Bf16 => BFLOAT16,
    }
}
