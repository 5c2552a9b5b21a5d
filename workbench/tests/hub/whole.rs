//! Downloads that end well: cold, again, resumed, spread over files, from the cache.

use std::fs;

use hf_hub::{Cache, Repo};
use kernels::Device;
use xai::Vit;

use crate::Row;
use crate::desk::{Desk, transfers};
use crate::repository::{COMMIT, ID, Repository, tag};
use crate::server::{Fault, Place};

const FILES: [&str; 3] = ["config.json", "model.safetensors", "preprocessor_config.json"];
const OTHER: &str = "89abcdef0123456789abcdef0123456789abcdef";

pub const ROWS: [Row; 17] = [
    ("cold", "3 files, checked, laid out for all readers", cold),
    ("again", "1 question, nothing fetched", again),
    ("again, a commit named", "no request", again_by_commit),
    ("cut once", "resumed: bytes=1000-, 206", cut_once),
    ("cut in one run, resumed by the next", "hub-cut, then bytes=5000-, 206", cut_and_resumed_later),
    ("cut, and the server ignores ranges", "whole again: bytes=1000-, 200", cut_without_ranges),
    ("a wrong beginning from an earlier run", "bytes=700-, then anew", a_wrong_beginning),
    ("a beginning that is too long", "anew", a_beginning_too_long),
    ("contents already there under another commit", "nothing fetched", the_branch_moved_back),
    ("the branch moved", "1 file fetched", the_branch_moved),
    ("no preprocessor_config.json", "2 files, the gap remembered", without_preprocessor),
    ("sharded", "index and 2 shards", sharded),
    ("pickled weights only", "pytorch_model.bin", pickled),
    ("offline, server stopped, in the cache", "from the cache, no request", offline_with_cache),
    ("server stopped, in the cache", "from the cache, and it says so", silent_with_cache),
    ("two at once", "1 transfer", two_at_once),
    ("a token", "to the hub 10 times, to the store never", a_token),
];

fn cold() -> String {
    let desk = Desk::of(Repository::whole());
    let snapshot = desk.fetch().unwrap();
    assert_eq!((snapshot.commit.as_str(), desk.names(&format!("snapshots/{COMMIT}"))), (COMMIT, FILES.map(String::from).to_vec()));
    let held = Repository::whole().files;
    for file in FILES {
        assert_eq!(fs::read(snapshot.folder.join(file)).unwrap(), held[file], "{file}");
        let link = fs::read_link(snapshot.folder.join(file)).unwrap();
        assert_eq!(link, std::path::Path::new("../../blobs").join(tag(file, &held[file])), "relative, named after the checksum");
    }
    assert_eq!(fs::read_to_string(desk.shelf().join("refs/main")).unwrap(), COMMIT);
    let elsewhere = Cache::new(desk.cache.path().to_owned()).repo(Repo::model(ID.into()));
    assert!(FILES.iter().all(|file| elsewhere.get(file).is_some()), "hf-hub finds what was fetched");
    let vit = Vit::load(&snapshot.folder, &Device::Cpu).unwrap();
    assert_eq!(vit.source().sha256, tag("model.safetensors", &held["model.safetensors"]));
    format!("{} files, checked, laid out for all readers", desk.names("blobs").len())
}

fn again() -> String {
    let desk = Desk::of(Repository::whole());
    let first = desk.fetch().unwrap();
    desk.hub.asked();
    let second = desk.fetch().unwrap();
    let asked = desk.hub.asked();
    assert_eq!((first.folder, asked.iter().filter(|seen| seen.method == "GET").count()), (second.folder, 0));
    assert!(second.notes[0].contains("from the cache"), "{:?}", second.notes);
    let questions = asked.iter().filter(|seen| seen.path.contains("/resolve/")).count();
    format!("{questions} question, nothing fetched")
}

fn again_by_commit() -> String {
    let desk = Desk::of(Repository::whole());
    let name = format!("{ID}@{COMMIT}");
    desk.fetch_named(&name).unwrap();
    desk.hub.asked();
    desk.fetch_named(&name).unwrap();
    if desk.hub.asked().is_empty() { "no request".into() } else { "requests".into() }
}

