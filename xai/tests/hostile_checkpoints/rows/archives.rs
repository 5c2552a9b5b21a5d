//! K01, K04, K09: archives that lie about what they hold.

use super::pickle_writer::{checkpoint, members, state_dict};
use super::zip_writer::{Lies, Member, archive, hidden_member, lying_archive, member};
use super::{Row, refused};

const FILE: &str = "model.pth";

/// The good checkpoint with its members changed.
fn changed(change: impl Fn(&mut Vec<Member>)) -> Vec<u8> {
    let mut members = members(&state_dict().done());
    change(&mut members);
    archive(&members)
}

pub fn rows() -> Vec<Row> {
    [members_that_lie(), archives_that_lie()].into_iter().flatten().collect()
}

fn members_that_lie() -> Vec<Row> {
    let seen = |what: &str, bytes: Vec<u8>, code| refused("K01", what, FILE, bytes, code);
    let overlap = changed(|all| {
        let hidden = hidden_member("model/hidden", b"1234");
        all.insert(0, member("model/outer", &hidden));
        all.push(Member { at: Some(30 + "model/outer".len() as u32), ..member("model/hidden", b"1234") });
    });
    let same = changed(|all| {
        let first = member(&all[2].name.clone(), &all[2].bytes.clone());
        all.push(Member { at: Some(0), ..first });
    });
    vec![
        seen("a compressed storage", changed(|all| all[2].method = 8), "compressed"),
        seen("a compressed pickle", changed(|all| all[0].method = 8), "compressed"),
        refused("K04", "a member inside another", FILE, overlap, "bad-offsets"),
        refused("K04", "one member listed twice", FILE, same, "malformed"),
        refused("K06", "two members of one name", FILE, changed(|all| all.push(all[2].clone())), "duplicate-name"),
        refused("K04", "a member that ends behind the file", FILE, changed(|all| all[2].size = Some(0x7fff_ffff)), "malformed"),
        refused("K04", "a member behind the file", FILE, changed(|all| all[2].at = Some(0x7fff_ffff)), "malformed"),
        seen("a member of two sizes", changed(|all| all[2].own_size = Some(3)), "malformed"),
        seen("a member named ../../x", changed(|all| all[2].name = "model/../../x".into()), "bad-name"),
        refused(
            "K12",
            "a member whose name is a script with a line break",
            FILE,
            changed(|all| all[2].name = "<script>\n".into()),
            "bad-name",
        ),
        seen("a storage that is missing", changed(|all| drop(all.remove(2))), "incomplete"),
        seen("a storage of another size", changed(|all| all[2].bytes.truncate(8)), "bad-offsets"),
        seen("two pickles", changed(|all| all.push(member("other/data.pkl", b"\x80\x02}."))), "wrong-kind"),
        seen("no pickle", changed(|all| drop(all.remove(0))), "wrong-kind"),
        seen("numbers with their highest byte first", changed(|all| all[1].bytes = b"big".into()), "unsupported-tensor"),
        refused("K09", "a flipped bit in a storage", FILE, changed(|all| all[2].checksum = Some(7)), "malformed"),
        refused("K09", "a flipped bit in the pickle", FILE, changed(|all| all[0].checksum = Some(7)), "malformed"),
    ]
}

fn archives_that_lie() -> Vec<Row> {
    let good = checkpoint(state_dict());
    let lied = |lies: Lies| lying_archive(&members(&state_dict().done()), &lies);
    let many: Vec<Member> = (0..10_001).map(|at| member(&format!("m/{at}"), b"")).collect();
    let seen = |what: &str, bytes: Vec<u8>, code| refused("K01", what, FILE, bytes, code);
    let large = [&good[..good.len() - 22], &large_directory(1 << 63), &good[good.len() - 22..]].concat();
    vec![
        refused("K09", "an archive cut in half", FILE, good[..good.len() / 2].into(), "incomplete"),
        refused("K09", "an archive without its last byte", FILE, good[..good.len() - 1].into(), "incomplete"),
        seen("more behind the archive", [&good[..], b"MZ"].concat(), "incomplete"),
        seen("10,001 members", archive(&many), "too-complex"),
        seen("a directory of fewer members", lied(Lies { members: Some(3), ..Lies::default() }), "malformed"),
        seen("a directory of more members", lied(Lies { members: Some(900), ..Lies::default() }), "malformed"),
        seen("a directory that leaves the file", lied(Lies { directory_size: Some(1 << 30), ..Lies::default() }), "bad-offsets"),
        seen("a directory before it begins", lied(Lies { directory_at: Some(0), ..Lies::default() }), "malformed"),
        seen("2^63 members by a 64-bit directory", with_all_ones(large), "too-complex"),
        seen("a 64-bit directory that is not there", with_all_ones(good), "malformed"),
    ]
}

/// A 64-bit directory that claims so many members, and its locator.
fn large_directory(members: u64) -> Vec<u8> {
    let at = checkpoint(state_dict()).len() as u64 - 22;
    let counts = [members.to_le_bytes(), members.to_le_bytes(), 0_u64.to_le_bytes(), 0_u64.to_le_bytes()].concat();
    let record = [&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &[0; 4], &[0; 8], &counts].concat();
    [&record[..], b"PK\x06\x07\0\0\0\0", &at.to_le_bytes(), &1_u32.to_le_bytes()].concat()
}

/// The last record says that everything stands in the 64-bit one.
fn with_all_ones(mut archive: Vec<u8>) -> Vec<u8> {
    let end = archive.len();
    archive[end - 14..end - 2].fill(0xff);
    archive
}
