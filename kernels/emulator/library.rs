//! A kernel's source as a library of this machine. Tests take this file in by its path: it is part of no crate.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use kernels::cuda::Storage;

/// Which fiber runs next.
#[derive(Debug, Clone, Copy)]
pub enum Schedule {
    Forward,
    Backward,
    Shuffled,
}

impl Schedule {
    pub const ALL: [Self; 3] = [Self::Forward, Self::Backward, Self::Shuffled];
}

/// The emulator runs one block at a time, and its state belongs to the library.
static TURN: Mutex<()> = Mutex::new(());

type Launch =
    unsafe extern "C" fn(*mut c_void, arguments: *const c_void, grid: *const u32, block: *const u32, usize, schedule: i32) -> *const c_char;

/// The kernels of one file, for one kind of storage.
#[derive(Debug)]
pub struct Library {
    handle: *mut c_void,
    launch: Launch,
}

/// How many blocks of how many threads, and the bytes of shared memory that a launch sets.
#[derive(Debug, Clone, Copy)]
pub struct Launched {
    pub grid: [usize; 3],
    pub threads: usize,
    pub shared: usize,
}

impl Launched {
    pub fn new(grid: [usize; 3], threads: usize) -> Self {
        Self { grid, threads, shared: 0 }
    }
}

// SAFETY: what a library holds is only used in turn.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

impl Library {
    /// `file` of `kernels/src`, as it stands there; nothing where there is no C++ compiler.
    pub fn of(file: &str, storage: Storage) -> Option<Self> {
        Self::compile(file, &source(file), storage)
    }

    /// The same as architectures before `sm_80` have it, which lack the instructions that `cuda/tensor.cuh` is made for.
    pub fn before_tensor_cores(file: &str, storage: Storage) -> Option<Self> {
        Self::compile(file, &format!("#define VOLTA\n{}", source(file)), storage)
    }

    /// `text` in the place of `file`.
    pub fn compile(file: &str, text: &str, storage: Storage) -> Option<Self> {
        let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
        if Command::new(&compiler).arg("--version").output().is_err() {
            println!("SKIPPED: {file} was not emulated, because there is no C++ compiler ({compiler}); CXX names one");
            return None;
        }
        let library = built(&compiler, file, text, storage);
        let path = CString::new(library.to_str().expect("the target folder has a name in UTF-8")).expect("no NUL in a path");
        // SAFETY: the library was just built from our own sources, and its initialisers only fill its own tables.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "{} does not load", library.display());
        let launch = symbol(handle, "emulator_launch");
        // SAFETY: the emulator declares this function with these arguments.
        Some(Self { handle, launch: unsafe { std::mem::transmute::<*mut c_void, Launch>(launch) } })
    }

    /// Runs kernel `name` with one structure of arguments, as a GPU takes it.
    pub fn run<A>(&self, name: &str, how: Launched, arguments: &A, schedule: Schedule) -> Result<(), String> {
        self.run_on(name, how, (&raw const *arguments).cast(), schedule)
    }

    /// The same with the bytes of the structure.
    pub fn run_on(&self, name: &str, how: Launched, arguments: *const c_void, schedule: Schedule) -> Result<(), String> {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let grid = how.grid.map(|blocks| u32::try_from(blocks).expect("grids are small"));
        let block = [u32::try_from(how.threads).expect("blocks are small"), 1, 1];
        let kernel = symbol(self.handle, name);
        // SAFETY: `arguments` has the layout of the kernel's structure, and its pointers lead to memory that lives through the call.
        let error = unsafe { (self.launch)(kernel, arguments, grid.as_ptr(), block.as_ptr(), how.shared, schedule as i32) };
        // SAFETY: an error is a text that ends with NUL and stays until the next launch.
        if error.is_null() { Ok(()) } else { Err(unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned()) }
    }
}

/// A folder with a `libcuda` whose device is this machine, and what it finds all kernels of f32 by: names and values of its
/// environment. Nothing where there is no C++ compiler.
pub fn driver() -> Option<(PathBuf, [(&'static str, String); 2])> {
    Library::of("activation/cuda.cu", Storage::F32)?;
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let folders = fs::read_dir(home().join("src")).expect("kernels have folders").flatten().map(|entry| entry.path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| fs::read_dir(folder).expect("it can be listed").flatten());
    let sources = files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "cu"));
    let name = |path: &Path| path.strip_prefix(home().join("src")).expect("a source stands there").display().to_string();
    let built = |path: PathBuf| built(&compiler, &name(&path), &source(&name(&path)), Storage::F32).display().to_string();
    let kernels = sources.map(built).collect::<Vec<_>>().join(":");
    let folder = libcuda(&compiler);
    Some((folder.clone(), [("LD_LIBRARY_PATH", folder.display().to_string()), ("EMULATED_KERNELS", kernels)]))
}

