//! Functions that fit one look: 40 lines at most.

use crate::repository::{File, files};
use crate::{assert_allowed, assert_found, assert_none};

const MOST_LINES: usize = 40;

/// Relies on rustfmt: a function's last line is the first brace that stands where the function's line begins.
fn long_functions(files: &[File]) -> Vec<String> {
    files.iter().filter(|file| file.ends_in(&["rs"])).flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut breaches = Vec::new();
    for (start, line) in lines.iter().enumerate().filter(|(_, line)| begins_function(line)) {
        let indent = &line[..line.len() - line.trim_start().len()];
        let last = lines[start..].iter().position(|line| *line == format!("{indent}}}"));
        let one_line = line.ends_with('}') || line.ends_with(';');
        let length = if one_line { 1 } else { last.map_or(1, |last| last + 1) };
        if length > MOST_LINES {
            breaches.push(format!("{}:{}: {length} lines: {}", file.path, start + 1, line.trim()));
        }
    }
    breaches
}

fn begins_function(line: &str) -> bool {
    let before = line.trim_start().split_once("fn ").map(|(before, _)| before);
    before.is_some_and(|before| {
        before.split_whitespace().all(|word| matches!(word, "pub" | "async" | "const" | "unsafe") || word.starts_with("pub("))
    })
}

#[test]
fn functions_fit_one_look() {
    assert_none("functions of more than 40 lines", &long_functions(&files()));
    let function = |lines: usize| format!("impl A {{\n    pub(crate) fn long() {{\n{}    }}\n}}\n", "        a();\n".repeat(lines - 2));
    assert_found(long_functions, "xai/src/long.rs", &function(MOST_LINES + 1));
    assert_allowed(long_functions, "xai/src/long.rs", &function(MOST_LINES));
}
