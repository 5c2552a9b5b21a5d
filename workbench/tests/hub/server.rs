//! A hub on this machine with a store on another port, as the real one has it; both keep a record of what they were asked.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use workbench::hub::{Hub, Reach, Token};

use crate::answers;
use crate::repository::Repository;

/// A way to be a bad server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The store ends the connection after so many bytes of an answer, so many times.
    Cut { after: usize, times: usize },
    /// The store sends the whole file whatever part is asked for.
    IgnoresRange,
    /// A bit of this file is not what it was.
    Flips(&'static str),
    /// The store has fewer, or more, bytes than the hub said.
    Resizes(isize),
    /// The hub says that large files are larger than they are.
    Claims(u64),
    /// The hub refuses with a status and an `X-Error-Code`.
    Refuses(u16, &'static str),
    /// The hub names no checksum.
    NamesNoChecksum,
    /// The hub redirects to itself.
    Circles,
}

/// One request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub at: Place,
    pub range: Option<String>,
    pub authorization: Option<String>,
    pub status: u16,
}

/// Who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Hub,
    Store,
}

/// What both servers share.
pub struct Shared {
    pub repository: Mutex<Repository>,
    pub faults: Mutex<Vec<Fault>>,
    pub seen: Mutex<Vec<Seen>>,
    /// Address of the store.
    pub store: String,
}

/// A hub that runs until it is dropped.
pub struct LocalHub {
    pub origin: String,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl LocalHub {
    pub fn of(repository: Repository) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let bind = || runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let (hub, store) = (bind(), bind());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("an address"));
        let (origin, store_origin) = (address(&hub), address(&store));
        let (faults, seen) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { repository: Mutex::new(repository), faults, seen, store: store_origin });
        let hub_routes = Router::new()
            .route("/{owner}/{name}/resolve/{revision}/{file}", get(answers::resolve))
            .route("/api/resolve-cache/models/{owner}/{name}/{revision}/{file}", get(answers::small))
            .with_state(shared.clone());
        let store_routes = Router::new().route("/lfs/{file}", get(answers::large)).with_state(shared.clone());
        runtime.spawn(async { axum::serve(hub, hub_routes).await });
        runtime.spawn(async { axum::serve(store, store_routes).await });
        Self { origin, shared, runtime: Some(runtime) }
    }

    /// From now on it behaves so.
    pub fn behave(&self, faults: &[Fault]) -> &Self {
        *lock(&self.shared.faults) = faults.to_vec();
        self
    }

    /// From now on it holds this.
    pub fn hold(&self, repository: Repository) {
        *lock(&self.shared.repository) = repository;
    }

    /// Settings of a program that asks it.
    pub fn settings(&self, cache: &Path) -> Hub {
        Hub { endpoint: self.origin.clone(), cache: cache.to_owned(), token: None, reach: Reach::Online }
    }

    /// The same with a token.
    pub fn settings_with_token(&self, cache: &Path, token: &str) -> Hub {
        Hub { token: Token::new(token).expect("a token"), ..self.settings(cache) }
    }

    /// What was asked since this was last called.
    pub fn asked(&self) -> Vec<Seen> {
        std::mem::take(&mut *lock(&self.shared.seen))
    }

    /// Ends it: from now on nobody listens on its ports.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(std::time::Duration::from_secs(5));
        }
    }
}

impl Drop for LocalHub {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// Whether it misbehaves in a way that `is` knows.
    pub fn fault<T>(&self, is: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        lock(&self.faults).iter().find_map(is)
    }

    /// Takes one of the cuts that are left.
    pub fn cut(&self) -> Option<usize> {
        lock(&self.faults).iter_mut().find_map(|fault| match fault {
            Fault::Cut { after, times } if *times > 0 => {
                *times -= 1;
                Some(*after)
            }
            _ => None,
        })
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
