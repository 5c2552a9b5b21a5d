//! Files that are something else than their name says.

use super::pickle_writer::{checkpoint, state_dict};
use super::weights::Weights;
use super::{Row, refused};

pub fn rows() -> Vec<Row> {
    let tar = [&[0_u8; 257][..], b"ustar", &[0; 250]].concat();
    let legacy = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.".to_vec();
    let seen = |what: &str, bytes: Vec<u8>, code| refused("K01", what, "model.pth", bytes, code);
    vec![
        seen("an empty .pth", Vec::new(), "wrong-kind"),
        seen("PyTorch's format before 1.6", legacy, "legacy-format"),
        seen("PyTorch's oldest format, a tar archive", tar, "tar-format"),
        seen("a bare pickle", b"\x80\x02}.".to_vec(), "wrong-kind"),
        seen("a gzip named .pth", b"\x1f\x8b\x08\0".to_vec(), "wrong-kind"),
        seen("a safetensors file named .pth", Weights::good().file(), "wrong-kind"),
        seen("only the first bytes of an archive", b"PK\x03\x04".to_vec(), "incomplete"),
        refused("K02", "a .pth named .safetensors", "model.safetensors", checkpoint(state_dict()), "header-too-long"),
        refused("K02", "a text named .onnx", "model.onnx", b"text".to_vec(), "wrong-kind"),
    ]
}
