//! What must hold for any bytes at all; called by the fuzz targets in `xai/fuzz` and by `xai/tests/fuzz_corpus.rs`.

use super::pth;
use super::safetensors_file;
use super::stored::Stored;
use crate::Vit;

/// A small architecture, so that some inputs get as far as their shapes.
const CONFIG: &str = r#"{"model_type":"vit","hidden_size":4,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":4,
    "image_size":4,"patch_size":4}"#;

/// A `.pth` is refused, or becomes a safetensors file that stands its own check and is not much larger.
pub fn pth(bytes: &[u8]) {
    let mut written = Vec::new();
    let Ok(_) = pth::convert(bytes, None, &mut written) else {
        assert!(written.is_empty(), "a refused checkpoint wrote {} bytes", written.len());
        return;
    };
    let most = 4 * bytes.len() + (1 << 16);
    assert!(written.len() <= most, "{} bytes became {}", bytes.len(), written.len());
    let stored = Stored::in_memory("converted", &written);
    if let Err(refused) = safetensors_file::open(&stored) {
        panic!("what was read from a pickle is refused: {refused}");
    }
}

/// The same for a pickle, put into an archive of one storage.
pub fn pickle(bytes: &[u8]) {
    pth(&pth::around(bytes, &[0; 256]));
}

/// A safetensors file is refused, or every value in it can be read or is refused.
pub fn safetensors(bytes: &[u8]) {
    let stored = Stored::in_memory("bytes", bytes);
    if let Ok(tensors) = safetensors_file::open(&stored) {
        for (name, shape) in tensors.names() {
            if let Ok(values) = tensors.values(name) {
                assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
            }
        }
    }
    let _ = Vit::from_bytes("bytes", bytes, CONFIG, "{}");
}
