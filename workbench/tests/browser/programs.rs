//! Where Chromium and its driver are.

use std::path::{Path, PathBuf};

/// The programs a test needs.
pub struct Programs {
    pub chromedriver: PathBuf,
    pub chromium: PathBuf,
}

impl Programs {
    /// From the environment, the system, or the project's own `.tools`.
    ///
    /// `None`, said loudly, only where `PELLUCID_SKIP_BROWSER=1` allows it; otherwise a missing browser fails the test.
    pub fn find() -> Option<Self> {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/chromium");
        let find = |variable: &str, name: &str| {
            let named = std::env::var_os(variable).map(PathBuf::from);
            let known = ["/usr/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(name));
            named.into_iter().chain(known).chain([tools.join(name)]).find(|path| path.is_file())
        };
        let found = find("PELLUCID_CHROMEDRIVER", "chromedriver").zip(find("PELLUCID_CHROMIUM", "chromium"));
        match found {
            Some((chromedriver, chromium)) => Some(Self { chromedriver, chromium }),
            None if std::env::var_os("PELLUCID_SKIP_BROWSER").is_some_and(|value| value == "1") => {
                eprintln!("SKIPPED: no chromium and chromedriver here, and PELLUCID_SKIP_BROWSER=1");
                None
            }
            None => panic!(
                "no chromium and chromedriver: run ./test, which installs them, or name them in PELLUCID_CHROMIUM and PELLUCID_CHROMEDRIVER"
            ),
        }
    }
}
