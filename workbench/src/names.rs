//! Names that come from elsewhere: shown so that nothing in them acts, and never used as they are.

/// Whether a character acts on what stands around it instead of being seen: control characters, line separators, and marks without a
/// shape of their own, among them those that turn the direction of writing.
///
/// ```
/// use workbench::names::is_hidden;
/// assert!(['\n', '\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}'].into_iter().all(is_hidden));
/// assert!(!"näevus 🔬.jpg".chars().any(is_hidden));
/// ```
pub fn is_hidden(c: char) -> bool {
    let formats =
        matches!(c, '\u{00AD}' | '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}');
    c.is_control() || formats
}

/// A name for a terminal: what would act is written as its number.
///
/// ```
/// assert_eq!(workbench::names::visible("a\n\u{202e}b"), r"a\u{a}\u{202e}b");
/// ```
pub fn visible(name: &str) -> String {
    let shown = |c: char| if is_hidden(c) { c.escape_unicode().to_string() } else { c.into() };
    name.chars().map(shown).collect()
}

/// The same text in JSON, in which what would act on a terminal is written as JSON writes numbers of characters.
///
/// ```
/// let quiet = workbench::names::visible_json("{\n  \"file\": \"a\u{202e}b\"\n}");
/// assert_eq!(quiet, "{\n  \"file\": \"a\\u202eb\"\n}");
/// ```
pub fn visible_json(json: &str) -> String {
    // Between strings JSON has no hidden characters but line ends; within strings those are already escaped.
    let shown = |c: char| if is_hidden(c) && c != '\n' { format!("\\u{:04x}", u32::from(c)) } else { c.into() };
    json.chars().map(shown).collect()
}

/// Several lines for a terminal; line ends stay.
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}
