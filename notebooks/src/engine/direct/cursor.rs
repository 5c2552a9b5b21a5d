//! What stands before the cursor.

/// What a word at the cursor belongs to.
#[derive(Clone, Debug, PartialEq)]
pub enum Before {
    /// A line that begins with a colon.
    Command,
    /// A variable and a dot.
    Value(String),
    /// A path and two colons.
    Path(String),
    /// Nothing that it would belong to.
    Nothing,
}

/// What stands before the word that ends at the cursor, and the word; the cursor counts characters.
pub fn before(code: &str, cursor: usize) -> (Before, String) {
    let text: String = code.chars().take(cursor).collect();
    let line = text.rsplit('\n').next().unwrap_or_default().trim_start();
    if line.starts_with(':') && !line.starts_with("::") && !line.contains(' ') {
        return (Before::Command, line.to_owned());
    }
    let rest = text.trim_end_matches(is_of_word);
    let word = text[rest.len()..].to_owned();
    if let Some(path) = rest.strip_suffix("::") {
        return (Before::Path(path_at_end(path)), word);
    }
    match rest.strip_suffix('.') {
        // `0..` is a range.
        Some(before) if !before.ends_with('.') => {
            let receiver = &before[before.trim_end_matches(is_of_word).len()..];
            (Before::Value(receiver.to_owned()), word)
        }
        _ => (Before::Nothing, word),
    }
}

/// The whole word around the cursor, as where it ends.
pub fn end_of_word(code: &str, cursor: usize) -> usize {
    cursor + code.chars().skip(cursor).take_while(|&c| is_of_word(c)).count()
}

/// The path that ends a text.
fn path_at_end(text: &str) -> String {
    let start = text.trim_end_matches(|c: char| is_of_word(c) || c == ':').len();
    text[start..].trim_start_matches("::").to_owned()
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_word_belongs_to_is_told_by_what_stands_before_it() {
        let at_end = |code: &str| before(code, code.chars().count());
        assert_eq!(at_end("let x = net.for"), (Before::Value("net".into()), "for".into()));
        assert_eq!(at_end("use xai::method::"), (Before::Path("xai::method".into()), String::new()));
        assert_eq!(at_end("f(HeatMap::n"), (Before::Path("HeatMap".into()), "n".into()));
        assert_eq!(at_end("é; thr"), (Before::Nothing, "thr".into()));
        assert_eq!(at_end("x;\n:ti"), (Before::Command, ":ti".into()));
        assert_eq!(at_end("0..n"), (Before::Nothing, "n".into()));
        assert_eq!(before("lesion.area", 2), (Before::Nothing, "le".into()));
        assert_eq!(end_of_word("a.area()", 3), 6);
    }
}
