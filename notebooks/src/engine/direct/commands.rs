//! Lines that begin with a colon: they are for the engine, not for the compiler.

use crate::engine::CellError;

use super::verdict;

/// What a line asks of the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `:dep …`: a crate, in the words of a manifest.
    Dependency(String),
    /// `:vars`.
    Variables,
    /// `:types` shows the type of each result from now on, or no longer; `:type x` the type of one variable.
    Types,
    /// `:type x`.
    Type(String),
    /// `:clear` forgets variables and items; `:restart` gives them a new process too.
    Clear,
    /// `:restart`.
    Restart,
    /// `:timing` tells how long each cell took, or no longer.
    Timing,
    /// `:opt 3`: how fast cells shall run that do not say it themselves.
    Optimisation(u8),
    /// `:help`.
    Help,
}

/// What `:help` shows.
pub const HELP: &str = "\
:dep name = \"1.2\"   add a crate; also `:dep name` and `:dep name = { version = \"1\", features = [\"x\"] }`
:vars               the variables with their types
:type x             the type of a variable
:types              show the type of every variable that a cell makes; again: no longer
:timing             show how long cells take; again: no longer
:opt 3              compile cells so that they run fast; `:opt 0`: so that they start soon
//!opt              as the first line of a cell: only this one runs fast (its loops cannot be interrupted)
:clear              forget all variables, functions, types and imports
:restart            the same in a new process, without the crates that were added
:help               this
";

/// Takes the commands out of a cell: they stand before everything else, and blanks stand for them, so that no line moves.
///
/// # Errors
///
/// Where a command is not known or incomplete.
pub fn take(text: &str) -> Result<(Vec<Command>, String), CellError> {
    let (mut commands, mut rest) = (Vec::new(), text.to_owned());
    let mut at = 0;
    while let Some(line) = text[at..].split_inclusive('\n').next() {
        let trimmed = line.trim();
        let mut length = line.len();
        if trimmed.starts_with(':') && !trimmed.starts_with("::") {
            length = whole(&text[at..]);
            let line = text[at..at + length].trim();
            commands.push(read(line.trim_start_matches(':').trim())?);
            rest.replace_range(at..at + length, &blank(&text[at..at + length]));
        } else if !trimmed.is_empty() && !trimmed.starts_with("//") {
            break;
        }
        at += length;
    }
    Ok((commands, rest))
}

/// The length of a command: its line, or lines until its brackets are closed.
fn whole(text: &str) -> usize {
    let (mut length, mut open) = (0, 0);
    for line in text.split_inclusive('\n') {
        length += line.len();
        open += line.matches(['{', '[']).count();
        open -= line.matches(['}', ']']).count().min(open);
        if open == 0 {
            break;
        }
    }
    length
}

fn blank(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) }).collect()
}

fn read(line: &str) -> Result<Command, CellError> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match (word, rest) {
        ("dep", "") => Err(wrong("`:dep` needs a crate: `:dep itertools` or `:dep itertools = \"0.14\"`".to_owned())),
        ("dep", rest) => Ok(Command::Dependency(rest.to_owned())),
        ("vars", "") => Ok(Command::Variables),
        ("types", "") => Ok(Command::Types),
        ("type" | "t", name) if !name.is_empty() => Ok(Command::Type(name.to_owned())),
        ("clear", "") => Ok(Command::Clear),
        ("restart", "") => Ok(Command::Restart),
        ("timing", "") => Ok(Command::Timing),
        ("opt", level) => match level.parse() {
            Ok(level @ 0..=3) => Ok(Command::Optimisation(level)),
            _ => Err(wrong("`:opt` takes a level from 0 (starts soon) to 3 (runs fast)".to_owned())),
        },
        ("help", _) => Ok(Command::Help),
        _ => Err(wrong(format!("`:{word}` is no command of this kernel, or does not take `{rest}`; `:help` lists all"))),
    }
}

fn wrong(message: String) -> CellError {
    verdict::error("CommandError", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_leave_blanks_and_keep_lines() {
        let (commands, rest) = take("// é\n:vars\n:dep a = {\n version = \"1\" }\nlet x = 1;\n").expect("commands");
        assert_eq!(commands, [Command::Variables, Command::Dependency("a = {\n version = \"1\" }".into())]);
        assert_eq!(rest, format!("// é\n{}\n{}\n{}\nlet x = 1;\n", " ".repeat(5), " ".repeat(10), " ".repeat(16)));
        assert_eq!(take("::std::mem::drop(1)").expect("Rust").0, []);
        assert_eq!(take("let x = 1;\n:vars").expect("Rust").0, [], "behind Rust there are no commands");
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for text in [":fly", ":dep", ":opt 9", ":vars all"] {
            assert_eq!(take(text).expect_err(text).name, "CommandError");
        }
    }
}
