//! Outputs of a cell as a notebook keeps them: the same that nbclient would have collected.

use serde_json::{Map, Value, json};

use crate::engine::{Bundle, CellError, Event};

/// Outputs in their order; text of one stream that follows itself is one output.
#[derive(Debug, Default)]
pub struct Outputs {
    all: Vec<Value>,
    /// The identities under which outputs can be replaced, with their places.
    shown: Vec<(String, usize)>,
}

impl Outputs {
    /// One more.
    pub fn add(&mut self, event: Event, count: u64) {
        match event {
            Event::Stdout(text) => self.stream("stdout", &text),
            Event::Stderr(text) => self.stream("stderr", &text),
            Event::Display { bundle, id } => {
                self.shown.extend(id.map(|id| (id, self.all.len())));
                self.all.push(json!({ "output_type": "display_data", "data": kept(bundle), "metadata": {} }));
            }
            Event::Update { bundle, id } => {
                let data = kept(bundle);
                for (_, at) in self.shown.iter().filter(|(other, _)| *other == id) {
                    self.all[*at]["data"] = data.clone();
                }
            }
            Event::Result(bundle) => {
                self.all.push(json!({ "output_type": "execute_result", "data": kept(bundle), "metadata": {}, "execution_count": count }));
            }
        }
    }

    /// Why the cell failed.
    pub fn error(&mut self, error: &CellError) {
        self.all.push(json!({ "output_type": "error", "ename": error.name, "evalue": error.message, "traceback": error.traceback }));
    }

    /// All of them, with texts cut into lines as files have them.
    pub fn finish(self) -> Vec<Value> {
        let mut all = self.all;
        for output in all.iter_mut().filter(|output| output["output_type"] == "stream") {
            output["text"] = lines(output["text"].as_str().unwrap_or_default());
        }
        all
    }

    fn stream(&mut self, name: &str, text: &str) {
        match self.all.last_mut() {
            Some(last) if last["name"] == name => {
                if let Value::String(before) = &mut last["text"] {
                    before.push_str(text);
                }
            }
            _ => self.all.push(json!({ "output_type": "stream", "name": name, "text": text })),
        }
    }
}

/// Text is kept in lines; JSON stays JSON; what is neither text nor drawn in text, a picture for one, is kept as it is.
fn kept(bundle: Bundle) -> Value {
    let cut = |(mime, content): (String, Value)| {
        let in_lines = mime.starts_with("text/") || mime == "image/svg+xml" || mime.ends_with("javascript");
        let content = match content {
            Value::String(text) if in_lines => lines(&text),
            other => other,
        };
        (mime, content)
    };
    Value::Object(bundle.into_iter().map(cut).collect::<Map<_, _>>())
}

/// Lines with their ends, as nbformat cuts multi-line text.
pub fn lines(text: &str) -> Value {
    text.split_inclusive('\n').map(Value::from).collect::<Vec<_>>().into()
}
