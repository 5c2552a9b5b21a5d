//! By which names this server may be called.
//!
//! A page of another site can let its own name point to this machine (DNS rebinding); its requests then come from this machine's browser
//! and look like the dashboard's own, but for the name they call. Addresses in numbers and `localhost` cannot be pointed elsewhere.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// The names that a server answers to: the address it is bound to, and `localhost`.
///
/// The port is free, so that a tunnel may lead here from another one.
///
/// ```
/// use workbench::dashboard::Hosts;
/// let hosts = Hosts::of(([127, 0, 0, 1], 7878).into());
/// assert!(hosts.answer_to("127.0.0.1:7878") && hosts.answer_to("localhost"));
/// assert!(!hosts.answer_to("pellucid.example:7878") && !hosts.answer_to("10.0.0.1"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosts {
    bound: IpAddr,
}

impl Hosts {
    /// Names of a server that is bound to `address`; one that is bound to every address answers to each of them in numbers.
    pub fn of(address: SocketAddr) -> Self {
        Self { bound: address.ip() }
    }

    /// Whether `authority`, a host with or without a port, is one of the names.
    pub fn answer_to(&self, authority: &str) -> bool {
        let Ok(authority) = authority.parse::<Authority>() else { return false };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let named = host.eq_ignore_ascii_case("localhost");
        let numbered = host.parse().is_ok_and(|address: IpAddr| address == self.bound || self.bound.is_unspecified());
        !authority.as_str().contains('@') && (named || numbered)
    }
}

/// Refuses a request that calls the server by another name, or by none.
pub async fn refuse_others(hosts: Hosts, request: Request, next: Next) -> Response {
    let of_address = request.uri().authority().map(|authority| authority.as_str().to_owned());
    let of_header = request.headers().get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default().to_owned());
    let called: Vec<String> = of_address.into_iter().chain(of_header).collect();
    if called.is_empty() || !called.iter().all(|name| hosts.answer_to(name)) {
        return Problem::WrongHost.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bound_address_and_localhost_are_names() {
        let here = Hosts::of(([127, 0, 0, 1], 80).into());
        for name in ["127.0.0.1", "127.0.0.1:80", "127.0.0.1:9000", "localhost", "LocalHost:80"] {
            assert!(here.answer_to(name), "{name}");
        }
        let others = [
            "",
            "evil.example",
            "evil.example:80",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "[::1]",
            "a@localhost",
            "localhost@evil",
            "local host",
            "localhost/",
        ];
        for name in others {
            assert!(!here.answer_to(name), "{name}");
        }
        let six = Hosts::of("[::1]:80".parse().unwrap());
        assert!(six.answer_to("[::1]:80") && !six.answer_to("127.0.0.1"));
        let everywhere = Hosts::of(([0, 0, 0, 0], 80).into());
        assert!(everywhere.answer_to("192.168.1.7:80") && everywhere.answer_to("localhost") && !everywhere.answer_to("evil.example"));
    }
}
