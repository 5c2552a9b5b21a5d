//! Archives as PyTorch writes them, and as it never would.

/// A member of an archive, with what its records say of it.
#[derive(Clone)]
pub struct Member {
    pub name: String,
    pub bytes: Vec<u8>,
    pub method: u16,
    /// Said in the directory instead of the checksum, the size and the place.
    pub checksum: Option<u32>,
    pub size: Option<u32>,
    pub at: Option<u32>,
    /// Said in the member's own header instead of the size.
    pub own_size: Option<u32>,
}

pub fn member(name: &str, bytes: &[u8]) -> Member {
    Member { name: name.into(), bytes: bytes.into(), method: 0, checksum: None, size: None, at: None, own_size: None }
}

/// What the archive's last record says instead of the truth.
#[derive(Default)]
pub struct Lies {
    pub members: Option<u16>,
    pub directory_size: Option<u32>,
    pub directory_at: Option<u32>,
}

/// An archive that tells the truth.
pub fn archive(members: &[Member]) -> Vec<u8> {
    lying_archive(members, &Lies::default())
}

/// A member's own header and bytes, as they would stand inside another member.
pub fn hidden_member(name: &str, bytes: &[u8]) -> Vec<u8> {
    archive(&[member(name, bytes)])[..30 + name.len() + bytes.len()].into()
}

pub fn lying_archive(members: &[Member], lies: &Lies) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let (at, checksum, size) = (file.len() as u32, crc32fast::hash(&member.bytes), member.bytes.len() as u32);
        let sizes = |size: u32, packed: u32| [packed.to_le_bytes(), size.to_le_bytes()].concat();
        let lengths = [(member.name.len() as u16).to_le_bytes(), 0_u16.to_le_bytes()].concat();
        let head = [&20_u16.to_le_bytes()[..], &0x0808_u16.to_le_bytes(), &member.method.to_le_bytes(), &[0; 4]].concat();
        let own_size = member.own_size.unwrap_or(size);
        file.extend([&b"PK\x03\x04"[..], &head, &checksum.to_le_bytes(), &sizes(own_size, own_size), &lengths].concat());
        file.extend([member.name.as_bytes(), &member.bytes].concat());
        let told = member.checksum.unwrap_or(checksum).to_le_bytes();
        let sizes = sizes(member.size.unwrap_or(size), member.size.unwrap_or(size));
        directory.extend([&b"PK\x01\x02\0\0"[..], &head, &told, &sizes, &lengths, &[0; 10]].concat());
        directory.extend([&member.at.unwrap_or(at).to_le_bytes()[..], member.name.as_bytes()].concat());
    }
    let count = lies.members.unwrap_or(members.len() as u16).to_le_bytes();
    let (size, at) = (lies.directory_size.unwrap_or(directory.len() as u32), lies.directory_at.unwrap_or(file.len() as u32));
    [&file[..], &directory, b"PK\x05\x06\0\0\0\0", &count, &count, &size.to_le_bytes(), &at.to_le_bytes(), &[0; 2]].concat()
}
