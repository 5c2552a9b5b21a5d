//! The library itself: loaded at run time, fifteen of its functions. Versions 11, 12 and 13 have them, and every number below, alike.

use std::ffi::{c_int, c_void};
use std::fmt;

use super::search::Place;

/// What its functions answer; 0 is success.
pub(super) type Status = c_int;
/// Something of the library's own.
pub(super) type Handle = *mut c_void;

/// Numbers of `cublasLt.h`, `cublas_api.h` and `library_types.h`.
pub(super) mod number {
    pub const COMPUTE_32F: i32 = 68;
    pub const R_32F: i32 = 0;
    pub const R_16F: i32 = 2;
    pub const R_16BF: i32 = 14;
    pub const TRANSPOSED: i32 = 1;
    pub const EPILOGUE_BIAS: u32 = 4;
    /// Parts of a split depth are kept as f32 in the workspace and summed in a step of their own, in one order. What is left out sums
    /// in the order in which parts arrive, or rounds parts to the result's storage.
    pub const REDUCTION_COMPUTE_TYPE: u32 = 2;

    pub const DESC_TRANSA: i32 = 3;
    pub const DESC_TRANSB: i32 = 4;
    pub const DESC_EPILOGUE: i32 = 7;
    pub const DESC_BIAS_POINTER: i32 = 8;

    pub const PREFERENCE_WORKSPACE: i32 = 1;
    pub const PREFERENCE_REDUCTIONS: i32 = 3;
    pub const PREFERENCE_ALIGNMENTS: [i32; 4] = [5, 6, 7, 8];
    /// Of version 11 alone, which else answers with what need not have the epilogue that is asked for.
    pub const PREFERENCE_EPILOGUES: i32 = 11;
}

/// A way to compute a product, and what it needs; the library's own layout.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub(super) struct Heuristic {
    pub algorithm: [u64; 8],
    pub workspace: usize,
    pub state: Status,
    waves: f32,
    reserved: [c_int; 4],
}

macro_rules! functions {
    ($($name:ident = $symbol:literal ($($argument:ty),*) -> $result:ty;)*) => {
        /// Functions of a library that stays loaded.
        #[derive(Debug, Clone, Copy)]
        pub(super) struct Functions { $(pub $name: unsafe extern "C" fn($($argument),*) -> $result,)* }

        impl Functions {
            fn of(library: &libloading::Library) -> Result<Self, libloading::Error> {
                // SAFETY: the types are those of the headers of versions 11 to 13; whoever calls one sees to the library staying loaded.
                Ok(unsafe { Self { $($name: *library.get($symbol)?,)* } })
            }
        }
    };
}

functions! {
    version = "cublasLtGetVersion" () -> usize;
    create = "cublasLtCreate" (*mut Handle) -> Status;
    destroy = "cublasLtDestroy" (Handle) -> Status;
    create_operation = "cublasLtMatmulDescCreate" (*mut Handle, c_int, c_int) -> Status;
    destroy_operation = "cublasLtMatmulDescDestroy" (Handle) -> Status;
    set_operation = "cublasLtMatmulDescSetAttribute" (Handle, c_int, *const c_void, usize) -> Status;
    create_layout = "cublasLtMatrixLayoutCreate" (*mut Handle, c_int, u64, u64, i64) -> Status;
    destroy_layout = "cublasLtMatrixLayoutDestroy" (Handle) -> Status;
    create_preference = "cublasLtMatmulPreferenceCreate" (*mut Handle) -> Status;
    destroy_preference = "cublasLtMatmulPreferenceDestroy" (Handle) -> Status;
    set_preference = "cublasLtMatmulPreferenceSetAttribute" (Handle, c_int, *const c_void, usize) -> Status;
    ask = "cublasLtMatmulAlgoGetHeuristic"
        (Handle, Handle, Handle, Handle, Handle, Handle, Handle, c_int, *mut Heuristic, *mut c_int) -> Status;
    multiply = "cublasLtMatmul"
        (Handle, Handle, *const f32, u64, Handle, u64, Handle, *const f32, u64, Handle, u64, Handle, *const u64, u64, usize, Handle) -> Status;
}

/// A library that was loaded; it stays so until the program ends.
#[derive(Debug, Clone)]
pub struct Library {
    pub(super) functions: Functions,
    /// Where it lies.
    pub path: String,
    /// Its version.
    pub version: Version,
}

/// A version, as 12.2.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub usize);

impl Version {
    /// The first number.
    pub fn major(self) -> usize {
        self.0 / 10_000
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major(), self.0 / 100 % 100, self.0 % 100)
    }
}

impl Library {
    /// Loads what stands at a place; it needs neither a driver nor a device for that.
    ///
    /// # Errors
    /// Why it cannot be used, in words.
    pub fn load(place: &Place) -> Result<Self, String> {
        // SAFETY: a library by NVIDIA, whose initialisers register its own kernels and call nothing of the driver.
        let loaded = unsafe { libloading::Library::new(place.as_os_str()) }.map_err(|error| told(place, &error))?;
        let functions = Functions::of(&loaded).map_err(|error| told(place, &error))?;
        // What was registered with the driver's runtime cannot be taken back.
        std::mem::forget(loaded);
        // SAFETY: takes nothing and answers with a number.
        let version = Version(unsafe { (functions.version)() });
        if !(11..=13).contains(&version.major()) {
            return Err(format!("{place}: version {version}, and 11 to 13 are known"));
        }
        let path = origin(functions.version as *const c_void).unwrap_or_else(|| place.to_string());
        Ok(Self { functions, path, version })
    }
}

/// The loader's own words, which stand behind the error's.
fn told(place: &Place, error: &libloading::Error) -> String {
    let source = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    format!("{place}: {source}")
}

/// The file that a function was loaded from.
#[cfg(unix)]
fn origin(function: *const c_void) -> Option<String> {
    // SAFETY: plain numbers and pointers, for which zero is a value.
    let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: writes to the given structure; the name belongs to a library that stays loaded.
    unsafe {
        if libc::dladdr(function, &raw mut found) == 0 || found.dli_fname.is_null() {
            return None;
        }
        Some(std::ffi::CStr::from_ptr(found.dli_fname).to_string_lossy().into_owned())
    }
}

#[cfg(not(unix))]
fn origin(_: *const c_void) -> Option<String> {
    None
}

/// A function that did not do what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refusal {
    pub function: &'static str,
    pub status: Status,
}

/// Success, or who refused.
pub(super) fn checked(function: &'static str, status: Status) -> Result<(), Refusal> {
    if status == 0 { Ok(()) } else { Err(Refusal { function, status }) }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let meaning = match self.status {
            1 => "not initialised: no driver, or one that is too old for this version",
            3 => "no memory",
            7 => "invalid value",
            8 => "the device's architecture is not served",
            11 => "memory cannot be reached",
            13 => "the device did not execute it",
            14 => "internal error",
            15 => "not supported",
            _ => "no known reason",
        };
        write!(f, "{}: {meaning} ({})", self.function, self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_layouts_are_those_of_the_headers() {
        assert_eq!([111_003, 120_205, 130_100].map(|number| Version(number).to_string()), ["11.10.3", "12.2.5", "13.1.0"]);
        assert_eq!((size_of::<Heuristic>(), std::mem::offset_of!(Heuristic, state)), (96, 72));
    }

    #[test]
    fn what_is_no_library_is_an_error() {
        let place = Place::File("Cargo.toml".into());
        assert!(Library::load(&place).unwrap_err().starts_with("Cargo.toml: "));
        assert!(Library::load(&Place::Loader("libcublasLt.so.0")).is_err());
    }
}
