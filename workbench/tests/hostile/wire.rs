//! I32: forms and bodies that are none, as bytes on a connection.

use crate::demo::{BOUNDARY, Demo, closing, form, part};
use crate::pictures::{lesion, png_of};

/// Each is answered with a code, and nothing is kept.
pub fn i32(demo: &Demo) {
    let picture = png_of(&lesion(50, 50));
    let whole = form("a.png", &picture);
    let length = |bytes: &[u8]| format!("content-length: {}", bytes.len());
    let sent = |lines: &str, body: &[u8]| [demo.head(lines), body.to_vec()].concat();
    let many = [part("a.png", b"x").repeat(10_000), closing()].concat();
    let twice = [part("a.png", &picture), part("b.png", &picture), closing()].concat();
    let plain = String::from_utf8(sent(&length(&whole), b"")).unwrap();
    let headed = |head: String| [head.into_bytes(), whole.clone()].concat();
    let cases = [
        ("no boundary", headed(plain.replace(&format!("; boundary={BOUNDARY}"), "")), 400, "bad-form"),
        ("another boundary", headed(plain.replace(BOUNDARY, "other")), 400, "bad-form"),
        ("not a form", headed(plain.replace("multipart/form-data", "application/octet-stream")), 415, "not-a-form"),
        ("compressed", sent(&format!("{}\r\ncontent-encoding: gzip", length(&whole)), &whole), 415, "encoded-body"),
        ("10 000 parts", sent(&length(&many), &many), 400, "bad-form"),
        ("the field twice", sent(&length(&twice), &twice), 400, "bad-form"),
        ("shorter than its length says", sent(&length(&whole[..whole.len() / 2]), &whole[..whole.len() / 2]), 400, "bad-form"),
        ("a length of gigabytes", sent("content-length: 9999999999", &vec![0; 22 << 20]), 413, "body-too-large"),
        ("no length and no end", sent("transfer-encoding: chunked", &endless(24)), 413, "body-too-large"),
        ("another name for this server", headed(plain.replace(&demo.address, "evil.example")), 421, "wrong-host"),
    ];
    let kept = demo.kept();
    for (case, bytes, status, code) in cases {
        let answer = demo.send(&bytes);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{case}: {}\n{}", answer.head, answer.text());
    }
    assert_eq!(demo.kept(), kept, "something was kept");
}

/// Chunks of a megabyte that begin as a form and go on.
fn endless(megabytes: usize) -> Vec<u8> {
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let head = part("a.png", b"");
    [chunk(&head[..head.len() - 2]), chunk(&vec![0; 1 << 20]).repeat(megabytes)].concat()
}
