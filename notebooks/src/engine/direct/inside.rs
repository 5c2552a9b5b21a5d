//! The process in which cells run, from inside: commands come on a pipe, cells run on a thread of their own.

use std::ffi::c_void;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use libloading::Library;
use libloading::os::unix::{Library as Loaded, RTLD_LOCAL, RTLD_NOW};
use serde_json::{Value, json};

use super::process::RUN_CELLS;

/// Address space only: memory is taken where the stack grows.
const STACK: usize = 256 << 20;

type Start = unsafe extern "C" fn();
type Named = unsafe extern "C" fn(*const u8, usize);

/// Becomes the process of cells where this program was started as one, and does not come back; the first thing in `main`.
pub fn run_cells_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|word| word == RUN_CELLS) {
        let ended = arguments.next().ok_or_else(|| io::Error::other("the path of the library is missing"));
        let code = match ended.and_then(|library| run(Path::new(&library))) {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("The process of cells could not go on: {error}");
                1
            }
        };
        leave(code);
    }
}

fn run(library: &Path) -> io::Result<()> {
    let commands = take_standard_input()?;
    let (sender, receiver) = channel();
    let library = library.to_owned();
    let cells = move || match Prebuilt::open(&library) {
        Ok(prebuilt) => prebuilt.serve(&receiver),
        Err(error) => {
            eprintln!("{} could not be loaded: {error}", library.display());
            leave(1);
        }
    };
    thread::Builder::new().name("cell".to_owned()).stack_size(STACK).spawn(cells)?;
    for line in BufReader::new(commands).lines() {
        let Ok(command) = serde_json::from_str::<Value>(&line?) else { continue };
        if sender.send(command).is_err() {
            break;
        }
    }
    // The engine is gone, or wants this process to end: a cell that still runs ends with it.
    Ok(())
}

/// Commands keep the pipe for themselves; a cell that reads its standard input finds it empty.
fn take_standard_input() -> io::Result<std::fs::File> {
    let nothing = std::fs::File::open("/dev/null")?;
    // SAFETY: 1. both calls take numbers only; 2. the new descriptor is checked and owned by nobody else.
    let pipe = unsafe {
        let pipe = libc::fcntl(0, libc::F_DUPFD_CLOEXEC, 3);
        if pipe < 0 || libc::dup2(nothing.as_raw_fd(), 0) < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(pipe)
    };
    Ok(pipe.into())
}

/// Ends the process at once: what a cell registered to run at the end might wait for ever.
fn leave(code: i32) -> ! {
    // SAFETY: `_exit` takes a number and does not come back.
    unsafe { libc::_exit(code) }
}

/// The library that all cells share, by what it offers to C.
struct Prebuilt {
    forget: Named,
    finish: Named,
}

impl Prebuilt {
    fn open(path: &Path) -> Result<Self, libloading::Error> {
        // SAFETY: 1. the library was built by us and its initialisers do nothing; 2. the functions have these types in its
        // `runtime::entry`; 3. it is never unloaded, so that they stay valid; 4. `start` is called once, on this thread.
        unsafe {
            let library = Library::new(path)?;
            let (forget, finish) = (*library.get::<Named>(b"pellucid_forget")?, *library.get::<Named>(b"pellucid_finish")?);
            library.get::<Start>(b"pellucid_start")?();
            std::mem::forget(library);
            Ok(Self { forget, finish })
        }
    }

    fn serve(&self, commands: &Receiver<Value>) {
        for command in commands {
            for name in command["forget"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                // SAFETY: the pointer and the length are those of a text that lives through the call.
                unsafe { (self.forget)(name.as_ptr(), name.len()) };
            }
            if let (Some(path), Some(symbol), Some(marker)) =
                (command["library"].as_str(), command["symbol"].as_str(), command["marker"].as_str())
            {
                match run_cell(path, symbol) {
                    // SAFETY: as above.
                    Ok(()) => unsafe { (self.finish)(marker.as_ptr(), marker.len()) },
                    Err(error) => refuse(marker, &error),
                }
            }
        }
    }
}

fn run_cell(path: &str, symbol: &str) -> Result<(), libloading::Error> {
    // SAFETY: 1. the library is a cell that the engine compiled, and running it is what the user asked for; 2. the function
    // has this type in the text that the engine wrote; 3. it is never unloaded: variables may point into it.
    unsafe {
        let cell = Loaded::open(Some(path), RTLD_NOW | RTLD_LOCAL)?;
        let function = *cell.get::<Start>(symbol.as_bytes())?;
        let _: *mut c_void = cell.into_raw();
        function();
    }
    Ok(())
}

fn refuse(marker: &str, error: &libloading::Error) {
    let ending = json!({ "kind": "lost", "message": format!("the compiled cell could not be loaded: {error}") });
    // Where nobody reads, nobody needs to know.
    let _ = writeln!(io::stdout(), "{marker} {ending}");
    let _ = writeln!(io::stderr(), "{marker} {{}}");
}
