//! Commands that documents and help texts show are commands that exist, with options that exist.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use workbench::cli::Cli;

use crate::repository::{File, files};
use crate::{assert_allowed, assert_found, assert_none};

fn wrong_commands(files: &[File]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.ends_in(&["md"])) {
        for command in shell_lines(&file.text) {
            breaches.extend(refusal(&command).map(|why| format!("{}: `{command}`: {why}", file.path)));
        }
    }
    breaches
}

/// The lines of every `sh` block, with continued lines joined.
fn shell_lines(markdown: &str) -> Vec<String> {
    let (mut inside, mut lines) = (false, Vec::new());
    for line in markdown.replace("\\\n", " ").lines().map(str::trim) {
        if line.starts_with("```") {
            inside = !inside && ["```sh", "```bash", "```console"].contains(&line);
        } else if inside {
            lines.push(line.trim_start_matches("$ ").to_owned());
        }
    }
    lines
}

/// Why `pellucid` does not take a line; nothing for lines that call something else.
fn refusal(line: &str) -> Option<String> {
    let line = line.split_once(" #").map_or(line, |(command, _)| command).trim();
    let arguments = match line.strip_prefix("cargo run") {
        Some(run) => run.split_once("-- ").map(|(_, arguments)| arguments)?,
        None => line.strip_prefix("pellucid ")?,
    };
    let words = arguments.split_whitespace().take_while(|word| !["|", ">", "&&", "&"].contains(word)).map(|word| word.trim_matches('"'));
    let refused = Cli::try_parse_from(std::iter::once("pellucid").chain(words)).err()?;
    let shown = matches!(refused.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    (!shown).then(|| refused.to_string().lines().next().unwrap_or_default().to_owned())
}

#[test]
fn commands_in_documents_exist() {
    assert_none("commands that do not exist", &wrong_commands(&files()));
    let block = |line: &str| format!("Text\n```sh\n{line}\n```\n");
    for wrong in
        ["pellucid paint a.png", "cargo run --release -- explain a.png --colour red", "pellucid explain \\\n  --speed 3", "$ pellucid x"]
    {
        assert_found(wrong_commands, "README.md", &block(wrong));
    }
    for right in
        ["pellucid explain a.png --method rollout # maps", "cargo run --release -- doctor", "pellucid --help", "cargo build", "ls paint"]
    {
        assert_allowed(wrong_commands, "README.md", &block(right));
    }
    assert_allowed(wrong_commands, "README.md", "```text\npellucid paint\n```");
}

#[test]
fn every_command_shows_an_example_that_it_takes() {
    for command in Cli::command().get_subcommands() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let example = help
            .lines()
            .find_map(|line| line.trim().strip_prefix("Example: "))
            .unwrap_or_else(|| panic!("{} shows no example", command.get_name()));
        assert!(example.starts_with(&format!("pellucid {}", command.get_name())), "{example}");
        assert_eq!(refusal(example), None, "{example}");
    }
}
