//! Declarations as people write them, from rustdoc's JSON.

use serde_json::Value;

/// A function's declaration.
pub fn function(name: &str, inner: &Value) -> String {
    let inputs = list(&inner["sig"]["inputs"]).iter().map(|input| match (input[0].as_str(), ty(&input[1]).as_str()) {
        (Some("self"), "Self") => "self".to_owned(),
        (Some("self"), "&Self") => "&self".to_owned(),
        (Some("self"), "&mut Self") => "&mut self".to_owned(),
        (name, ty) => format!("{}: {ty}", name.unwrap_or("_")),
    });
    let inputs: Vec<String> = inputs.collect();
    let start = if inner["header"]["is_async"] == true { "async fn" } else { "fn" };
    let output = match &inner["sig"]["output"] {
        Value::Null => String::new(),
        output => format!(" -> {}", ty(output)),
    };
    format!("{start} {name}{}({}){output}", generics(&inner["generics"]), inputs.join(", "))
}

/// A type.
pub fn ty(ty: &Value) -> String {
    let Some((kind, inner)) = ty.as_object().and_then(|map| map.iter().next()) else {
        return ty.as_str().unwrap_or("_").to_owned();
    };
    let inside = |key: &str| self::ty(&inner[key]);
    let joined = |value: &Value| list(value).iter().map(self::ty).collect::<Vec<_>>().join(", ");
    match kind.as_str() {
        "primitive" | "generic" => inner.as_str().unwrap_or("_").to_owned(),
        "resolved_path" => path(inner),
        "borrowed_ref" => format!("&{}{}", if inner["is_mutable"] == true { "mut " } else { "" }, inside("type")),
        "raw_pointer" => format!("*{} {}", if inner["is_mutable"] == true { "mut" } else { "const" }, inside("type")),
        "tuple" => format!("({})", joined(inner)),
        "slice" => format!("[{}]", self::ty(inner)),
        "array" => format!("[{}; {}]", inside("type"), inner["len"].as_str().unwrap_or("_")),
        "impl_trait" => format!("impl {}", bounds(inner)),
        "dyn_trait" => format!("dyn {}", list(&inner["traits"]).iter().map(|bound| path(&bound["trait"])).collect::<Vec<_>>().join(" + ")),
        "qualified_path" => format!("{}::{}", inside("self_type"), inner["name"].as_str().unwrap_or("_")),
        "function_pointer" => "fn(…)".to_owned(),
        _ => "_".to_owned(),
    }
}

/// The parameters in angle brackets, without those that the compiler made.
pub fn generics(generics: &Value) -> String {
    let own = list(&generics["params"])
        .iter()
        .filter(|param| param["kind"]["type"]["is_synthetic"] != true && param["kind"]["lifetime"].is_null());
    let named = own.map(|param| {
        let name = param["name"].as_str().unwrap_or("_");
        match bounds(&param["kind"]["type"]["bounds"]) {
            bounds if bounds.is_empty() => name.to_owned(),
            bounds => format!("{name}: {bounds}"),
        }
    });
    match named.collect::<Vec<_>>().join(", ") {
        text if text.is_empty() => text,
        text => format!("<{text}>"),
    }
}

fn bounds(bounds: &Value) -> String {
    let traits = list(bounds).iter().filter(|bound| bound["trait_bound"].is_object());
    traits.map(|bound| path(&bound["trait_bound"]["trait"])).collect::<Vec<_>>().join(" + ")
}

fn path(path: &Value) -> String {
    let name = path["path"].as_str().or(path["name"].as_str()).unwrap_or("_");
    let name = name.rsplit("::").next().unwrap_or(name);
    let bracketed = &path["args"]["angle_bracketed"];
    let mut arguments: Vec<String> =
        list(&bracketed["args"]).iter().filter(|argument| !argument["type"].is_null()).map(|argument| ty(&argument["type"])).collect();
    for constraint in list(&bracketed["constraints"]) {
        let equal = ty(&constraint["binding"]["equality"]["type"]);
        arguments.push(format!("{} = {equal}", constraint["name"].as_str().unwrap_or("_")));
    }
    let function = &path["args"]["parenthesized"];
    if function.is_object() {
        let inputs = list(&function["inputs"]).iter().map(ty).collect::<Vec<_>>().join(", ");
        let output = if function["output"].is_null() { String::new() } else { format!(" -> {}", ty(&function["output"])) };
        return format!("{name}({inputs}){output}");
    }
    if arguments.is_empty() { name.to_owned() } else { format!("{name}<{}>", arguments.join(", ")) }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
