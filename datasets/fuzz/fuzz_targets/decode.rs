#![no_main]
#![allow(dead_code, unused_imports, reason = "the decoder is compiled without the crate that it is part of")]

#[path = "../../src/decode/mod.rs"]
mod decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decode::fuzz::decode(bytes));
