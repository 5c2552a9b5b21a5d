//! Rustdoc's JSON, which is large and by numbers, into the index, which is small and by paths.

use serde_json::Value;

use super::signature::{function, generics, ty};
use super::{Api, Entry, Kind};

/// Adds a crate to the index. What the JSON does not have, because another compiler wrote it, is left out.
pub fn add(api: &mut Api, json: &Value) {
    let root = &json["root"];
    let name = item(json, root)["name"].as_str().unwrap_or_default().to_owned();
    let mut walk = Walk { api, json };
    walk.item(root, &name, 0);
}

/// Modules inside modules; what is deeper is a circle of exports.
const DEEPEST: usize = 12;

struct Walk<'a> {
    api: &'a mut Api,
    json: &'a Value,
}

impl Walk<'_> {
    /// Adds what has this number at this path, and everything below it.
    fn item(&mut self, id: &Value, path: &str, depth: usize) {
        let item = item(self.json, id);
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else { return };
        if depth > DEEPEST {
            return;
        }
        let name = path.rsplit("::").next().unwrap_or(path);
        let said = |kind: Kind, signature: String| Some((kind, signature));
        let entry = match kind.as_str() {
            "module" => said(Kind::Module, format!("mod {name}")),
            "struct" | "enum" | "union" | "trait" => said(Kind::Type, format!("{kind} {name}{}", generics(&inner["generics"]))),
            "type_alias" => said(Kind::Type, format!("type {name}{} = {}", generics(&inner["generics"]), ty(&inner["type"]))),
            "function" => said(if takes_self(inner) { Kind::Method } else { Kind::Function }, function(name, inner)),
            "struct_field" => said(Kind::Field, format!("{name}: {}", ty(inner))),
            "variant" => said(Kind::Variant, name.to_owned()),
            "constant" => said(Kind::Constant, format!("const {name}: {}", ty(&inner["type"]))),
            "assoc_const" => said(Kind::Constant, format!("const {name}: {}", ty(&inner["type"]))),
            "static" => said(Kind::Constant, format!("static {name}: {}", ty(&inner["type"]))),
            "macro" | "proc_macro" => said(Kind::Macro, format!("{name}!")),
            _ => None,
        };
        if let Some((kind, signature)) = entry {
            let doc = first_paragraph(item["docs"].as_str().unwrap_or_default());
            self.api.entries.insert(path.to_owned(), Entry { kind, signature, doc });
        }
        self.below(kind, inner, path, depth);
    }

    fn below(&mut self, kind: &str, inner: &Value, path: &str, depth: usize) {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut ids = match kind {
            "module" | "trait" => list(&inner["items"]),
            "struct" => list(&inner["kind"]["plain"]["fields"]),
            "union" => list(&inner["fields"]),
            "enum" => list(&inner["variants"]),
            _ => Vec::new(),
        };
        for block in list(&inner["impls"]) {
            let block = &item(self.json, &block)["inner"]["impl"];
            // What every type has by a blanket is no help in a list.
            if block["trait"].is_null() && block["is_synthetic"] != true {
                ids.extend(list(&block["items"]));
            }
        }
        for id in ids {
            let below = item(self.json, &id);
            let export = &below["inner"]["use"];
            if export.is_object() {
                self.export(export, path, depth);
            } else if let Some(name) = below["name"].as_str().filter(|_| is_public(below, kind)) {
                let path = format!("{path}::{name}");
                self.item(&id, &path, depth + 1);
            }
        }
    }

    /// An export: of an item of this crate that has no public path of its own, or of something that has one elsewhere.
    fn export(&mut self, export: &Value, path: &str, depth: usize) {
        let target = target(self.json, export);
        let own = item(self.json, &export["id"]);
        if export["is_glob"] == true {
            match own["inner"]["module"].is_object() {
                true => self.below("module", &own["inner"]["module"], path, depth + 1),
                false => drop(self.api.globs.entry(path.to_owned()).or_default().insert(target)),
            }
            return;
        }
        let Some(name) = export["name"].as_str() else { return };
        let here = format!("{path}::{name}");
        // At the shortest path it is described; longer ones lead there.
        if own.is_object() && !self.api.entries.contains_key(&target) {
            self.item(&export["id"], &here, depth + 1);
        }
        if here != target {
            let (from, to) = if self.api.entries.contains_key(&here) { (target, here) } else { (here, target) };
            self.api.aliases.insert(from, to);
        }
    }
}

/// The item of a number; null where the JSON has none.
fn item<'a>(json: &'a Value, id: &Value) -> &'a Value {
    match id {
        Value::String(id) => &json["index"][id],
        id => &json["index"][id.to_string()],
    }
}

/// Where an export leads: the place where it is defined, as far as that is known.
fn target(json: &Value, export: &Value) -> String {
    let id = match &export["id"] {
        Value::String(id) => id.clone(),
        id => id.to_string(),
    };
    let parts = json["paths"][&id]["path"].as_array();
    let known = parts.map(|parts| parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("::"));
    known.unwrap_or_else(|| export["source"].as_str().unwrap_or_default().to_owned())
}

fn is_public(item: &Value, inside: &str) -> bool {
    item["visibility"] == "public" || (item["visibility"] == "default" && matches!(inside, "enum" | "trait"))
}

fn takes_self(inner: &Value) -> bool {
    inner["sig"]["inputs"][0][0] == "self"
}

fn first_paragraph(docs: &str) -> String {
    docs.trim().split("\n\n").next().unwrap_or_default().replace('\n', " ")
}
