//! A small `WebDriver` client (W3C Recommendation, 2018) over the standard library: Chromium through chromedriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::base64::base64;
use crate::programs::Programs;

/// Key under which `WebDriver` names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Longest wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser of its own, with a fresh profile; gone when dropped.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    On,
    Off,
}

impl Browser {
    /// Starts a browser with a page of `width` by `height` pixels.
    pub fn start(programs: &Programs, (width, height): (u32, u32), scripts: Scripts) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new(&programs.chromedriver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let port = port_of(&mut driver);
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let mut arguments: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            // No other host can be reached, whatever a page asks for.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--user-data-dir={}", browser._profile.path().display()));
        if scripts == Scripts::Off {
            arguments.push("--blink-settings=scriptEnabled=false".into());
        }
        let options = json!({ "binary": programs.chromium, "args": arguments });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" } });
        let session = browser.ask("POST", "/session", &json!({ "capabilities": { "alwaysMatch": wanted } }));
        browser.session = format!("/session/{}", session["sessionId"].as_str().expect("a session"));
        // The page itself gets the size, whatever the window has around it.
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.post("/goog/cdp/execute", &json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size }));
        browser
    }

    pub fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    pub fn address(&self) -> String {
        self.get("/url").as_str().unwrap_or_default().to_owned()
    }

    /// Runs the body of a function in the page.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression holds in the page.
    pub fn wait_for(&self, expression: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({expression})")) != true {
            assert!(start.elapsed() < PATIENCE, "never came: {expression}; messages: {:?}", self.messages());
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// Text of the first element of a CSS selector, as it is seen.
    pub fn text(&self, css: &str) -> String {
        self.get(&format!("/element/{}/text", self.find(css))).as_str().unwrap_or_default().to_owned()
    }

    /// An attribute or property of the first element of a CSS selector.
    pub fn property(&self, css: &str, name: &str) -> Value {
        self.get(&format!("/element/{}/property/{name}", self.find(css)))
    }

    pub fn click(&self, css: &str) {
        self.post(&format!("/element/{}/click", self.find(css)), &json!({}));
    }

    /// Types into an element; a file field takes a path.
    pub fn type_into(&self, css: &str, text: &str) {
        self.post(&format!("/element/{}/value", self.find(css)), &json!({ "text": text }));
    }

    /// Presses and releases keys one after the other, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() })));
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes.collect::<Vec<_>>() });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// Warnings and errors of the console since the last call, violations of the policy among them.
    pub fn messages(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let serious = |entry: &&Value| entry["level"] == "SEVERE" || entry["level"] == "WARNING";
        log.as_array().into_iter().flatten().filter(serious).map(|entry| entry["message"].to_string()).collect()
    }

    /// Every address of a network that was asked for since the last call.
    pub fn requests(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "performance" }));
        let told = |entry: &Value| serde_json::from_str::<Value>(entry["message"].as_str()?).ok();
        let address = |event: Value| match event["message"]["method"].as_str()? {
            "Network.requestWillBeSent" => event["message"]["params"]["request"]["url"].as_str().map(str::to_owned),
            "Network.webSocketCreated" => event["message"]["params"]["url"].as_str().map(str::to_owned),
            _ => None,
        };
        let networked = |address: &String| ["http://", "https://", "ws://", "wss://"].iter().any(|scheme| address.starts_with(scheme));
        log.as_array().into_iter().flatten().filter_map(told).filter_map(address).filter(networked).collect()
    }

    /// The reader prefers dark pages from now on.
    pub fn prefer_dark(&self) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        self.post("/goog/cdp/execute", &json!({ "cmd": "Emulation.setEmulatedMedia", "params": feature }));
    }

    /// Waits until the address holds all of these words; works without scripts.
    pub fn wait_for_address(&self, words: &[&str]) {
        let start = Instant::now();
        while !words.iter().all(|word| self.address().contains(word)) {
            assert!(start.elapsed() < PATIENCE, "still at {}", self.address());
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// What is seen of the page, as a PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        let shot = self.post("/goog/cdp/execute", &json!({ "cmd": "Page.captureScreenshot", "params": { "format": "png" } }));
        base64(shot["data"].as_str().unwrap_or_default())
    }

    fn find(&self, css: &str) -> String {
        let start = Instant::now();
        loop {
            let found = self.post("/elements", &json!({ "using": "css selector", "value": css }));
            if let Some(element) = found[0][ELEMENT].as_str() {
                return element.to_owned();
            }
            assert!(start.elapsed() < PATIENCE, "there is no `{css}` at {}", self.address());
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    fn get(&self, path: &str) -> Value {
        self.ask("GET", &format!("{}{path}", self.session), &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
            .unwrap();
        let answer = body_of(BufReader::new(stream));
        let mut answer: Value = serde_json::from_slice(&answer).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{method} {path}: {} {}", value["error"], value["message"]);
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session ends the browser; a failed test must not fail a second time here.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &self.session, &Value::Null);
        } else if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = write!(stream, "DELETE {} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", self.session);
            let _ = stream.read(&mut [0; 512]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Chromedriver says on its standard output which port it took.
fn port_of(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said = lines.find_map(|line| line.split_once("started successfully on port ").map(|(_, port)| port.trim_end_matches('.').parse()));
    // What it says later must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    said.expect("chromedriver names its port").unwrap()
}

fn body_of(mut answer: impl BufRead) -> Vec<u8> {
    let (mut line, mut length) = (String::new(), 0);
    while answer.read_line(&mut line).unwrap() > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body).unwrap();
    body
}
