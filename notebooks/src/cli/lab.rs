//! No command: JupyterLab.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use crate::kernelspec::{self, NAME, Place};

/// JupyterLab asks two hosts for news and for versions of itself; who reads patients' pictures did not ask it to.
const AT_HOME: [&str; 2] = ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.news_url=None"];

/// Starts JupyterLab in this folder, in place of this program, or says how to get it.
pub fn run() -> anyhow::Result<ExitCode> {
    let mut asked = Command::new("jupyter");
    let found = asked.args(["lab", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        eprintln!("JupyterLab is not here. It comes from the Python package index:\n");
        eprintln!("  python3 -m venv jupyter && . jupyter/bin/activate\n  python3 -m pip install jupyterlab\n");
        eprintln!("Then again: pellucid notebook. Without Jupyter: pellucid notebook run X.ipynb --out Y.ipynb");
        return Ok(ExitCode::FAILURE);
    }
    if !known_to_jupyter() {
        let program = std::env::current_exe()?;
        let folder = kernelspec::install(&Place::User, NAME, Default::default(), &program)?;
        eprintln!("Jupyter did not know the kernel yet: {}", folder.display());
    }
    // Only an error comes back.
    Err(Command::new("jupyter").arg("lab").args(AT_HOME).exec().into())
}

fn known_to_jupyter() -> bool {
    let listed = Command::new("jupyter").args(["kernelspec", "list", "--json"]).stderr(Stdio::null()).output();
    let listed = listed.ok().and_then(|listed| serde_json::from_slice::<serde_json::Value>(&listed.stdout).ok());
    listed.is_some_and(|listed| listed["kernelspecs"][NAME].is_object())
}
