//! K02 to K06: safetensors headers that lie.

use super::weights::{Weights, safetensors};
use super::{Row, refused};

const FILE: &str = "model.safetensors";

/// A header of one tensor `w` of `F32`, over eight bytes.
fn one(shape: &str, offsets: &str) -> Vec<u8> {
    safetensors(&format!(r#"{{"w":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#), &[0; 8])
}

/// A header of two tensors, over eight bytes.
fn two(first: &str, second: &str) -> Vec<u8> {
    let tensor = |offsets: &str| format!(r#"{{"dtype":"F32","shape":[1],"data_offsets":{offsets}}}"#);
    safetensors(&format!(r#"{{"v":{},"w":{}}}"#, tensor(first), tensor(second)), &[0; 8])
}

fn many(count: usize) -> Vec<u8> {
    let tensor = |at: usize| format!(r#""{at}":{{"dtype":"U8","shape":[1],"data_offsets":[{at},{}]}}"#, at + 1);
    let header: Vec<String> = (0..count).map(tensor).collect();
    safetensors(&format!("{{{}}}", header.join(",")), &vec![0; count])
}

pub fn rows() -> Vec<Row> {
    [lengths(), offsets(), texts()].into_iter().flatten().collect()
}

fn lengths() -> Vec<Row> {
    let good = Weights::good().file();
    let claims = |length: u64| [&length.to_le_bytes()[..], &good[8..]].concat();
    let padded = safetensors(&" ".repeat((1 << 20) + 1), &[]);
    let seen = |what: &str, bytes: Vec<u8>, code| refused("K02", what, FILE, bytes, code);
    vec![
        seen("an empty file", Vec::new(), "incomplete"),
        seen("seven bytes", vec![1; 7], "incomplete"),
        seen("a header of 0 bytes", claims(0), "malformed"),
        seen("a header one byte longer than the file", claims(good.len() as u64 - 7), "incomplete"),
        seen("a header of 2^63 bytes", claims(1 << 63), "header-too-long"),
        seen("a header of 2^64 - 1 bytes", claims(u64::MAX), "header-too-long"),
        seen("a header of 100,000,001 bytes", claims(100_000_001), "header-too-long"),
        seen("a header of 1 MiB and a byte, all there", padded, "header-too-long"),
        seen("no tensors", safetensors("{}", &[]), "no-tensors"),
        refused("K05", "100,000 tiny tensors", FILE, many(100_000), "header-too-long"),
        refused("K05", "2,001 tiny tensors", FILE, many(2001), "too-complex"),
    ]
}

fn offsets() -> Vec<Row> {
    let seen = |what: &str, bytes: Vec<u8>, code| refused("K04", what, FILE, bytes, code);
    let empty = |name: &str, at: u32| format!(r#""{name}":{{"dtype":"F32","shape":[0],"data_offsets":[{at},{at}]}}"#);
    let empties = |first: u32, second: u32| {
        let full = r#""w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        safetensors(&format!("{{{},{full},{}}}", empty("u", first), empty("v", second)), &[0; 8])
    };
    vec![
        refused("K03", "a shape whose product overflows", FILE, one("[4194305,4194305,211106198978564]", "[0,8]"), "bad-shape"),
        refused("K03", "a shape whose bytes overflow", FILE, one("[4611686018427387904]", "[0,8]"), "bad-shape"),
        refused("K03", "a size beyond 64 bits", FILE, one("[18446744073709551616]", "[0,8]"), "malformed"),
        refused("K03", "a negative size", FILE, one("[-2]", "[0,8]"), "malformed"),
        seen("tensors that overlap", two("[0,4]", "[2,6]"), "bad-offsets"),
        seen("tensors in one place", two("[0,4]", "[0,4]"), "bad-offsets"),
        seen("a hole between tensors", two("[0,4]", "[5,9]"), "bad-offsets"),
        seen("a hole before the first", one("[1]", "[4,8]"), "bad-offsets"),
        seen("bytes that belong to no tensor", one("[1]", "[0,4]"), "bad-offsets"),
        seen("offsets that run backwards", one("[2]", "[8,0]"), "bad-offsets"),
        seen("a negative offset", one("[2]", "[-8,0]"), "malformed"),
        seen("fewer bytes than the shape takes", one("[3]", "[0,8]"), "bad-offsets"),
        seen("two tensors without values at one offset", empties(8, 8), "bad-offsets"),
        seen("a tensor without values inside another", empties(0, 4), "bad-offsets"),
        seen("a tensor without values behind the file", empties(0, 12), "bad-offsets"),
        seen("tensors without values between others: no fault, but no model", empties(0, 8), "no-model"),
        refused("K09", "numbers cut off", FILE, one("[5]", "[0,20]"), "incomplete"),
    ]
}

fn texts() -> Vec<Row> {
    let seen = |what: &str, header: &str, code| refused("K06", what, FILE, safetensors(header, &[0; 8]), code);
    let tensor = r#"{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
    let mut latin = safetensors(&format!(r#"{{"w?":{tensor}}}"#), &[0; 8]);
    latin[11] = 0xe9;
    let deep = format!(r#"{{"w":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    vec![
        seen("one name twice", &format!(r#"{{"w":{tensor},"w":{tensor}}}"#), "duplicate-name"),
        seen("one field twice", r#"{"w":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "malformed"),
        refused("K06", "a name that is not UTF-8", FILE, latin, "malformed"),
        seen("lists nested 100,000 deep", &deep, "malformed"),
        seen("metadata nested 100,000 deep", &deep.replace("\"w\"", &format!("\"w\":{tensor},\"__metadata__\"")), "malformed"),
        seen("a list instead of a map", "[1,2]", "malformed"),
        seen("a field too many", r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"run":"x"}}"#, "malformed"),
        seen("a kind of number that there is not", r#"{"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#, "malformed"),
        refused("K12", "a name with escape codes", FILE, safetensors(&format!(r#"{{"\u001b[2J":{tensor}}}"#), &[0; 8]), "bad-name"),
        refused("K12", "a name written backwards (U+202E)", FILE, safetensors(&format!(r#"{{"\u202ew":{tensor}}}"#), &[0; 8]), "bad-name"),
        refused("K12", "a name without end", FILE, safetensors(&format!(r#"{{"{}":{tensor}}}"#, "w".repeat(513)), &[0; 8]), "bad-name"),
        refused("K12", "no name at all", FILE, safetensors(&format!(r#"{{"":{tensor}}}"#), &[0; 8]), "bad-name"),
    ]
}
