//! Constants of a notebook that a command line says otherwise.

use std::str::FromStr;

/// `name=value`; a number or a bool is written as it is, all else becomes a string.
///
/// ```
/// use notebooks::runner::Parameter;
///
/// let written = |text: &str| text.parse::<Parameter>().map(|parameter| parameter.statement());
/// assert_eq!(written("epochs=3").unwrap(), "let epochs = 3;");
/// assert_eq!(written("rate=1e-3").unwrap(), "let rate = 1e-3;");
/// assert_eq!(written("model=a \"b\"").unwrap(), "let model = \"a \\\"b\\\"\";");
/// assert!(written("not a name=1").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// A Rust name.
    pub name: String,
    /// A Rust literal.
    pub literal: String,
}

impl Parameter {
    /// The line that a notebook is given.
    pub fn statement(&self) -> String {
        format!("let {} = {};", self.name, self.literal)
    }
}

impl FromStr for Parameter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is no name=value"))?;
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if !starts || name == "_" || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("{name:?} is no name of a variable: small letters, digits and `_`"));
        }
        Ok(Self { name: name.into(), literal: literal(value) })
    }
}

fn literal(value: &str) -> String {
    if is_number(value) || value == "true" || value == "false" { value.into() } else { format!("{value:?}") }
}

/// Rust writes numbers with a digit before and after the point, and without a leading plus; `inf` and `nan` are words.
fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let writable =
        digits.starts_with(|c: char| c.is_ascii_digit()) && !digits.ends_with('.') && !digits.contains(".e") && !digits.contains(".E");
    writable && value.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::Parameter;

    #[test]
    fn values_become_literals() {
        for (text, literal) in [
            ("a=1", "1"),
            ("a=-2.5", "-2.5"),
            ("a=true", "true"),
            ("a=+1", "\"+1\""),
            ("a=.5", "\".5\""),
            ("a=5.", "\"5.\""),
            ("a=nan", "\"nan\""),
            ("a=", "\"\""),
            ("a=x=\\y", "\"x=\\\\y\""),
        ] {
            assert_eq!(text.parse::<Parameter>().map(|parameter| parameter.literal), Ok(literal.to_owned()), "{text}");
        }
        for wrong in ["a", "=1", "1a=2", "A-b=1", "_=1", "x;y=1", "Upper=1"] {
            assert!(wrong.parse::<Parameter>().is_err(), "{wrong}");
        }
    }
}
