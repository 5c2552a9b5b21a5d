//! Which package uses which, as cargo resolved it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::error::{Error, Result};

/// Cargo's answer for the machine that builds.
pub struct Resolved(Value);

/// A package of the checkout itself.
pub struct Member {
    /// Cargo's identity.
    pub id: String,
    /// The name by which it is used.
    pub name: String,
    /// Its `lib.rs`.
    pub source: PathBuf,
    /// Its features that are on.
    pub features: Vec<String>,
}

impl Resolved {
    /// Asks cargo about the workspace in a folder.
    pub fn of(cargo: &Path, host: &str, folder: &Path) -> Result<Self> {
        let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform", host];
        let failed = |messages: String| Error::Build {
            package: folder.display().to_string(),
            command: format!("cargo {}", arguments.join(" ")),
            messages,
        };
        let answer = Command::new(cargo).args(arguments).current_dir(folder).output().map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&answer.stdout).map(Self).map_err(|_| failed(String::from_utf8_lossy(&answer.stderr).into_owned()))
    }

    /// The identity of a package; empty where there is none of this name.
    pub fn id(&self, package: &str) -> String {
        let found = all(&self.0["packages"]).iter().find(|known| known["name"] == *package);
        found.and_then(|known| known["id"].as_str()).unwrap_or_default().to_owned()
    }

    /// The names under which a package knows its dependencies, with their identities.
    pub fn dependencies(&self, id: &str) -> Vec<(String, String)> {
        let normal = |dependency: &&Value| all(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        let named = |dependency: &Value| Some((dependency["name"].as_str()?.to_owned(), dependency["pkg"].as_str()?.to_owned()));
        self.node(id).map(|node| all(&node["deps"]).iter().filter(normal).filter_map(named).collect()).unwrap_or_default()
    }

    /// The libraries of the checkout.
    pub fn members(&self) -> Vec<Member> {
        all(&self.0["packages"]).iter().filter(|package| package["source"].is_null()).filter_map(|package| self.member(package)).collect()
    }

    fn member(&self, package: &Value) -> Option<Member> {
        let kinds = |target: &Value| all(&target["kind"]).iter().any(|kind| kind == "lib" || kind == "rlib");
        let library = all(&package["targets"]).iter().find(|target| kinds(target))?;
        let id = package["id"].as_str()?.to_owned();
        let features = all(&self.node(&id)?["features"]).iter().filter_map(|feature| feature.as_str().map(str::to_owned)).collect();
        Some(Member { id, name: library["name"].as_str()?.replace('-', "_"), source: library["src_path"].as_str()?.into(), features })
    }

    fn node(&self, id: &str) -> Option<&Value> {
        all(&self.0["resolve"]["nodes"]).iter().find(|node| node["id"] == *id)
    }
}

fn all(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
