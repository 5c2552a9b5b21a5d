//! The fuzz target's seeds and changed ones through the decoder: refused or a picture, and never a panic.

mod mutations;

use std::path::Path;

#[test]
fn no_picture_breaks_the_decoder() {
    mutations::survives(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/decode"), 200_000, datasets::fuzz::decode);
}
