//! The fuzz targets' seeds and changed ones through the readers of checkpoints: refused or read, and never a panic.

#[path = "../../datasets/tests/mutations/mod.rs"]
mod mutations;

use std::path::{Path, PathBuf};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

#[test]
fn no_archive_breaks_the_reader() {
    mutations::survives(&corpus("pth"), 200_000, xai::fuzz::pth);
}

#[test]
fn no_pickle_breaks_the_reader() {
    mutations::survives(&corpus("pickle"), 200_000, xai::fuzz::pickle);
}

#[test]
fn no_header_breaks_the_reader() {
    mutations::survives(&corpus("safetensors"), 200_000, xai::fuzz::safetensors);
}