/// The same without kernels, and a `libnccl` on it: names and values of the environment that finds both.
pub fn nccl() -> Option<[(&'static str, String); 2]> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    if Command::new(&compiler).arg("--version").output().is_err() {
        println!("SKIPPED: NCCL was not emulated, because there is no C++ compiler ({compiler}); CXX names one");
        return None;
    }
    let text = fs::read_to_string(home().join("emulator/nccl.cpp")).expect("it stands beside the emulator");
    let library = built(&compiler, "../emulator/nccl.cpp", &text, Storage::F32).display().to_string();
    Some([("LD_LIBRARY_PATH", libcuda(&compiler).display().to_string()), ("PELLUCID_NCCL", library)])
}

/// The folder of the `libcuda`.
fn libcuda(compiler: &str) -> PathBuf {
    let text = fs::read_to_string(home().join("emulator/driver.cpp")).expect("the driver stands beside the emulator");
    let library = built(compiler, "../emulator/driver.cpp", &text, Storage::F32);
    let folder = library.with_extension("driver");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    // Another test's process may be using the same: it is put in place whole.
    let mine = folder.join(format!("{}.{:?}", std::process::id(), std::thread::current().id()));
    fs::copy(&library, &mine).expect("the target folder can be written");
    fs::rename(&mine, folder.join("libcuda.so.1")).expect("the target folder can be written");
    folder
}

/// The folder of the crate `kernels`, seen from any crate of the workspace.
pub fn home() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../kernels"))
}

impl Library {
    /// Numbers that a library gives away under `name`.
    pub fn numbers(&self, name: &str, count: usize) -> Vec<usize> {
        // SAFETY: the caller built the library with an array of so many numbers.
        unsafe { std::slice::from_raw_parts(symbol(self.handle, name).cast::<usize>(), count) }.to_vec()
    }
}

/// The text of a kernel.
pub fn source(file: &str) -> String {
    let path = home().join("src").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn symbol(handle: *mut c_void, name: &str) -> *mut c_void {
    let text = CString::new(name).expect("no NUL in a name");
    // SAFETY: the handle is open, and the name ends with NUL.
    let found = unsafe { libc::dlsym(handle, text.as_ptr()) };
    assert!(!found.is_null(), "there is no kernel {name}");
    found
}

/// The library of this text; one that was built before is taken again.
fn built(compiler: &str, file: &str, text: &str, storage: Storage) -> PathBuf {
    let home = home();
    let mut hasher = DefaultHasher::new();
    (compiler, file, text, storage.in_cuda()).hash(&mut hasher);
    for folder in ["cuda", "emulator"] {
        let headers = fs::read_dir(home.join(folder)).expect("the headers are there").flatten().map(|entry| entry.path());
        let mut headers: Vec<_> = headers.filter(|path| path.extension().is_some_and(|end| end == "h" || end == "cuh")).collect();
        headers.sort();
        headers.iter().for_each(|path| fs::read(path).expect("a header can be read").hash(&mut hasher));
    }
    let program = std::env::current_exe().expect("a test knows where it is");
    let folder = program.parent().expect("a program stands in a folder").join("emulated");
    let name = format!("{}-{:016x}", file.replace(['/', '.'], "_"), hasher.finish());
    // Other tests may build the same at the same time: each under a name of its own, and the last one stays.
    static BUILT: AtomicUsize = AtomicUsize::new(0);
    let mine = folder.join(format!("{name}.{}.{}", std::process::id(), BUILT.fetch_add(1, Ordering::Relaxed)));
    let library = folder.join(format!("{name}.so"));
    if !library.exists() {
        fs::create_dir_all(&folder).expect("the target folder can be written");
        compile(compiler, &home.join("src").join(file), text, storage, &mine);
        fs::rename(&mine, &library).expect("the target folder can be written");
    }
    library
}

fn compile(compiler: &str, place: &Path, text: &str, storage: Storage, library: &Path) {
    use std::io::Write;
    let folder = place.parent().expect("a kernel stands in a folder");
    let mut command = Command::new(compiler);
    command.args(["-O2", "-std=c++17", "-shared", "-fPIC", "-w", "-U_FORTIFY_SOURCE", "-DEMULATOR", "-x", "c++", "-"]);
    command.arg(format!("-DSTORAGE={}", storage.in_cuda())).arg("-iquote").arg(folder).arg("-o").arg(library);
    let mut child = command.stdin(std::process::Stdio::piped()).spawn().expect("the compiler was found before");
    child.stdin.take().expect("it is a pipe").write_all(text.as_bytes()).expect("the compiler reads");
    assert!(child.wait().expect("the compiler ends").success(), "{} does not compile for the emulator", place.display());
}
