//! A port, the routes on it, and an end that lets running requests finish.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;

use super::{Hosts, Settings, State, app};

/// A dashboard that has its port and is not yet serving.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    state: State,
}

impl Server {
    /// Takes the port; with port 0 the system chooses one, see [`Server::address`].
    ///
    /// # Errors
    /// When the address cannot be bound, or the worklist cannot be drawn.
    pub async fn bind(settings: Settings, address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("{address} cannot be opened; is it taken? choose another port"))?;
        let state = tokio::task::spawn_blocking(move || State::new(settings)).await??;
        Ok(Self { listener, state })
    }

    /// The address that was bound.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `end` comes, then lets running requests finish.
    ///
    /// # Errors
    /// When the system refuses to go on.
    pub async fn run(self, end: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let hosts = Hosts::of(self.listener.local_addr()?);
        axum::serve(self.listener, app(self.state, hosts)).with_graceful_shutdown(end).await
    }
}

/// Binds, tells `ready` the address, and serves until Ctrl-C.
///
/// # Errors
/// As for [`Server::bind`] and [`Server::run`].
pub async fn serve(settings: Settings, address: SocketAddr, ready: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let server = Server::bind(settings, address).await?;
    ready(server.address()?);
    Ok(server.run(interrupted()).await?)
}

/// Comes with Ctrl-C; never where the system cannot tell.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
