//! The program itself with `--model hf:…`: what it says, and what it never says.

use crate::Row;
use crate::repository::{COMMIT, Repository};
use crate::run::{Answer, Dir, Pellucid, setup};
use crate::server::{Fault, LocalHub};

const TOKEN: &str = "hf_never_to_be_shown";

pub const ROWS: [Row; 6] = [
    ("pellucid trace, cold", "status 0, 3 files fetched", cold),
    ("pellucid trace, cut and run again", "status 1 hub says how far, then status 0", resumed),
    ("pellucid trace, corrupted", "status 1, nothing left", corrupted),
    ("pellucid trace, offline with cache", "status 0, no request", offline),
    ("pellucid trace, offline without cache", "status 1, remedy named", offline_without_cache),
    ("pellucid trace, a bad name", "status 1, no request", bad_name),
];

/// The program about to ask this hub, with its cache in the test's folder and a token that nobody may see.
fn asking(dir: &Dir, hub: &LocalHub) -> Pellucid {
    let cache = dir.path("cache").display().to_string();
    let variables = [("HF_ENDPOINT", hub.origin.as_str()), ("HF_HUB_CACHE", &cache), ("HF_TOKEN", TOKEN)];
    let pellucid = variables.iter().fold(dir.pellucid(), |pellucid, (name, value)| pellucid.env(name, value));
    pellucid.env("HF_HUB_OFFLINE", "0").line("trace --model hf:pellucid/tiny")
}

fn no_secret(answer: &Answer) -> &Answer {
    for secret in [TOKEN, "only-for-you"] {
        assert!(
            !answer.stdout.contains(secret) && !answer.stderr.contains(secret),
            "{secret} is shown:\n{}\n{}",
            answer.stdout,
            answer.stderr
        );
    }
    answer
}

fn cold() -> String {
    let (dir, _) = setup("hub_cold");
    let hub = LocalHub::of(Repository::whole());
    let answer = asking(&dir, &hub).succeeds();
    no_secret(&answer).says(&["parameters: 3,167"]).warns(&["hf:pellucid/tiny: commit", COMMIT, "3 files fetched from http://127.0.0.1"]);
    assert_eq!(answer.stderr.lines().count(), 2, "no bar where there is no terminal: {}", answer.stderr);
    "status 0, 3 files fetched".into()
}

fn resumed() -> String {
    let (dir, _) = setup("hub_resumed");
    let hub = LocalHub::of(Repository::whole());
    hub.behave(&[Fault::Cut { after: 1000, times: 5 }]);
    no_secret(&asking(&dir, &hub).fails()).warns(&["model.safetensors was cut after 5000 of", "run the same command again"]);
    hub.asked();
    asking(&dir, &hub).succeeds().says(&["parameters: 3,167"]);
    assert!(hub.asked().iter().any(|seen| seen.range.as_deref() == Some("bytes=5000-") && seen.status == 206));
    "status 1 hub says how far, then status 0".into()
}

fn corrupted() -> String {
    let (dir, _) = setup("hub_corrupted");
    let hub = LocalHub::of(Repository::whole());
    hub.behave(&[Fault::Flips("model.safetensors")]);
    no_secret(&asking(&dir, &hub).fails()).warns(&["model.safetensors is damaged", "SHA-256", "thrown away"]);
    let blobs = dir.names("cache/models--pellucid--tiny/blobs");
    let left = blobs.iter().filter(|blob| blob.len() != 40).count();
    format!("status 1, {}", if left == 0 { "nothing left" } else { "something left" })
}

fn offline() -> String {
    let (dir, _) = setup("hub_offline");
    let mut hub = LocalHub::of(Repository::whole());
    asking(&dir, &hub).succeeds();
    hub.asked();
    hub.stop();
    asking(&dir, &hub).env("HF_HUB_OFFLINE", "1").succeeds().warns(&["from the cache"]).says(&["parameters: 3,167"]);
    format!("status 0, {}", if hub.asked().is_empty() { "no request" } else { "requests" })
}

fn offline_without_cache() -> String {
    let (dir, _) = setup("hub_offline_empty");
    let hub = LocalHub::of(Repository::whole());
    no_secret(&asking(&dir, &hub).env("HF_HUB_OFFLINE", "1").fails()).warns(&["pellucid/tiny is not", "HF_HUB_OFFLINE", "unset it"]);
    assert!(hub.asked().is_empty());
    "status 1, remedy named".into()
}

fn bad_name() -> String {
    let (dir, pellucid) = setup("hub_bad_name");
    let hub = LocalHub::of(Repository::whole());
    pellucid
        .env("HF_ENDPOINT", &hub.origin)
        .args(["trace", "--model", "hf:../../etc/passwd"])
        .fails()
        .warns(&["names no repository", "hf:owner/name"]);
    assert!(!dir.exists("cache"));
    format!("status 1, {}", if hub.asked().is_empty() { "no request" } else { "requests" })
}
