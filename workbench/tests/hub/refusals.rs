//! Downloads that are refused: a stable code, a sentence with the remedy, and nothing that could pass for the file.

use std::fs;

use serde_json::json;
use workbench::hub::{Failure, Hub, expect_named_bytes};

use crate::Row;
use crate::desk::{Desk, transfers};
use crate::repository::{COMMIT, ID, Repository, tag};
use crate::server::Fault;

pub const ROWS: [Row; 24] = [
    ("a bit of the weights flipped", "hub-damaged", || Desk::with(&[Fault::Flips("model.safetensors")]).refused()),
    ("a bit of config.json flipped", "hub-damaged", || Desk::with(&[Fault::Flips("config.json")]).refused()),
    ("fewer bytes than the hub said", "hub-wrong-size", || Desk::with(&[Fault::Resizes(-100)]).refused()),
    ("more bytes than the hub said", "hub-wrong-size", || Desk::with(&[Fault::Resizes(100)]).refused()),
    ("flipped in the cache afterwards", "hub-spoilt", spoilt),
    ("no checksum", "hub-unverifiable", || Desk::with(&[Fault::NamesNoChecksum]).refused()),
    ("17 GiB announced", "hub-too-large, no transfer", too_large),
    ("offline, not in the cache", "hub-not-cached", offline_without_cache),
    ("offline, half in the cache", "hub-not-cached", offline_with_half_a_cache),
    ("server stopped, not in the cache", "hub-unreachable", silent_without_cache),
    ("no such repository", "hub-no-repository", || code(Desk::of(Repository::whole()).fetch_named("pellucid/none"))),
    ("no such repository, as an anonymous reader is told", "hub-no-repository", || {
        Desk::with(&[Fault::Refuses(401, "RepoNotFound")]).refused()
    }),
    ("no such revision", "hub-no-revision", || code(Desk::of(Repository::whole()).fetch_named("pellucid/tiny@nowhere"))),
    ("gated, no token", "hub-gated", || Desk::with(&[Fault::Refuses(401, "GatedRepo")]).refused()),
    ("gated, terms not accepted", "hub-gated", || Desk::with(&[Fault::Refuses(403, "GatedRepo")]).refused()),
    ("server error", "hub-busy", || Desk::with(&[Fault::Refuses(503, "")]).refused()),
    ("redirected in a circle", "hub-redirect", || Desk::with(&[Fault::Circles]).refused()),
    ("no weights", "hub-no-weights", || Desk::of(Repository::whole().without("model.safetensors")).refused()),
    ("a shard is missing", "hub-index", || code(Desk::of(Repository::sharded().without("model-00002-of-00002.safetensors")).fetch())),
    ("an index that leaves the repository", "hub-index, not asked for", a_hostile_index),
    ("an index that is none", "hub-index", || Desk::of(Repository::sharded().with_index(&json!([1, 2]))).refused()),
    ("the disk is full", "hub-disk, with the remedy", disk_full),
    ("names that are none", "hub-name, no request", bad_names),
    ("an endpoint that is none", "hub-endpoint", bad_endpoint),
];

fn code<T>(done: Result<T, Failure>) -> String {
    done.err().map_or_else(|| "taken".into(), |failure| failure.code().into())
}

fn spoilt() -> String {
    let desk = Desk::of(Repository::whole());
    let folder = desk.fetch().unwrap().folder;
    let weights = folder.join("model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    assert_eq!(expect_named_bytes(&folder, &xai::sha256(&bytes)), Ok(()));
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&weights, &bytes).unwrap();
    code(expect_named_bytes(&folder, &xai::sha256(&bytes)))
}

fn too_large() -> String {
    let desk = Desk::with(&[Fault::Claims(17 << 30)]);
    let code = desk.refused();
    assert!(transfers(&desk.hub.asked()).is_empty());
    format!("{code}, no transfer")
}

fn offline_without_cache() -> String {
    let desk = Desk::of(Repository::whole());
    let failure = desk.fetch_offline().unwrap_err();
    assert!(desk.hub.asked().is_empty() && failure.to_string().contains("HF_HUB_OFFLINE"), "{failure}");
    failure.code().into()
}

fn offline_with_half_a_cache() -> String {
    let desk = Desk::with(&[Fault::Flips("model.safetensors")]);
    desk.fetch().unwrap_err();
    assert_eq!(desk.names(&format!("snapshots/{COMMIT}")).len(), 2, "two of three files are there");
    code(desk.fetch_offline())
}

fn silent_without_cache() -> String {
    let mut desk = Desk::of(Repository::whole());
    desk.hub.stop();
    let failure = desk.fetch().unwrap_err();
    assert!(failure.to_string().contains("check the network"), "{failure}");
    failure.code().into()
}

fn a_hostile_index() -> String {
    let index =
        json!({ "weight_map": { "a": "../../../etc/passwd.safetensors", "b": "/etc/shadow.safetensors", "c": "x/../y.safetensors" } });
    let desk = Desk::of(Repository::sharded().with_index(&index));
    let code = desk.refused();
    assert!(desk.hub.asked().iter().all(|seen| !seen.path.contains("passwd") && !seen.path.contains("..")));
    format!("{code}, not asked for")
}

/// `/dev/full` takes no byte: a link to it stands where the bytes would be gathered.
fn disk_full() -> String {
    let desk = Desk::of(Repository::whole());
    let blobs = desk.shelf().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    let name = tag("model.safetensors", &Repository::whole().files["model.safetensors"]);
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped here: there is no /dev/full");
        return "hub-disk, with the remedy".into();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/dev/full", blobs.join(format!("{name}.incomplete"))).unwrap();
    let failure = desk.fetch().unwrap_err();
    let text = failure.to_string();
    assert!(text.contains("make room") && text.contains("HF_HUB_CACHE"), "{text}");
    format!("{}, with the remedy", failure.code())
}

fn bad_names() -> String {
    let desk = Desk::of(Repository::whole());
    for name in
        ["", "tiny", "../tiny", "pellucid/..", "pellucid/tiny@../x", "a/b/c", "pellucid/ti ny", "pellucid/tiny?x", "pellucid/tiny%2e"]
    {
        assert_eq!(code(desk.fetch_named(name)), "hub-name", "{name}");
    }
    assert!(desk.names("").is_empty(), "nothing is made for them");
    format!("hub-name, {}", if desk.hub.asked().is_empty() { "no request" } else { "requests" })
}

fn bad_endpoint() -> String {
    let desk = Desk::of(Repository::whole());
    let settings = Hub { endpoint: "ftp://hub".into(), ..desk.hub.settings(desk.cache.path()) };
    code(workbench::hub::fetch(&settings, &ID.parse().unwrap()))
}
