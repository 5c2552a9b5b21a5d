//! Runs cargo and reads what it tells: the files it made, and how far it is.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};

use serde_json::Value;

use super::progress::Progress;
use super::source::Recipe;
use crate::error::{Error, Result};

/// Lines of the compiler that an error shows.
const MOST_LINES: usize = 60;

/// A crate that cargo compiled or found compiled.
#[derive(Clone, Debug)]
pub struct Product {
    /// Cargo's identity of the package.
    pub package: String,
    /// `lib`, `dylib`, `proc-macro`, …
    pub kind: String,
    /// What it was compiled for: build scripts and macros have other levels than the library.
    pub level: String,
    /// Its features.
    pub features: Vec<String>,
    /// Its files.
    pub files: Vec<PathBuf>,
}

enum News {
    Product(Product),
    Count { done: usize, total: usize },
    Line(String),
}

/// Compiles the package as a dynamic library.
pub fn compile(recipe: &Recipe, tell: &mut dyn FnMut(Progress)) -> Result<Vec<Product>> {
    let arguments = ["rustc", "--release", "-p", &recipe.package, "--lib", "--crate-type", "dylib", "--locked"];
    let shown = format!("cargo {} -- -C prefer-dynamic, in {}", arguments.join(" "), recipe.source.display());
    let failed = |messages: String| Error::Build { package: recipe.package.clone(), command: shown.clone(), messages };
    let mut cargo = cargo(&recipe.toolchain.cargo);
    cargo.args(arguments).args(["--message-format", "json-render-diagnostics", "--", "-Cprefer-dynamic"]);
    // Cargo counts crates only where it thinks that somebody looks.
    cargo.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_PROGRESS_WIDTH", "80").env("CARGO_TERM_COLOR", "never");
    cargo.env("RUSTC", &recipe.toolchain.rustc).current_dir(&recipe.source);
    if let Some(target) = &recipe.target {
        cargo.env("CARGO_TARGET_DIR", target);
    }
    let mut running =
        cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| failed(error.to_string()))?;
    tell(Progress::Compiling { done: 0, total: 0 });
    let (sender, news) = channel();
    let readers = [
        running.stdout.take().map(|pipe| read(pipe, products, sender.clone())),
        running.stderr.take().map(|pipe| read(pipe, lines, sender)),
    ];
    let (mut made, mut messages) = (Vec::new(), VecDeque::new());
    for news in news {
        match news {
            News::Product(product) => made.push(product),
            News::Count { done, total } => tell(Progress::Compiling { done, total }),
            News::Line(line) => messages.push_back(line),
        }
        if messages.len() > MOST_LINES {
            messages.pop_front();
        }
    }
    readers.into_iter().flatten().for_each(|reader| drop(reader.join()));
    let ended = running.wait().map_err(|error| failed(error.to_string()))?;
    tell(Progress::Done);
    if ended.success() { Ok(made) } else { Err(failed(Vec::from(messages).join("\n"))) }
}

/// Cargo, without what another cargo tells a program that it runs: build scripts would take that for a change of theirs.
pub fn cargo(program: &Path) -> Command {
    const TOLD: [&str; 6] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"];
    let mut cargo = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if TOLD.iter().any(|told| name.as_encoded_bytes().starts_with(told.as_bytes())) {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn read<R: Read + Send + 'static>(pipe: R, reader: fn(R, &Sender<News>), sender: Sender<News>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || reader(pipe, &sender))
}

/// The receiver is there until both pipes are read.
fn products(pipe: impl Read, news: &Sender<News>) {
    for line in BufReader::new(pipe).lines().map_while(std::io::Result::ok) {
        if let Some(product) = product(&line) {
            let _ = news.send(News::Product(product));
        }
    }
}

/// What a line of cargo's messages says of a crate.
pub fn product(line: &str) -> Option<Product> {
    let message: Value = serde_json::from_str(line).ok()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts = |value: &Value| Some(value.as_array()?.iter().filter_map(text).collect::<Vec<String>>());
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    Some(Product {
        package: text(&message["package_id"])?,
        kind: text(&message["target"]["kind"][0])?,
        level: text(&message["profile"]["opt_level"]).unwrap_or_default(),
        features: texts(&message["features"])?,
        files: texts(&message["filenames"])?.into_iter().map(PathBuf::from).collect(),
    })
}

/// Cargo's bar overwrites itself, so its lines end with `\r`.
fn lines(pipe: impl Read, news: &Sender<News>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Some(byte) = next(&mut pipe) {
        if byte != b'\r' && byte != b'\n' {
            line.push(byte);
            continue;
        }
        let text = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
        let _ = match count(&text) {
            Some((done, total)) => news.send(News::Count { done, total }),
            None if byte == b'\n' && !text.trim().is_empty() => news.send(News::Line(text)),
            None => Ok(()),
        };
    }
    let _ = news.send(News::Line(String::from_utf8_lossy(&line).into_owned()));
}

fn next(pipe: &mut impl BufRead) -> Option<u8> {
    let byte = *pipe.fill_buf().ok()?.first()?;
    pipe.consume(1);
    Some(byte)
}

/// The two numbers of `Building [==>   ] 3/7: names`.
fn count(line: &str) -> Option<(usize, usize)> {
    let (_, bar) = line.trim_start().strip_prefix("Building [")?.split_once(']')?;
    let (done, rest) = bar.trim_start().split_once('/')?;
    let total: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((done.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn cargo_is_understood() {
        assert_eq!(count("    Building [====>     ] 12/222: polars-core, syn"), Some((12, 222)));
        assert_eq!(count("   Compiling kernels v0.1.0"), None);
        assert_eq!(count("    Building [=] many/2"), None);
    }
}
