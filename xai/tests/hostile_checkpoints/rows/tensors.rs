//! K07 to K10 and K12: files in order whose tensors are not.

use super::weights::{Weights, safetensors};
use super::{Outcome, Row, refused, row};

const FILE: &str = "model.safetensors";
const GAIN: &str = "vit.layernorm.weight";

pub fn rows() -> Vec<Row> {
    [models(), values(), bytes(), texts()].into_iter().flatten().collect()
}

fn models() -> Vec<Row> {
    let seen = |what: &str, change: &dyn Fn(&mut Weights), code| {
        let mut weights = Weights::good();
        change(&mut weights);
        refused("K07", what, FILE, weights.file(), code)
    };
    let integers = String::from_utf8_lossy(&Weights::good().file()[8..]).replacen("F32", "I32", 1).find("I32").expect("a first tensor");
    let mut wrong_kind = Weights::good().file();
    wrong_kind[8 + integers] = b'I';
    let mut thousand = Weights::good();
    let width = thousand.0["classifier.weight"].0[1];
    thousand.0.insert("classifier.weight".into(), (vec![1000, width], vec![0.01; 1000 * width]));
    thousand.0.insert("classifier.bias".into(), (vec![1000], vec![0.0; 1000]));
    vec![
        seen("a tensor that is missing", &|all| drop(all.0.remove(GAIN)), "no-model"),
        seen("a tensor too many", &|all| drop(all.0.insert("vit.extra".into(), (vec![1], vec![0.0]))), "no-model"),
        seen(
            "a tensor of another shape",
            &|all| all.0.get_mut("vit.encoder.layer.0.intermediate.dense.weight").unwrap().0.reverse(),
            "no-model",
        ),
        refused("K07", "whole numbers for weights", FILE, wrong_kind, "unsupported-tensor"),
        row("K07", "a head of 1,000 classes where 7 are named: loads, numbered and said", FILE, thousand.file(), Outcome::Loads),
        refused(
            "K07",
            "no known layout",
            FILE,
            safetensors(r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, &[0; 8]),
            "no-model",
        ),
    ]
}

fn values() -> Vec<Row> {
    let seen = |what: &str, value: f32, code| refused("K08", what, FILE, Weights::good().with(GAIN, |gain| gain[3] = value).file(), code);
    let flood = Weights::good().with("layer.0.intermediate.dense.weight", |all| all.fill(1e-40));
    vec![
        seen("NaN", f32::NAN, "not-finite"),
        seen("infinity", f32::NEG_INFINITY, "not-finite"),
        seen("a weight of 1e30", 1e30, "out-of-range"),
        refused("K08", "a flood of subnormal numbers", FILE, flood.file(), "out-of-range"),
    ]
}

fn bytes() -> Vec<Row> {
    let good = Weights::good().file();
    let expected = xai::sha256(&good);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let with_hash = |row: Row| Row { sha256: Some(expected.clone()), ..row };
    let permuted = Weights::good().with("classifier.weight", |rows| rows.reverse()).file();
    vec![
        refused("K09", "the last byte cut off", FILE, good[..good.len() - 1].into(), "incomplete"),
        with_hash(refused("K09", "a flipped bit, with the hash that is expected", FILE, flipped, "hash-mismatch")),
        with_hash(row("K09", "the file itself, with the hash that is expected", FILE, good, Outcome::Loads)),
        with_hash(refused("K10", "classes in another order, with the hash that is expected", FILE, permuted.clone(), "hash-mismatch")),
        row("K10", "classes in another order, and no hash: loads, no file can show it", FILE, permuted, Outcome::Loads),
    ]
}

fn texts() -> Vec<Row> {
    let good = Weights::good();
    let script = "<script>alert(1)</script>";
    let header = String::from_utf8_lossy(&good.file()[8..]).split("}}").next().unwrap_or_default().to_owned() + "}";
    let told = safetensors(&format!(r#"{header},"__metadata__":{{"note":"{script}\u001b[2J"}}}}"#), &good.numbers());
    let mut named = good.clone();
    named.0.insert(script.into(), (vec![1], vec![0.0]));
    vec![
        row("K12", "metadata with a script: never shown", FILE, told, Outcome::Loads),
        refused("K12", "a tensor named as a script: shown as text only", FILE, named.file(), "no-model"),
        row("K12", "a file named as a script: shown as text only", "<img src=x onerror=alert(1)>.safetensors", good.file(), Outcome::Loads),
    ]
}
