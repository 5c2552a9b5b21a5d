//! NCCL's functions, loaded at run time. Types and numbers are those of `nccl.h`, which has kept them since version 2.4.

#[cfg(unix)]
use std::ffi::CString;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::search;
use crate::collective::Fault;

/// The oldest version that has all that is used here.
#[cfg(unix)]
const OLDEST: c_int = 2400;
const NAME: &str = "libnccl.so.2";
/// `ncclFloat32`, `ncclFloat16` and `ncclBfloat16`.
pub(super) const FLOAT32: c_int = 7;
pub(super) const FLOAT16: c_int = 6;
pub(super) const BFLOAT16: c_int = 9;
/// `ncclSum`.
pub(super) const SUM: c_int = 0;

/// What rank 0 draws and gives to all, so that they find each other.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct UniqueId(pub [c_char; 128]);

/// A communicator of NCCL's.
pub(super) type Handle = *mut c_void;

type Code = c_int;

/// The functions.
#[derive(Debug)]
pub(super) struct Library {
    pub path: String,
    pub version: c_int,
    pub get_unique_id: unsafe extern "C" fn(*mut UniqueId) -> Code,
    pub comm_init_rank: unsafe extern "C" fn(*mut Handle, c_int, UniqueId, c_int) -> Code,
    pub comm_abort: unsafe extern "C" fn(Handle) -> Code,
    pub comm_get_async_error: unsafe extern "C" fn(Handle, *mut Code) -> Code,
    pub group_start: unsafe extern "C" fn() -> Code,
    pub group_end: unsafe extern "C" fn() -> Code,
    pub all_reduce: unsafe extern "C" fn(*const c_void, *mut c_void, usize, c_int, c_int, Handle, *mut c_void) -> Code,
    pub broadcast: unsafe extern "C" fn(*const c_void, *mut c_void, usize, c_int, c_int, Handle, *mut c_void) -> Code,
    get_error_string: unsafe extern "C" fn(Code) -> *const c_char,
}

impl Library {
    /// NCCL as it is found here, looked for once.
    pub fn get() -> Result<&'static Self, Fault> {
        static FOUND: OnceLock<Result<Library, Fault>> = OnceLock::new();
        FOUND.get_or_init(find).as_ref().map_err(Clone::clone)
    }

    /// What a code of NCCL's means.
    pub fn checked(&self, what: &'static str, code: Code) -> Result<(), Fault> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: NCCL gives a text that ends with NUL and stays.
        let text = unsafe { CStr::from_ptr((self.get_error_string)(code)) };
        Err(Fault::Nccl { what, reason: text.to_string_lossy().into_owned() })
    }
}

fn find() -> Result<Library, Fault> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match variable("PELLUCID_NCCL") {
        Some(off) if off.as_os_str() == "off" => Err(Fault::NoNccl("PELLUCID_NCCL=off".into())),
        Some(folder) if folder.is_dir() => load(&folder.join(NAME)),
        Some(file) => load(&file),
        None => load(Path::new(NAME)).or_else(|not_by_name| {
            let places = search::in_packages(&format!("nvidia/nccl/lib/{NAME}"), &variable);
            places.iter().filter(|place| place.is_file()).find_map(|place| load(place).ok()).ok_or(not_by_name)
        }),
    }
}

#[cfg(not(unix))]
fn load(path: &Path) -> Result<Library, Fault> {
    Err(Fault::NoNccl(format!("{}: NCCL is made for Linux", path.display())))
}

#[cfg(unix)]
fn load(path: &Path) -> Result<Library, Fault> {
    use std::os::unix::ffi::OsStrExt;
    let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| Fault::NoNccl("its path holds a NUL".into()))?;
    // SAFETY: loads the vendor's library, whose initialisers are the vendor's; it is never unloaded.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        // SAFETY: after a failure the loader has a text that ends with NUL, which is copied before anything else is loaded here.
        let reason = unsafe { libc::dlerror().as_ref().map(|text| CStr::from_ptr(text).to_string_lossy().into_owned()) };
        return Err(Fault::NoNccl(reason.unwrap_or_else(|| "the loader does not say why".into())));
    }
    let path = path.display().to_string();
    // SAFETY: these are the signatures of `nccl.h`.
    let loaded = unsafe {
        let version = symbol::<unsafe extern "C" fn(*mut c_int) -> Code>(handle, c"ncclGetVersion")?;
        let mut found = 0;
        if version(&raw mut found) != 0 || found < OLDEST {
            return Err(Fault::NoNccl(format!("{path} is of version {found}, 2.4 or later is needed")));
        }
        Library {
            path,
            version: found,
            get_unique_id: symbol(handle, c"ncclGetUniqueId")?,
            comm_init_rank: symbol(handle, c"ncclCommInitRank")?,
            comm_abort: symbol(handle, c"ncclCommAbort")?,
            comm_get_async_error: symbol(handle, c"ncclCommGetAsyncError")?,
            group_start: symbol(handle, c"ncclGroupStart")?,
            group_end: symbol(handle, c"ncclGroupEnd")?,
            all_reduce: symbol(handle, c"ncclAllReduce")?,
            broadcast: symbol(handle, c"ncclBroadcast")?,
            get_error_string: symbol(handle, c"ncclGetErrorString")?,
        }
    };
    Ok(loaded)
}

/// A function of the library.
///
/// # Safety
/// `F` is the type of a pointer to the function of this name.
#[cfg(unix)]
unsafe fn symbol<F: Copy>(handle: *mut c_void, name: &CStr) -> Result<F, Fault> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>(), "a pointer to a function") };
    // SAFETY: the library is open, and the name ends with NUL.
    let found = unsafe { libc::dlsym(handle, name.as_ptr()) };
    if found.is_null() {
        return Err(Fault::NoNccl(format!("its library has no {}", name.to_string_lossy())));
    }
    // SAFETY: as the caller says; the sizes are equal.
    Ok(unsafe { std::mem::transmute_copy(&found) })
}
