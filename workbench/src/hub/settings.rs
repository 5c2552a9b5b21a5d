//! Where the hub is, where its files are kept, and who asks.

use std::fmt;
use std::path::PathBuf;

use super::Failure;

/// The public hub.
const ENDPOINT: &str = "https://huggingface.co";

/// A hub with its cache on this machine.
#[derive(Debug, Clone)]
pub struct Hub {
    /// Address of the hub or of a mirror, `http://` or `https://`.
    pub endpoint: String,
    /// Folder of the cache, shared with Python's `huggingface_hub`.
    pub cache: PathBuf,
    /// Who asks; sent to the endpoint only.
    pub token: Option<Token>,
    /// Whether anything is asked at all.
    pub reach: Reach,
}

/// Whether requests are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The hub is asked; its cache answers where the hub cannot be reached.
    Online,
    /// No request is made: the cache answers.
    Offline,
}

/// An access token; it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token as it stands in a variable or a file.
    ///
    /// # Errors
    /// [`Failure::Token`] where it holds characters that no token has; an empty one is none.
    pub fn new(text: &str) -> Result<Option<Self>, Failure> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Token);
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(not shown)")
    }
}

impl Hub {
    /// As the environment says, in the words of Python's `huggingface_hub`: `HF_ENDPOINT`, `HF_HUB_CACHE`, `HF_HOME`, `HF_TOKEN`,
    /// `HF_TOKEN_PATH` and `HF_HUB_OFFLINE`.
    ///
    /// # Errors
    /// [`Failure::Token`], and [`Failure::NoHome`] where no folder can be found for the cache.
    pub fn from_env() -> Result<Self, Failure> {
        Self::from(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()), std::env::home_dir())
    }

    fn from(variable: impl Fn(&str) -> Option<String>, user: Option<PathBuf>) -> Result<Self, Failure> {
        let folder = |name: &str| variable(name).map(|value| from_user(&value, user.as_ref()));
        let caches = folder("XDG_CACHE_HOME").or_else(|| user.as_ref().map(|user| user.join(".cache")));
        let home = folder("HF_HOME").or_else(|| caches.map(|caches| caches.join("huggingface")));
        let cache = folder("HF_HUB_CACHE").or_else(|| home.as_ref().map(|home| home.join("hub"))).ok_or(Failure::NoHome)?;
        let token_file = folder("HF_TOKEN_PATH").or_else(|| home.map(|home| home.join("token")));
        let token = variable("HF_TOKEN").or_else(|| std::fs::read_to_string(token_file?).ok());
        let offline = variable("HF_HUB_OFFLINE").is_some_and(|value| ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str()));
        Ok(Self {
            endpoint: variable("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.into()).trim().trim_end_matches('/').to_owned(),
            cache,
            token: token.map_or(Ok(None), |token| Token::new(&token))?,
            reach: if offline { Reach::Offline } else { Reach::Online },
        })
    }
}

/// A path in which `~/` stands for the user's folder.
fn from_user(value: &str, user: Option<&PathBuf>) -> PathBuf {
    match (value.strip_prefix("~/"), user) {
        (Some(rest), Some(user)) => user.join(rest),
        _ => value.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(variables: &[(&str, &str)]) -> Hub {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Hub::from(variable, Some("user".into())).unwrap()
    }

    #[test]
    fn the_environment_is_read_as_python_reads_it() {
        let plain = hub(&[]);
        assert_eq!((plain.endpoint.as_str(), plain.cache), ("https://huggingface.co", "user/.cache/huggingface/hub".into()));
        assert_eq!((plain.token, plain.reach), (None, Reach::Online));
        assert_eq!(hub(&[("HF_HOME", "h")]).cache, PathBuf::from("h/hub"));
        assert_eq!(hub(&[("HF_HOME", "h"), ("HF_HUB_CACHE", "~/c")]).cache, PathBuf::from("user/c"));
        assert_eq!(hub(&[("XDG_CACHE_HOME", "x")]).cache, PathBuf::from("x/huggingface/hub"));
        assert_eq!(hub(&[("HF_ENDPOINT", "http://mirror/hf/")]).endpoint, "http://mirror/hf");
        for (value, reach) in [("1", Reach::Offline), ("true", Reach::Offline), ("0", Reach::Online), ("no", Reach::Online)] {
            assert_eq!(hub(&[("HF_HUB_OFFLINE", value)]).reach, reach, "{value}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let hub = hub(&[("HF_TOKEN", " hf_secret\n")]);
        assert_eq!(hub.token.as_ref().map(Token::secret), Some("hf_secret"));
        assert!(!format!("{hub:?}").contains("hf_secret"), "{hub:?}");
        assert_eq!(Token::new("a\r\nHost: x").unwrap_err().code(), "hub-token");
    }
}
