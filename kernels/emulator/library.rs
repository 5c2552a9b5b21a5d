//! A kernel's source as a library of this machine. Tests take this file in by its path: it is part of no crate.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use kernels::cuda::Storage;
use kernels::cuda::modules::instructions;

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

    /// The same as a device of this architecture loads it: made of what its module is made of. Nothing where it has no such module.
    pub fn of_architecture(file: &str, storage: Storage, capability: u32) -> Option<Self> {
        let text = source(file);
        let is_there = |line: &str| text.lines().any(|found| found == line);
        let defined = match instructions(storage, capability) {
            _ if is_there("// Target: sm_90a.") => (capability == 90).then_some("")?,
            80.. => "",
            _ if is_there("// From sm_80 on.") => return None,
            75.. => "#define VOLTA\n#define TURING\n",
            _ => "#define VOLTA\n",
        };
        Self::compile(file, &format!("{defined}{text}"), storage)
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

    /// The same with the bytes of the structure, wherever they lie.
    pub fn run_bytes(&self, name: &str, how: Launched, arguments: &[u8], schedule: Schedule) -> Result<(), String> {
        let mut aligned = vec![0u64; arguments.len().div_ceil(8)];
        for (word, bytes) in aligned.iter_mut().zip(arguments.chunks(8)) {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(whole);
        }
        self.run_on(name, how, aligned.as_ptr().cast(), schedule)
    }

    /// The same with an address of the structure.
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

/// Where `text`, in the place of `file`, is built: to stand before others in `EMULATED_KERNELS`.
pub fn built_instead(file: &str, text: &str, storage: Storage) -> PathBuf {
    built(&std::env::var("CXX").unwrap_or_else(|_| "c++".into()), file, text, storage)
}

/// A folder with a `libcuda` whose device is this machine, and what it finds all kernels of f32 by: names and values of its
/// environment. Nothing where there is no C++ compiler.
pub fn driver() -> Option<(PathBuf, [(&'static str, String); 3])> {
    let folders = fs::read_dir(home().join("src")).expect("kernels have folders").flatten().map(|entry| entry.path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|folder| fs::read_dir(folder).expect("it can be listed").flatten());
    let sources = files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "cu"));
    // What lives on sm_90a alone has no f32.
    let sources = sources.filter(|path| !path.ends_with("cuda_hopper.cu"));
    let name = |path: &Path| path.strip_prefix(home().join("src")).expect("a source stands there").display().to_string();
    let names: Vec<String> = sources.map(|path| name(&path)).collect();
    driver_of(Storage::F32, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The same with the kernels of these files, in another storage. No library but its own takes part, whatever the machine has.
pub fn driver_of(storage: Storage, files: &[&str]) -> Option<(PathBuf, [(&'static str, String); 3])> {
    let folder = folder_with("driver.cpp", "libcuda.so.1")?;
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let built = |name: &&str| built(&compiler, name, &source(name), storage).display().to_string();
    let kernels = files.iter().map(built).collect::<Vec<_>>().join(":");
    let variables = [("LD_LIBRARY_PATH", folder.display().to_string()), ("EMULATED_KERNELS", kernels), ("PELLUCID_CUBLASLT", "off".into())];
    Some((folder, variables))
}

/// The `libcuda` without kernels, and a `libnccl` on it: names and values of the environment that finds both.
pub fn nccl() -> Option<[(&'static str, String); 2]> {
    let (driver, nccl) = (folder_with("driver.cpp", "libcuda.so.1")?, folder_with("nccl.cpp", "libnccl.so.2")?);
    Some([("LD_LIBRARY_PATH", driver.display().to_string()), ("PELLUCID_NCCL", nccl.display().to_string())])
}

/// A folder that has a file of `kernels/emulator`, compiled, under the name of what it stands for. Nothing where there is no C++ compiler.
pub fn folder_with(file: &str, name: &str) -> Option<PathBuf> {
    Library::of("activation/cuda.cu", Storage::F32)?;
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".into());
    let text = fs::read_to_string(home().join("emulator").join(file)).expect("it stands beside the emulator");
    let library = built(&compiler, &format!("../emulator/{file}"), &text, Storage::F32);
    let folder = library.with_extension("folder");
    fs::create_dir_all(&folder).expect("the target folder can be written");
    // Another test's process may be using the same: it is put in place whole.
    let mine = folder.join(format!("{}.{:?}", std::process::id(), std::thread::current().id()));
    fs::copy(&library, &mine).expect("the target folder can be written");
    fs::rename(&mine, folder.join(name)).expect("the target folder can be written");
    Some(folder)
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

/// The file of a module: `attention_backward` is `attention/cuda_backward.cu`.
pub fn file(module: &str) -> Option<String> {
    let folders = fs::read_dir(home().join("src")).ok()?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let of_folder = |folder: String| {
        let rest = module.strip_prefix(&folder)?;
        let file = format!("{folder}/cuda{rest}.cu");
        home().join("src").join(&file).exists().then_some(file)
    };
    folders.filter_map(of_folder).next()
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