/// The second transfer's range and status, after the file was found to be whole.
fn second_transfer(desk: &Desk) -> (String, u16) {
    let snapshot = desk.fetch().unwrap();
    assert_eq!(fs::read(snapshot.folder.join("model.safetensors")).unwrap(), Repository::whole().files["model.safetensors"]);
    let transfers = transfers(&desk.hub.asked());
    assert_eq!((transfers.len(), &transfers[0]), (2, &(None, 200)));
    (transfers[1].0.clone().unwrap_or_default(), transfers[1].1)
}

fn cut_once() -> String {
    let desk = Desk::with(&[Fault::Cut { after: 1000, times: 1 }]);
    let (range, status) = second_transfer(&desk);
    format!("resumed: {range}, {status}")
}

fn cut_and_resumed_later() -> String {
    let desk = Desk::with(&[Fault::Cut { after: 1000, times: 100 }]);
    let failure = desk.fetch().unwrap_err();
    assert!(failure.to_string().contains("run the same command again"), "{failure}");
    assert!(desk.names("blobs").iter().any(|blob| blob.ends_with(".incomplete")));
    assert_eq!(desk.names(&format!("snapshots/{COMMIT}")), ["config.json", "preprocessor_config.json"], "no name before the checks");
    desk.hub.asked();
    desk.hub.behave(&[]);
    desk.fetch().unwrap();
    let (range, status) = transfers(&desk.hub.asked()).remove(0);
    format!("{}, then {}, {status}", failure.code(), range.unwrap_or_default())
}

fn cut_without_ranges() -> String {
    let desk = Desk::with(&[Fault::Cut { after: 1000, times: 1 }, Fault::IgnoresRange]);
    let (range, status) = second_transfer(&desk);
    format!("whole again: {range}, {status}")
}

/// Puts bytes where an earlier run would have left them.
fn leave(desk: &Desk, bytes: &[u8]) {
    let blobs = desk.shelf().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    let name = tag("model.safetensors", &Repository::whole().files["model.safetensors"]);
    fs::write(blobs.join(format!("{name}.incomplete")), bytes).unwrap();
}

fn a_wrong_beginning() -> String {
    let desk = Desk::of(Repository::whole());
    leave(&desk, &[7; 700]);
    desk.fetch().unwrap();
    match &transfers(&desk.hub.asked())[..] {
        [(Some(range), 206), (None, 200)] => format!("{range}, then anew"),
        other => format!("{other:?}"),
    }
}

fn a_beginning_too_long() -> String {
    let desk = Desk::of(Repository::whole());
    leave(&desk, &[7; 1 << 20]);
    desk.fetch().unwrap();
    if transfers(&desk.hub.asked()) == [(None, 200)] { "anew".into() } else { "otherwise".into() }
}

fn the_branch_moved() -> String {
    let desk = Desk::of(Repository::whole());
    desk.fetch().unwrap();
    desk.hub.hold(Repository::whole().with("config.json", b"{ \"other\": true }").at(OTHER));
    let moved = desk.fetch().unwrap();
    assert_eq!((moved.commit.as_str(), fs::read(moved.folder.join("config.json")).unwrap()), (OTHER, b"{ \"other\": true }".to_vec()));
    assert_eq!(fs::read_to_string(desk.shelf().join("refs/main")).unwrap(), OTHER);
    let file = |note: &String| note.contains("1 file fetched");
    assert!(moved.notes.iter().any(file), "{:?}", moved.notes);
    format!("{} file fetched", desk.names("blobs").len() - 3)
}

