//! The smallest archive around a pickle, as PyTorch writes it when it is told to leave out checksums.

/// An archive of a pickle and one storage.
pub(crate) fn around(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in [("model/data.pkl", pickle), ("model/data/0", storage)] {
        let (at, size) = ((file.len() as u32).to_le_bytes(), (bytes.len() as u32).to_le_bytes());
        let name_length = (name.len() as u16).to_le_bytes();
        // Versions, flags, method, time, no checksum; sizes; lengths of name and extra field.
        let told = [&[0_u8; 14][..], &size, &size, &name_length, &[0; 2]].concat();
        file.extend([&b"PK\x03\x04"[..], &told, name.as_bytes(), bytes].concat());
        directory.extend([&b"PK\x01\x02\0\0"[..], &told, &[0; 10], &at, name.as_bytes()].concat());
    }
    let (size, at) = ((directory.len() as u32).to_le_bytes(), (file.len() as u32).to_le_bytes());
    [&file[..], &directory, b"PK\x05\x06\0\0\0\0\x02\0\x02\0", &size, &at, &[0; 2]].concat()
}
