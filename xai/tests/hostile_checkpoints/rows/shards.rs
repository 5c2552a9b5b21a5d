//! Checkpoints in several files whose index lies.

use super::weights::Weights;
use super::{Outcome, Row, refused};

const INDEX: &str = "model.safetensors.index.json";
const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

/// Files by name, and the shard of each tensor.
type Sharded = (Vec<(String, Vec<u8>)>, Vec<(String, String)>);

/// The good model in two files, and what the index says, as pairs.
fn sharded() -> Sharded {
    let tensors = Weights::good().0;
    let half = tensors.len() / 2;
    let part =
        |place: usize| Weights(tensors.iter().skip(place * half).take(if place == 0 { half } else { usize::MAX }).map(pair).collect());
    let files = [0, 1].map(|place| (SHARDS[place].to_owned(), part(place).file()));
    let map = [0, 1].map(|place| part(place).0.into_keys().map(|name| (name, SHARDS[place].to_owned())).collect::<Vec<_>>());
    (files.into(), map.concat())
}

fn pair<A: Clone, B: Clone>((name, value): (&A, &B)) -> (A, B) {
    (name.clone(), value.clone())
}

/// What a row changes: the files, and the pairs of the index.
type Change = fn(&mut Vec<(String, Vec<u8>)>, &mut Vec<(String, String)>);

fn shard(id: &'static str, what: &str, expected: Outcome, change: Change) -> Row {
    let (mut files, mut map) = sharded();
    change(&mut files, &mut map);
    let pairs: Vec<String> = map.iter().map(|(name, file)| format!("{name:?}:{file:?}")).collect();
    let index = format!(r#"{{"metadata":{{"total_size":1}},"weight_map":{{{}}}}}"#, pairs.join(","));
    files.extend([(INDEX.to_owned(), index.into_bytes()), ("config.json".to_owned(), Weights::config())]);
    Row { id, what: what.into(), files, path: ".".into(), sha256: None, expected }
}

pub fn rows() -> Vec<Row> {
    use Outcome::{Loads, Refused};
    let mut rows = vec![
        shard("K07", "a model in two shards", Loads, |_, _| {}),
        shard("K07", "a shard that is missing", Refused("missing-shard"), |files, _| drop(files.pop())),
        shard("K07", "a shard that the index does not name", Refused("unexpected-shard"), |files, _| {
            let more = files[0].1.clone();
            files.push(("model-00003-of-00003.safetensors".into(), more));
        }),
        shard("K07", "a tensor in another shard than the index says", Refused("unexpected-shard"), |_, map| map[0].1 = SHARDS[1].into()),
        shard("K07", "a tensor that the index does not name", Refused("unexpected-shard"), |_, map| drop(map.remove(0))),
        shard("K06", "one tensor named twice in the index", Refused("duplicate-name"), |_, map| map.push(map[0].clone())),
        shard("K12", "a shard outside the folder", Refused("bad-index"), |_, map| map[0].1 = "../../etc/shadow.safetensors".into()),
        shard("K12", "a shard in the root folder", Refused("bad-index"), |_, map| map[0].1 = "/etc/shadow.safetensors".into()),
        shard("K12", "a shard of another kind", Refused("bad-index"), |_, map| map[0].1 = "config.json".into()),
        shard("K02", "a shard that lies about its header", Refused("header-too-long"), |files, _| files[1].1[..8].fill(0xff)),
        shard("K05", "50,000 tensors in the index", Refused("bad-index"), |_, map| {
            *map = (0..50_000).map(|at| (at.to_string(), SHARDS[0].to_owned())).collect();
        }),
    ];
    rows.push(refused("K06", "an index that is no JSON", INDEX, b"{\"weight_map\":".to_vec(), "bad-index"));
    rows.push(refused("K06", "an index nested 100,000 deep", INDEX, "[".repeat(100_000).into_bytes(), "bad-index"));
    rows.push(refused("K02", "an index of 5 MB", INDEX, vec![b' '; 5 << 20], "too-large"));
    rows
}