fn the_branch_moved_back() -> String {
    let desk = Desk::of(Repository::whole());
    desk.fetch().unwrap();
    desk.hub.asked();
    desk.hub.hold(Repository::whole().at(OTHER));
    let moved = desk.fetch().unwrap();
    assert_eq!((moved.commit.as_str(), desk.names(&format!("snapshots/{OTHER}")).len()), (OTHER, 3));
    let fetched = desk.hub.asked().iter().filter(|seen| seen.method == "GET").count();
    if fetched == 0 { "nothing fetched".into() } else { format!("{fetched} fetched") }
}

fn without_preprocessor() -> String {
    let desk = Desk::of(Repository::whole().without("preprocessor_config.json"));
    desk.fetch().unwrap();
    assert_eq!(desk.names(&format!(".no_exist/{COMMIT}")), ["preprocessor_config.json"]);
    let offline = desk.fetch_offline().unwrap();
    assert_eq!(offline.notes.len(), 1, "the cache knows that there is none: {:?}", offline.notes);
    format!("{} files, the gap remembered", desk.names("blobs").len())
}

fn sharded() -> String {
    let desk = Desk::of(Repository::sharded());
    let snapshot = desk.fetch().unwrap();
    let held = Repository::sharded().files;
    assert!(held.iter().all(|(file, bytes)| fs::read(snapshot.folder.join(file)).unwrap() == *bytes));
    assert_eq!(desk.fetch_offline().unwrap().folder, snapshot.folder);
    let shards = desk.names(&format!("snapshots/{COMMIT}")).iter().filter(|name| name.starts_with("model-")).count();
    format!("index and {shards} shards")
}

fn pickled() -> String {
    let desk = Desk::of(Repository::whole().without("model.safetensors").with("pytorch_model.bin", b"not looked into"));
    let snapshot = desk.fetch().unwrap();
    let names = desk.names(&format!("snapshots/{COMMIT}"));
    assert_eq!(fs::read(snapshot.folder.join("pytorch_model.bin")).unwrap(), b"not looked into");
    names.into_iter().filter(|name| !name.ends_with(".json")).collect::<Vec<_>>().join(", ")
}

fn offline_with_cache() -> String {
    let mut desk = Desk::of(Repository::whole());
    let fetched = desk.fetch().unwrap();
    desk.hub.asked();
    desk.hub.stop();
    let cached = desk.fetch_offline().unwrap();
    assert_eq!((cached.folder, cached.commit), (fetched.folder, fetched.commit));
    format!("from the cache, {}", if desk.hub.asked().is_empty() { "no request" } else { "requests" })
}

fn silent_with_cache() -> String {
    let mut desk = Desk::of(Repository::whole());
    desk.fetch().unwrap();
    desk.hub.stop();
    let cached = desk.fetch().unwrap();
    let says = cached.notes.iter().any(|note| note.contains("cannot be reached"));
    format!("from the cache, and it {}", if says { "says so" } else { "does not say so" })
}

fn two_at_once() -> String {
    let desk = Desk::of(Repository::whole());
    let settings = desk.hub.settings(desk.cache.path());
    let name = ID.parse().unwrap();
    std::thread::scope(|scope| {
        let fetching = [(); 2].map(|()| scope.spawn(|| workbench::hub::fetch(&settings, &name).unwrap()));
        let [a, b] = fetching.map(|thread| thread.join().unwrap().folder);
        assert_eq!(a, b);
    });
    format!("{} transfer", transfers(&desk.hub.asked()).len())
}

fn a_token() -> String {
    let desk = Desk::of(Repository::whole());
    let settings = desk.hub.settings_with_token(desk.cache.path(), "hf_secret");
    workbench::hub::fetch(&settings, &ID.parse().unwrap()).unwrap();
    let asked = desk.hub.asked();
    let tokens = |at: Place| asked.iter().filter(|seen| seen.at == at && seen.authorization.as_deref() == Some("Bearer hf_secret")).count();
    let all = asked.iter().filter(|seen| seen.at == Place::Hub).count();
    assert_eq!((tokens(Place::Hub), asked.len() > all), (all, true), "every request to the hub, and some to the store");
    format!("to the hub {all} times, to the store {}", if tokens(Place::Store) == 0 { "never" } else { "as well" })
}
