//! `pellucid demo` as a process of its own, asked over real connections.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::command::names;

pub const BOUNDARY: &str = "between-the-parts";

/// A dashboard that is ended with the test, in an empty folder.
pub struct Demo {
    process: Child,
    pub address: String,
    folder: TempDir,
    streams: TempDir,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Demo {
    /// The one that ships, with other arguments if there are any.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (folder, streams) = (folder(), folder());
        let mut command = Command::new(env!("CARGO_BIN_EXE_pellucid"));
        command
            .args(["demo", "--port", "0"])
            .args(arguments)
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path());
        let errors = File::create(streams.path().join("err")).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.into_iter().find_map(|line| Some(line.split_once("http://")?.1.split_once('/')?.0.to_owned()));
        let address = address.expect("the dashboard says where it is");
        Self { process, address, folder, streams }
    }

    /// Sends bytes as they are and reads until the server ends the connection.
    pub fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server that has heard enough may answer and hang up before all is sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        assert!(!head.contains("transfer-encoding"), "{head}");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
        Answer { status, head, body: answer[end + 4..].to_vec() }
    }

    pub fn get(&self, path: &str, accept: &str) -> Answer {
        let host = &self.address;
        self.send(format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: {accept}\r\nconnection: close\r\n\r\n").as_bytes())
    }

    /// Uploads a file under a name; programs are answered in JSON.
    pub fn upload(&self, name: &str, bytes: &[u8]) -> Answer {
        let form = form(name, bytes);
        self.send(&[self.head(&format!("content-length: {}", form.len())), form].concat())
    }

    /// The head of an upload with one more header line.
    pub fn head(&self, length: &str) -> Vec<u8> {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let host = &self.address;
        format!("POST /lesions HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\ncontent-type: {kind}\r\n{length}\r\nconnection: close\r\n\r\n")
            .into_bytes()
    }

    /// How many uploads are kept.
    pub fn kept(&self) -> usize {
        let home = self.get("/", "text/html");
        let text = String::from_utf8_lossy(&home.body).into_owned();
        let before = text.split(" kept now").next().filter(|before| before.len() < text.len());
        before.map_or(0, |before| before.rsplit([' ', '>']).next().and_then(|number| number.parse().ok()).unwrap())
    }

    /// Most memory since the last call, in MiB; nothing where the system does not tell.
    pub fn peak(&self) -> Option<u64> {
        let of_process = |file: &str| format!("/proc/{}/{file}", self.process.id());
        let status = fs::read_to_string(of_process("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let peak = line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024;
        // 5 sets the peak back to what is held now.
        fs::write(of_process("clear_refs"), "5").ok()?;
        Some(peak)
    }

    /// Memory that is held now, in MiB; the peak is counted from here.
    pub fn held(&self) -> u64 {
        self.peak().and_then(|_| self.peak()).unwrap_or(0)
    }

    /// It lives, has said nothing of a panic, and has written nothing.
    pub fn assert_unharmed(&mut self) {
        assert!(self.process.try_wait().unwrap().is_none(), "the dashboard has ended");
        let errors = fs::read_to_string(self.streams.path().join("err")).unwrap();
        assert!(!errors.contains("panicked"), "{errors}");
        assert!(names(self.folder.path()).is_empty(), "written: {:?}", names(self.folder.path()));
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.head, String::from_utf8_lossy(&self.body)))
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A form with one file.
pub fn form(name: &str, bytes: &[u8]) -> Vec<u8> {
    [part(name, bytes), closing()].concat()
}

pub fn part(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\ncontent-type: image/jpeg\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n"].concat()
}

pub fn closing() -> Vec<u8> {
    format!("--{BOUNDARY}--\r\n").into_bytes()
}
