//! Requests to the hub, one hop at a time: who may see the token is decided at every hop.

use std::time::Duration;

use ureq::http::header::LOCATION;
use ureq::http::uri::Scheme;
use ureq::http::{HeaderMap, Response, StatusCode, Uri};
use ureq::{Agent, Body, Proxy};

use super::{Failure, Hub, Token};

/// Hops from the hub to where a file lies: a relative one and the store's own in practice.
pub(super) const MOST_HOPS: usize = 5;

const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence within an answer.
const SILENCE: Duration = Duration::from_secs(30);

/// Asks one hub.
pub(super) struct Client {
    agent: Agent,
    endpoint: Uri,
    token: Option<Token>,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Headers alone.
    Facts,
    /// Contents from this byte on.
    Bytes { from: u64 },
}

/// One answer on the way.
pub(super) enum Hop {
    /// The end of the way, whatever its status.
    Answer(Response<Body>),
    /// Another address, with the headers that came along.
    Onward { headers: HeaderMap, to: String },
}

impl Client {
    pub fn new(hub: &Hub) -> Result<Self, Failure> {
        let refuse = || Failure::Endpoint { given: hub.endpoint.escape_debug().to_string() };
        let endpoint: Uri = hub.endpoint.parse().map_err(|_| refuse())?;
        let spoken = matches!(endpoint.scheme_str(), Some("http" | "https"));
        let plain = endpoint.authority().is_some_and(|authority| !authority.as_str().contains('@')) && endpoint.query().is_none();
        if !spoken || !plain {
            return Err(refuse());
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("pellucid/", env!("CARGO_PKG_VERSION")))
            // Sizes and ranges are those of the file, not of something packed.
            .accept_encoding("identity")
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            // A server on this machine is asked directly.
            .proxy(Proxy::try_from_env().filter(|_| !is_this_machine(&endpoint)));
        Ok(Self { agent: config.build().into(), endpoint, token: hub.token.clone() })
    }

    /// Whom messages name.
    pub fn host(&self) -> String {
        origin(&self.endpoint)
    }

    /// Makes one request and reads its headers.
    ///
    /// The token goes to the endpoint's own scheme, host and port, and nowhere else: addresses of stores are signed, and whoever
    /// redirects could name any host.
    pub fn hop(&self, ask: Ask, address: &str) -> Result<Hop, Failure> {
        let silent = |problem: String| Failure::Unreachable { host: without_query(address), problem };
        let uri: Uri = address.parse().map_err(|_| self.no_way("to something that is no address"))?;
        let mut request = if ask == Ask::Facts { self.agent.head(address) } else { self.agent.get(address) };
        if let Ask::Bytes { from: from @ 1.. } = ask {
            request = request.header("range", format!("bytes={from}-"));
        }
        if let Some(token) = self.token.as_ref().filter(|_| origin(&uri) == origin(&self.endpoint)) {
            request = request.header("authorization", format!("Bearer {}", token.secret()));
        }
        let response = request.call().map_err(|error| silent(error.to_string()))?;
        match response.status() {
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let to = self.next(&uri, response.headers())?;
                Ok(Hop::Onward { headers: response.headers().clone(), to })
            }
            _ => Ok(Hop::Answer(response)),
        }
    }

    /// The way to the end of `address`, which must hold contents.
    pub fn contents(&self, address: &str, from: u64) -> Result<Response<Body>, Failure> {
        let mut at = address.to_owned();
        for _ in 0..MOST_HOPS {
            match self.hop(Ask::Bytes { from }, &at)? {
                Hop::Onward { to, .. } => at = to,
                Hop::Answer(response) => return Ok(response),
            }
        }
        Err(self.too_far())
    }

    pub fn too_far(&self) -> Failure {
        self.no_way("from one address to the next without an end")
    }

    /// Where a redirection leads: a path on the same host, or a whole address that is not less protected.
    fn next(&self, from: &Uri, headers: &HeaderMap) -> Result<String, Failure> {
        let to = headers.get(LOCATION).and_then(|value| value.to_str().ok()).ok_or_else(|| self.no_way("to no address at all"))?;
        let whole = if to.starts_with('/') && !to.starts_with("//") { format!("{}{to}", origin(from)) } else { to.to_owned() };
        let uri: Uri = whole.parse().map_err(|_| self.no_way("to something that is no address"))?;
        match uri.scheme_str() {
            Some("https") => Ok(whole),
            Some("http") if from.scheme() != Some(&Scheme::HTTPS) => Ok(whole),
            Some("http") => Err(self.no_way("from a protected to an unprotected address")),
            _ => Err(self.no_way("to something that is no address")),
        }
    }

    fn no_way(&self, problem: &'static str) -> Failure {
        Failure::Redirect { host: self.host(), problem }
    }
}

/// Scheme, host and port, as far as they are not the scheme's own.
fn origin(uri: &Uri) -> String {
    let (scheme, host) = (uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default().to_ascii_lowercase());
    match (scheme, uri.port_u16()) {
        (_, None) | ("https", Some(443)) | ("http", Some(80)) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    }
}

fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An address that can be shown: what signs it stays out of messages.
pub(super) fn without_query(address: &str) -> String {
    address.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Reach;
    use super::*;

    fn client(endpoint: &str) -> Result<Client, Failure> {
        Client::new(&Hub { endpoint: endpoint.into(), cache: "cache".into(), token: None, reach: Reach::Online })
    }

    #[test]
    fn only_addresses_of_a_hub_are_taken() {
        for endpoint in
            ["", "huggingface.co", "ftp://hub", "https://", "https://me:secret@hub", "https://hub?x=1", "http:///x", "https://a b"]
        {
            assert_eq!(client(endpoint).err().map(|failure| failure.code()), Some("hub-endpoint"), "{endpoint}");
        }
        assert!(client("https://hub/mirror/of").is_ok() && client("http://127.0.0.1:9").is_ok());
    }

    #[test]
    fn origins_are_compared_with_their_ports() {
        let of = |text: &str| origin(&text.parse().unwrap());
        assert_eq!(of("https://Hub.example:443/a?b"), "https://hub.example");
        assert_ne!(of("http://127.0.0.1:1/"), of("http://127.0.0.1:2/"));
        assert_ne!(of("http://hub/"), of("https://hub/"));
    }

    #[test]
    fn redirections_lead_nowhere_unprotected() {
        let client = client("https://hub").unwrap();
        let next = |to: &str| {
            let headers = HeaderMap::from_iter([(LOCATION, to.parse().unwrap())]);
            client.next(&"https://hub/a/b".parse().unwrap(), &headers).map_err(|failure| failure.code())
        };
        assert_eq!(next("/c?d=1"), Ok("https://hub/c?d=1".into()));
        assert_eq!(next("https://store/x"), Ok("https://store/x".into()));
        for wrong in ["http://store/x", "//store/x", "file:///etc/passwd", "x", ""] {
            assert_eq!(next(wrong), Err("hub-redirect"), "{wrong}");
        }
    }
}
