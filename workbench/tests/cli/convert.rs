//! `pellucid convert`, and the process that reads pickles for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

use crate::run::setup;

/// A checkpoint that PyTorch wrote.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../xai/tests/goldens/pickles").join(name)
}

/// Names, shapes and hashes of a file's tensors, as `contents.json` tells them.
fn tensors(file: &Path) -> BTreeMap<String, (String, Vec<usize>, String)> {
    let bytes = fs::read(file).unwrap();
    let read = SafeTensors::deserialize(&bytes).unwrap();
    let told = |view: safetensors::tensor::TensorView| (format!("{:?}", view.dtype()), view.shape().to_vec(), xai::sha256(view.data()));
    read.tensors().into_iter().map(|(name, view)| (name, told(view))).collect()
}

#[test]
fn every_readable_pickle_becomes_safetensors_in_another_process() {
    let contents: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&fs::read(golden("contents.json")).unwrap()).unwrap();
    for (name, expected) in contents.into_iter().filter(|(_, expected)| expected.is_object()) {
        let (dir, pellucid) = setup("convert");
        let answer = pellucid.args(["convert".as_ref(), golden(&name).as_os_str(), "model.safetensors".as_ref()]).succeeds();
        answer.says(&["bytes in model.safetensors"]).warns(&["tensors from the pickle's", &xai::sha256(&fs::read(golden(&name)).unwrap())]);
        let expected: BTreeMap<String, (String, Vec<usize>, String)> = expected
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, tensor)| {
                let shape = serde_json::from_value(tensor["shape"].clone()).unwrap();
                (name.clone(), (tensor["dtype"].as_str().unwrap().into(), shape, tensor["sha256"].as_str().unwrap().into()))
            })
            .collect();
        assert_eq!(tensors(&dir.path("model.safetensors")), expected, "{name}");
    }
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    let (dir, pellucid) = setup("convert_refused");
    let line = |name: &str| ["convert".into(), golden(name).into_os_string(), "model.safetensors".into()];
    pellucid.args(line("legacy.pth")).fails().warns(&["[legacy-format]", "python -c"]);
    dir.pellucid().args(line("date.pth")).fails().warns(&["[forbidden-global]", "datetime.date"]);
    dir.pellucid().args(line("protocol_2.pth")).args(["--sha256", &"0".repeat(64)]).fails().warns(&["[hash-mismatch]"]);
    dir.pellucid().args(line("two_state_dicts.pth")).fails().warns(&["[ambiguous]", "teacher, student", "--key"]);
    dir.pellucid().args(line("no_such.pth")).fails().warns(&["[not-found]", "no_such.pth"]);
    assert_eq!(dir.names("."), Vec::<String>::new());
    dir.pellucid().args(line("two_state_dicts.pth")).args(["--key", "teacher"]).succeeds();
    dir.pellucid().args(line("two_state_dicts.pth")).args(["--key", "student"]).fails().warns(&["exists already"]);
    dir.pellucid().args(["convert", "model.safetensors", "model.bin"]).fails().warns(&[".safetensors"]);
    dir.pellucid().args(["convert", "model.safetensors", "nowhere/copy.safetensors"]).fails().warns(&["nowhere/copy.safetensors"]);
    assert_eq!(dir.names("."), ["model.safetensors"]);
    dir.pellucid().args(["convert", "model.safetensors", "copy.safetensors"]).succeeds();
    assert_eq!(fs::read(dir.path("copy.safetensors")).unwrap(), fs::read(dir.path("model.safetensors")).unwrap());
}

/// The child waits for its standard input here, so that its limits can be looked at.
#[cfg(target_os = "linux")]
#[test]
fn the_reading_process_has_given_everything_up() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_pellucid"))
        .args(["__read-checkpoint", "--bytes", "1000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let limits = |limits: &str, name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {limits}"));
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let both = |limit: u64| vec![limit.to_string(); 2];
    let path = format!("/proc/{}/limits", child.id());
    // The last limit that is set says that all are.
    let seen = (0..1000).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        fs::read_to_string(&path).ok().filter(|seen| limits(seen, "Max cpu time") == both(10))
    });
    let seen = seen.expect("the child limits itself");
    for (name, limit) in [("Max open files", 3), ("Max file size", 0), ("Max processes", 0), ("Max core file size", 0)] {
        assert_eq!(limits(&seen, name), both(limit), "{name}");
    }
    assert_eq!(limits(&seen, "Max address space"), both((512 << 20) + 2000));
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty() && said.contains("0 of 1000 bytes came"), "{said}");
}
