//! The first lesson as a researcher meets it: `pellucid notebook` starts JupyterLab, a browser opens the lesson and runs it.

#[path = "../../workbench/tests/browser/base64.rs"]
mod base64;
#[path = "../../workbench/tests/browser/programs.rs"]
mod programs;
#[allow(dead_code, reason = "the dashboard's tests ask more of a browser than these")]
#[path = "../../workbench/tests/browser/webdriver.rs"]
mod webdriver;
mod workbench;

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use programs::Programs;
use serde_json::json;
use tempfile::TempDir;
use webdriver::{Browser, Scripts};

const LESSON: &str = "01_first_heat_map.ipynb";
const PAGE: (u32, u32) = (1400, 4200);
/// Two loaded cores may have to build the library first.
const PATIENCE: Duration = Duration::from_secs(120);

/// JupyterLab of its own, with nothing of the user's settings; ended when dropped.
struct Lab {
    server: Child,
    port: u16,
    /// Removed behind the server.
    _folder: TempDir,
}

impl Lab {
    fn start(jupyter: &Path) -> Self {
        let folder = TempDir::new().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let at = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).expect("a folder");
            path
        };
        let (lessons, config, data) = (at("lessons"), at("config"), at("data"));
        std::fs::copy(workbench::source().join("notebooks").join(LESSON), lessons.join(LESSON)).expect("the lesson");
        let server =
            json!({ "ip": "127.0.0.1", "port": port, "port_retries": 0, "open_browser": false, "allow_root": true, "root_dir": lessons });
        let settings = json!({ "ServerApp": server, "IdentityProvider": { "token": "open" }, "LabApp": { "expose_app_in_browser": true } });
        std::fs::write(config.join("jupyter_server_config.json"), settings.to_string()).expect("settings");
        let path = std::env::join_paths([jupyter.join("bin")].into_iter().chain(path())).expect("a path");
        let mut program = workbench::program();
        program.env("PATH", path).env("JUPYTER_CONFIG_DIR", config).env("JUPYTER_DATA_DIR", data).env_remove("JUPYTER_PATH");
        program.env("JUPYTER_RUNTIME_DIR", at("runtime")).env("IPYTHONDIR", at("ipython")).env("JUPYTER_PREFER_ENV_PATH", "0");
        program.env("JUPYTERLAB_SETTINGS_DIR", at("settings")).env("JUPYTERLAB_WORKSPACES_DIR", at("workspaces"));
        let server = program.stdout(Stdio::null()).stderr(Stdio::null()).current_dir(&lessons).spawn().expect("it starts");
        Self { server, port, _folder: folder }
    }

    fn origin(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn wait(&mut self) {
        let started = Instant::now();
        while TcpStream::connect(self.origin()).is_err() {
            assert!(self.server.try_wait().expect("a child").is_none(), "JupyterLab ended");
            assert!(started.elapsed() < PATIENCE, "JupyterLab does not answer at {}", self.origin());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Jupyter ends its kernels when it is asked to end.
        let id = i32::try_from(self.server.id()).expect("a process");
        // SAFETY: a signal to the process that this value started and has not yet waited for.
        unsafe { libc::kill(id, libc::SIGTERM) };
        let _ = self.server.wait();
    }
}

fn path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

fn until(browser: &Browser, expression: &str) {
    let started = Instant::now();
    while browser.run(&format!("return Boolean({expression})")) != true {
        assert!(started.elapsed() < PATIENCE, "never came: {expression}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

const CELLS: &str = "[...window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells].filter(cell => cell.cell_type === 'code')";

#[test]
fn the_first_lesson_runs_in_jupyterlab_and_asks_no_other_host() {
    let Some(jupyter) = std::env::var_os("PELLUCID_JUPYTER").map(PathBuf::from) else {
        eprintln!("SKIPPED: PELLUCID_JUPYTER names no environment with Jupyter; ./test provides one (notebooks/tests/tools/jupyter.sh)");
        return;
    };
    let Some(programs) = Programs::find() else { return };
    let mut lab = Lab::start(&jupyter);
    lab.wait();
    let browser = Browser::start(&programs, PAGE, Scripts::On);
    browser.go(&format!("http://{}/lab/tree/{LESSON}?token=open", lab.origin()));
    let widget = "window.jupyterapp?.shell.currentWidget";
    until(
        &browser,
        &format!("{widget}?.sessionContext?.session?.kernel?.status === 'idle' && {widget}.content.model.sharedModel.cells.length"),
    );
    browser.run("window.jupyterapp.commands.execute('notebook:run-all-cells'); return true");
    until(&browser, &format!("{CELLS}.every(cell => cell.execution_count)"));
    let count = |css: &str| browser.run(&format!("return document.querySelectorAll('{css}').length")).as_u64().expect("a count");
    until(&browser, "document.querySelectorAll('.jp-OutputArea img').length >= 3");
    keep(&browser.screenshot());
    assert_eq!(count("[data-mime-type=\"application/vnd.jupyter.stderr\"], [data-mime-type=\"application/vnd.jupyter.error\"]"), 0);
    assert!(count(".jp-OutputArea img[src^=\"data:image/png\"]") >= 3, "the lesion with its overlay, twice, and the map");
    assert!(count(".jp-OutputArea img[src^=\"data:image/svg+xml\"]") >= 1, "the chart");
    let broken = "return [...document.querySelectorAll('.jp-OutputArea img')].filter(image => !image.naturalWidth).length";
    assert_eq!(browser.run(broken), 0);
    let requests = browser.requests();
    let own = ["http://", "ws://"].map(|scheme| format!("{scheme}{}/", lab.origin()));
    let inside = |address: &&String| own.iter().any(|own| address.starts_with(own.as_str()));
    assert!(requests.iter().any(|address| address.starts_with("ws://")), "the log holds what the page asked for");
    assert_eq!(requests.iter().find(|address| !inside(address)), None, "asked elsewhere");
}

fn keep(screenshot: &[u8]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../browser");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("jupyterlab_01.png"), screenshot).expect("the screenshot");
}
