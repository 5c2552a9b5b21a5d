//! What the tap tells the kernel: a line of JSON each, between the lines that are evcxr's own.

use serde_json::{Value, json};

use crate::engine::{Bundle, Event};

const START: &str = "\u{1e}PELLUCID_TAP ";

/// One thing that the tap saw.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// What the cell hands out.
    Event(Event),
    /// The process that runs cells.
    Process(i32),
    /// The cell panicked.
    Panicked,
    /// The cell ended by `?`.
    Failed,
}

impl Record {
    /// As a line.
    pub fn write(&self) -> String {
        let value = match self {
            Self::Event(Event::Stdout(text)) => json!({ "stdout": text }),
            Self::Event(Event::Stderr(text)) => json!({ "stderr": text }),
            Self::Event(Event::Display { bundle, id }) => json!({ "display": bundle, "id": id }),
            Self::Event(Event::Update { bundle, id }) => json!({ "update": bundle, "id": id }),
            Self::Event(Event::Result(bundle)) => json!({ "result": bundle }),
            Self::Process(id) => json!({ "process": id }),
            Self::Panicked => json!({ "panicked": true }),
            Self::Failed => json!({ "failed": true }),
        };
        format!("{START}{value}")
    }

    /// Of a line; nothing where it is none.
    pub fn read(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line.strip_prefix(START)?).ok()?;
        let (key, held) = value.as_object()?.iter().find(|(key, _)| *key != "id")?;
        let text = |held: &Value| held.as_str().map(str::to_owned);
        let bundle = |held: &Value| held.as_object().cloned().unwrap_or_else(Bundle::new);
        let id = text(&value["id"]);
        Some(match key.as_str() {
            "stdout" => Self::Event(Event::Stdout(text(held)?)),
            "stderr" => Self::Event(Event::Stderr(text(held)?)),
            "display" => Self::Event(Event::Display { bundle: bundle(held), id }),
            "update" => Self::Event(Event::Update { bundle: bundle(held), id: id? }),
            "result" => Self::Event(Event::Result(bundle(held))),
            "process" => Self::Process(i32::try_from(held.as_i64()?).ok()?),
            "panicked" => Self::Panicked,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Record;
    use crate::engine::{Bundle, Event};

    #[test]
    fn records_come_back_as_they_were() {
        let bundle: Bundle = [("text/html".to_owned(), "<p>\n</p>".into())].into_iter().collect();
        for record in [
            Record::Event(Event::Stdout("a\nä\u{1e}".into())),
            Record::Event(Event::Stderr(String::new())),
            Record::Event(Event::Display { bundle: bundle.clone(), id: None }),
            Record::Event(Event::Display { bundle: bundle.clone(), id: Some("7".into()) }),
            Record::Event(Event::Update { bundle: bundle.clone(), id: "7".into() }),
            Record::Event(Event::Result(bundle)),
            Record::Process(77),
            Record::Panicked,
            Record::Failed,
        ] {
            let line = record.write();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(Record::read(&line), Some(record));
        }
        assert_eq!(Record::read("a print"), None);
    }
}
