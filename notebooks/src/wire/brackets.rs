//! Whether a cell is finished: do its brackets, strings and comments close?

/// What a console does when Enter is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Run it.
    Complete,
    /// Another line follows.
    Incomplete,
    /// No line that follows makes it right.
    Invalid,
}

/// Looks at brackets, strings and comments only; whether it compiles is the compiler's business.
///
/// ```
/// use notebooks::wire::{Completeness, completeness};
///
/// assert_eq!(completeness("fn double(x: f32) -> f32 {"), Completeness::Incomplete);
/// assert_eq!(completeness("let brackets = \"([{\"; // ("), Completeness::Complete);
/// assert_eq!(completeness("vec![1, 2)"), Completeness::Invalid);
/// ```
pub fn completeness(code: &str) -> Completeness {
    let code: Vec<char> = code.chars().collect();
    let (mut at, mut open) = (0, Vec::new());
    while at < code.len() {
        let Some(next) = after_opaque(&code, at) else { return Completeness::Incomplete };
        if next > at {
            at = next;
            continue;
        }
        match code[at] {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            closing @ (')' | ']' | '}') => {
                if open.pop() != Some(closing) {
                    return Completeness::Invalid;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if open.is_empty() { Completeness::Complete } else { Completeness::Incomplete }
}

/// Where a comment, string or character that begins at `at` ends; `at` where none begins; nothing where it never ends.
fn after_opaque(code: &[char], at: usize) -> Option<usize> {
    let rest = &code[at..];
    match rest {
        ['/', '/', ..] => Some(rest.iter().position(|&c| c == '\n').map_or(code.len(), |line| at + line)),
        ['/', '*', ..] => after_comment(code, at),
        ['"', ..] => after_string(code, at + 1),
        ['r', '"' | '#', ..] if !is_word(code, at) => after_raw(code, at + 1),
        ['b' | 'c', 'r', '"' | '#', ..] if !is_word(code, at) => after_raw(code, at + 2),
        ['\'', '\\', _, ..] => Some(rest[3..].iter().position(|&c| c == '\'').map_or(at + 1, |end| at + 4 + end)),
        ['\'', _, '\'', ..] => Some(at + 3),
        _ => Some(at),
    }
}

/// True where the character before belongs to the same name.
fn is_word(code: &[char], at: usize) -> bool {
    at > 0 && (code[at - 1].is_alphanumeric() || code[at - 1] == '_')
}

fn after_comment(code: &[char], at: usize) -> Option<usize> {
    let (mut at, mut depth) = (at + 2, 1);
    while depth > 0 {
        match code.get(at..)? {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            [] => return None,
            _ => at += 1,
        }
    }
    Some(at)
}

fn after_string(code: &[char], mut at: usize) -> Option<usize> {
    loop {
        match code.get(at)? {
            '"' => return Some(at + 1),
            '\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// `at` is behind the `r`; a raw identifier is no string.
fn after_raw(code: &[char], at: usize) -> Option<usize> {
    let hashes = code[at..].iter().take_while(|&&c| c == '#').count();
    if code.get(at + hashes) != Some(&'"') {
        return Some(at);
    }
    let body = at + hashes + 1;
    let ends = |end: &usize| code[*end] == '"' && code[end + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes;
    (body..code.len()).find(ends).map(|end| end + 1 + hashes)
}

#[cfg(test)]
mod tests {
    use super::{Completeness, completeness};

    #[test]
    fn strings_comments_and_lifetimes_hide_brackets() {
        for complete in
            ["", "2 + 2", "'('", "'\\''", "fn a<'a>(x: &'a str) {}", "r#\"(\"# ", "/* ( /* [ */ */ 1", "br\"{\"", "r#type()", "'\\u{7b}'"]
        {
            assert_eq!(completeness(complete), Completeness::Complete, "{complete}");
        }
        for incomplete in ["if true {", "\"never closed", "/* /* */", "f(1,\n2", "r##\"(\"#", "\"\\"] {
            assert_eq!(completeness(incomplete), Completeness::Incomplete, "{incomplete}");
        }
        for invalid in [")", "{]}", "let a = (1];"] {
            assert_eq!(completeness(invalid), Completeness::Invalid, "{invalid}");
        }
    }
}
