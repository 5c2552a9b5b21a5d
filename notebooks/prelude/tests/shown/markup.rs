//! Whether HTML and SVG are closed.

const VOID: [&str; 3] = ["br", "img", "hr"];

/// Fails unless every element is closed in the order it was opened, and every `<` begins one.
pub fn expect_closed(markup: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap_or_else(|| panic!("a tag is not ended: {}", around(&rest[start..])));
        let tag = &rest[start + 1..end];
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap_or_default();
        assert!(!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()), "no element: <{tag}>");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "closed in another order, near {}", around(&rest[start..]));
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
        assert!(tag.matches('"').count().is_multiple_of(2), "an attribute is not ended: <{}", around(tag));
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

fn around(text: &str) -> String {
    text.chars().take(120).collect()
}

#[test]
fn what_is_not_closed_is_found() {
    for wrong in ["<b>", "<b></i>", "<b", "a < b", "<p class=\"x></p>"] {
        assert!(std::panic::catch_unwind(|| expect_closed(wrong)).is_err(), "{wrong}");
    }
    expect_closed("<b>1 &lt; 2<br><img src=\"x\"></b><line x=\"1\"/>");
}
