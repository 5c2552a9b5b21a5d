//! Lists the compiled kernels, so that the library carries them.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let home = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let folder = Path::new(&home).join("cuda").join("compiled");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(&folder)?.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".gz"));
    names.sort();
    let mut table = String::from("[\n");
    for name in names {
        let path = folder.join(&name);
        writeln!(table, "({:?}, include_bytes!({:?}).as_slice()),", name.trim_end_matches(".gz"), path).map_err(io::Error::other)?;
    }
    table.push(']');
    fs::write(Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("modules.rs"), table)
}
