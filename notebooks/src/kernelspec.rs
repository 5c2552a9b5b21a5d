//! Makes Jupyter know the kernel, and forget it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::engine::EngineKind;
use crate::error::{Error, Result};

/// What the kernel is called where several are listed.
pub const DISPLAY_NAME: &str = "Rust (Pellucid)";
/// The folder of its kernelspec, unless another is named.
pub const NAME: &str = "pellucid";
/// What a launcher shows; the dashboard's icon.
const LOGO: &str = include_str!("../../workbench/assets/icon.svg");

/// For whom it is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// For this user, whatever Jupyter is used.
    User,
    /// For the active virtual or conda environment.
    Environment,
    /// Under a folder that Jupyter looks into.
    Prefix(PathBuf),
}

impl Place {
    /// The folder in which Jupyter looks for kernels.
    ///
    /// # Errors
    /// When no environment is active, or there is no home.
    pub fn kernels(&self) -> Result<PathBuf> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let missing = |what: &str, remedy: &str| Error::Toolchain { what: what.into(), remedy: remedy.into() };
        match self {
            Self::Prefix(prefix) => Ok(prefix.join("share/jupyter/kernels")),
            Self::Environment => {
                let prefix = variable("VIRTUAL_ENV").or_else(|| variable("CONDA_PREFIX"));
                let prefix = prefix
                    .ok_or_else(|| missing("no Python environment is active", "activate it, or name its folder: --prefix path/to/venv"))?;
                Ok(prefix.join("share/jupyter/kernels"))
            }
            Self::User => {
                if let Some(folder) = variable("JUPYTER_DATA_DIR") {
                    return Ok(folder.join("kernels"));
                }
                let home = variable("HOME").ok_or_else(|| missing("HOME is not set", "say where to install: --prefix path/to/folder"))?;
                let data = if cfg!(target_os = "macos") {
                    home.join("Library")
                } else {
                    variable("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"))
                };
                Ok(data.join(if cfg!(target_os = "macos") { "Jupyter/kernels" } else { "jupyter/kernels" }))
            }
        }
    }
}

/// Writes the kernelspec and says where it is.
///
/// # Errors
/// When the name is none that Jupyter takes, or the folder cannot be written.
pub fn install(place: &Place, name: &str, engine: EngineKind, program: &Path) -> Result<PathBuf> {
    let folder = folder(place, name)?;
    std::fs::create_dir_all(&folder).map_err(Error::file("cannot make", &folder))?;
    let text = serde_json::to_string_pretty(&kernelspec(name, engine, program)).unwrap_or_default();
    let logo = folder.join("logo-svg.svg");
    std::fs::write(&logo, LOGO).map_err(Error::file("cannot write", &logo))?;
    // Jupyter never meets half of it.
    let (path, beside) = (folder.join("kernel.json"), folder.join(".kernel.json.new"));
    std::fs::write(&beside, text + "\n").map_err(Error::file("cannot write", &beside))?;
    std::fs::rename(&beside, &path).map_err(Error::file("cannot write", &path))?;
    Ok(folder)
}

/// Removes the kernelspec; nothing comes back where none was there.
///
/// # Errors
/// When another kernel has this name, or the folder cannot be removed.
pub fn uninstall(place: &Place, name: &str) -> Result<Option<PathBuf>> {
    let folder = folder(place, name)?;
    let path = folder.join("kernel.json");
    let Ok(text) = std::fs::read(&path) else { return Ok(None) };
    let ours = serde_json::from_slice(&text).is_ok_and(|spec: Value| spec["metadata"]["pellucid"].is_object());
    if !ours {
        return Err(Error::Toolchain {
            what: format!("{} is another program's kernel", path.display()),
            remedy: "name ours: --name".into(),
        });
    }
    std::fs::remove_dir_all(&folder).map_err(Error::file("cannot remove", &folder))?;
    Ok(Some(folder))
}

fn folder(place: &Place, name: &str) -> Result<PathBuf> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) {
        return Err(Error::Toolchain {
            what: format!("{name:?} is no name for a kernel"),
            remedy: "letters, digits, `-`, `_` and `.` are taken".into(),
        });
    }
    Ok(place.kernels()?.join(name.to_ascii_lowercase()))
}

fn kernelspec(name: &str, engine: EngineKind, program: &Path) -> Value {
    let display = if name == NAME { DISPLAY_NAME.to_owned() } else { format!("{DISPLAY_NAME}, {name}") };
    json!({
        "argv": [program, "kernel", "-f", "{connection_file}", "--engine", engine.name()],
        "display_name": display,
        "language": "rust",
        "interrupt_mode": "message",
        "metadata": { "pellucid": { "engine": engine.name(), "version": env!("CARGO_PKG_VERSION") } },
    })
}
