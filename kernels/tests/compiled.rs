//! The compiled kernels are those of the sources beside them: every module is there, carries the hash of its source, and spills nothing.
//! Whether they are so byte by byte is what `kernels/cuda/build.py --check` says, which needs NVRTC.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A kernel's source, its module's name and the hash that its modules carry.
struct Source {
    text: String,
    module: String,
    hash: String,
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    paths
}

fn ends_in(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found == ending)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn unpacked(path: &Path) -> Vec<u8> {
    let packed = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}; run kernels/cuda/build.py", path.display()));
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes
}

/// FNV-1a, as `build.py` has it.
fn hash(text: &str) -> String {
    let state = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{state:016x}")
}

fn sources() -> Vec<Source> {
    let headers: String = listed(&home().join("cuda")).iter().filter(|path| ends_in(path, "cuh")).map(|path| read(path)).collect();
    let folders = listed(&home().join("src")).into_iter().filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| listed(&folder)).filter(|path| ends_in(path, "cu"));
    let source = |path: PathBuf| {
        let name = |part: Option<&std::ffi::OsStr>| part.and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
        let folder = name(path.parent().and_then(Path::file_name));
        let text = read(&path);
        let hash = hash(&(text.clone() + &headers));
        Source { module: folder + name(path.file_stem()).trim_start_matches("cuda"), hash, text }
    };
    files.map(source).collect()
}

/// What a module is compiled for, as the source's line about storage and the table of `build.py` have it.
fn modules(source: &Source) -> Vec<String> {
    let line = source.text.lines().find_map(|line| line.strip_prefix("// Storage: "));
    let storages: Vec<&str> = line.map_or(vec!["f32", "bf16", "f16"], |line| line.trim_end_matches('.').split(", ").collect());
    let only = source.text.lines().find_map(|line| line.strip_prefix("// Target: "));
    let only = only.map(|line| format!("{}.cubin", line.trim_end_matches('.')));
    let cubins = ["sm_80.cubin", "sm_86.cubin", "sm_89.cubin", "sm_90.cubin"];
    let targets = |storage: &str| match storage {
        _ if only.is_some() => only.as_deref().into_iter().collect(),
        "f32" => [&["sm_70.ptx", "sm_80.ptx"], &cubins[..]].concat(),
        "bf16" => [&["sm_80.ptx"], &cubins[..]].concat(),
        _ => vec!["sm_70.ptx", "sm_75.ptx"],
    };
    let oldest = source.text.lines().find_map(|line| line.strip_prefix("// From ")?.strip_suffix(" on.")).unwrap_or("sm_70");
    let has_tensor_cores =
        ["tensor", "softmax"].iter().any(|header| source.text.contains(&format!("#include \"../../cuda/{header}.cuh\"")));
    let served = |target: &&str| &target[..5] >= oldest && (*target != "sm_75.ptx" || has_tensor_cores);
    let of = |storage: &&str| {
        let targets = targets(storage).into_iter().filter(served);
        targets.map(|target| format!("{}.{storage}.{target}.gz", source.module)).collect::<Vec<_>>()
    };
    storages.iter().flat_map(of).collect()
}

fn kernels(source: &Source) -> usize {
    let widths = source.text.lines().filter(|line| line.starts_with("OF_WIDTH(")).count();
    let of_width = source.text.lines().filter(|line| line.starts_with("    KERNEL(")).count();
    source.text.lines().filter(|line| line.starts_with("KERNEL(")).count() + widths * of_width
}

#[test]
fn every_module_carries_the_hash_of_its_source() {
    let compiled = home().join("cuda/compiled");
    let mut expected = BTreeSet::from(["budget.tsv".to_owned()]);
    for source in sources() {
        for module in modules(&source) {
            let bytes = unpacked(&compiled.join(&module));
            let symbol = format!("source_{}", source.hash);
            let carries = bytes.windows(symbol.len()).any(|window| window == symbol.as_bytes());
            assert!(carries, "{module} was compiled from another source: run kernels/cuda/build.py");
            expected.insert(module);
        }
    }
    let found: BTreeSet<String> = listed(&compiled).iter().map(|path| path.file_name().expect("a file").to_string_lossy().into()).collect();
    assert_eq!(found, expected, "files of kernels/cuda/compiled");
}

#[test]
fn no_kernel_spills() {
    let budget = read(&home().join("cuda/compiled/budget.tsv"));
    let rows: Vec<Vec<&str>> = budget.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    for source in sources() {
        for module in
            modules(&source).iter().filter_map(|module| module.strip_suffix(".gz").filter(|module| !module.ends_with("sm_80.ptx")))
        {
            let of_module: Vec<_> = rows.iter().filter(|row| row[0] == module).collect();
            assert_eq!(of_module.len(), kernels(&source), "kernels of {module} in the budget");
            for row in of_module {
                assert_eq!(row[4], "0", "{} of {module} spills {} bytes", row[1], row[4]);
            }
        }
    }
}

/// That each kernel of theirs is made of asynchronous products is what `build.py` holds, which has their PTX.
#[test]
fn modules_of_warpgroups_are_cubins_of_one_architecture() {
    let of_warpgroups: Vec<_> = sources().into_iter().filter(|source| source.text.contains("// Target: ")).collect();
    assert_eq!(of_warpgroups.iter().map(|source| source.module.as_str()).collect::<Vec<_>>(), ["attention_hopper", "linear_hopper"]);
    for source in of_warpgroups {
        let expected = ["bf16", "f16"].map(|storage| format!("{}.{storage}.sm_90a.cubin.gz", source.module));
        assert_eq!(modules(&source), expected);
        assert_eq!(kernels(&source), 4, "{}", source.module);
    }
}

#[test]
fn the_hash_is_the_known_one() {
    assert_eq!((hash(""), hash("a")), ("cbf29ce484222325".into(), "af63dc4c8601ec8c".into()));
}
