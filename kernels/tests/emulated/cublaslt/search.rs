//! Where cublasLt is looked for, over made-up folders.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use kernels::cuda::cublaslt::{Place, Search, Surroundings};

/// A folder that goes when the test ends.
struct Made(PathBuf);

impl Made {
    fn new(name: &str, files: &[&str]) -> Self {
        let root = std::env::temp_dir().join(format!("pellucid-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for file in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        Self(root)
    }

    /// Files that are found, as they stand under the folder; `{}` in a variable is the folder.
    fn found(&self, variables: &[(&str, &str)]) -> Vec<String> {
        let root = self.0.display().to_string();
        let variables: HashMap<String, OsString> =
            variables.iter().map(|(name, value)| (name.to_string(), value.replace("{}", &root).into())).collect();
        let search = Surroundings { variables, root: self.0.clone() }.search();
        let Search::Places { places, .. } = search else { return Vec::new() };
        let under = |path: &Path| path.strip_prefix(&self.0).unwrap().display().to_string();
        places.iter().map(|place| if let Place::File(path) = place { under(path) } else { place.to_string() }).collect()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn newest_first_and_of_each_version_first_the_loader() {
    let made = Made::new(
        "order",
        &[
            "one/libcublasLt.so.12",
            "toolkit/lib64/libcublasLt.so.12",
            "usr/local/cuda-11.8/lib64/libcublasLt.so.11",
            "usr/local/cuda-12.4/lib64/libcublasLt.so.12",
            "usr/lib/x86_64-linux-gnu/libcublasLt.so.11",
            "venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13",
            "venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12",
            "venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12",
        ],
    );
    let found = made.found(&[("LD_LIBRARY_PATH", "relative:{}/one:{}/none"), ("CUDA_HOME", "{}/toolkit"), ("VIRTUAL_ENV", "{}/venv")]);
    let expected = [
        "libcublasLt.so.13",
        "venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13",
        "libcublasLt.so.12",
        "one/libcublasLt.so.12",
        "toolkit/lib64/libcublasLt.so.12",
        "usr/local/cuda-12.4/lib64/libcublasLt.so.12",
        "venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.12",
        "libcublasLt.so.11",
        "usr/local/cuda-11.8/lib64/libcublasLt.so.11",
        "usr/lib/x86_64-linux-gnu/libcublasLt.so.11",
    ];
    assert_eq!(found, expected);
}

#[test]
fn python_is_found_by_where_it_lies() {
    let made = Made::new(
        "python",
        &[
            "conda/bin/python3.11",
            "conda/lib/python3.11/site-packages/torch/lib/libcublasLt.so.12",
            "pyenv/shims/python3",
            "pyenv/versions/3.12.1/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.11",
            "person/.local/lib/python3.9/site-packages/nvidia/cublas/lib/libcublasLt.so.11",
            "listed/nvidia/cublas/lib/libcublasLt.so.13",
            "usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublasLt.so.13",
        ],
    );
    // A link leads to the installation.
    fs::create_dir_all(made.0.join("bin")).unwrap();
    std::os::unix::fs::symlink(made.0.join("conda/bin/python3.11"), made.0.join("bin/python3")).unwrap();
    let of_files = |variables: &[(&str, &str)]| {
        let mut found = made.found(variables);
        found.retain(|path| path.contains('/'));
        found
    };
    let of_system = "usr/lib/python3/dist-packages/nvidia/cublas/lib/libcublasLt.so.13";
    let of_conda = "conda/lib/python3.11/site-packages/torch/lib/libcublasLt.so.12";
    let of_pyenv = "pyenv/versions/3.12.1/lib/python3.12/site-packages/nvidia/cublas/lib/libcublasLt.so.11";
    assert_eq!(of_files(&[]), [of_system]);
    assert_eq!(of_files(&[("PATH", ".:{}/none:{}/bin:{}/pyenv/shims")]), [of_system, of_conda]);
    assert_eq!(of_files(&[("PATH", "{}/pyenv/shims:{}/bin")]), [of_system, of_pyenv]);
    assert_eq!(
        of_files(&[("PYTHONPATH", "{}/listed"), ("HOME", "{}/person")])[..2],
        ["listed/nvidia/cublas/lib/libcublasLt.so.13", of_system]
    );
    assert_eq!(of_files(&[("HOME", "{}/person")])[1], "person/.local/lib/python3.9/site-packages/nvidia/cublas/lib/libcublasLt.so.11");
}

#[test]
fn a_variable_names_one_place_or_none() {
    let made = Made::new("named", &["mine/libcublasLt.so.12", "mine/libcublasLt.so.11", "usr/lib64/libcublasLt.so.13"]);
    assert_eq!(made.found(&[("PELLUCID_CUBLASLT", "{}/mine/libcublasLt.so.11")]), ["mine/libcublasLt.so.11"]);
    assert_eq!(made.found(&[("PELLUCID_CUBLASLT", "{}/mine")]), ["mine/libcublasLt.so.12", "mine/libcublasLt.so.11"]);
    // What is named and is not there is said by the loader, and nothing else is taken in its place.
    assert_eq!(made.found(&[("PELLUCID_CUBLASLT", "{}/nowhere")]), ["nowhere"]);
    assert!(made.found(&[("PELLUCID_CUBLASLT", "off")]).is_empty());
    assert!(made.found(&[("PELLUCID_CUBLASLT", "")]).contains(&"usr/lib64/libcublasLt.so.13".into()));
}
