//! The state dict inside a checkpoint: the dict itself, or the one under a name that training scripts use.

use super::super::refusal::{Reason, Refusal};
use super::node::{Id, Node, Nodes, Tensor};

/// Names under which training scripts keep a state dict beside epochs and optimisers.
const WRAPPERS: [&str; 16] = [
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "net",
    "network",
    "weights",
    "params",
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "teacher",
    "student",
    "backbone",
    "encoder",
];
/// `{"model": {"state_dict": …}}` is as deep as scripts wrap.
const DEEPEST: usize = 3;
/// Names given in a message before the rest is only counted.
const NAMED: usize = 6;

/// A state dict's tensors and where it was found.
#[derive(Debug)]
pub(super) struct Found<'n, 'a> {
    pub tensors: Vec<(&'a str, &'n Tensor<'a>)>,
    pub note: String,
}

/// Keys and values of a dict.
type Pairs = [(Id, Id)];

/// The state dict under `key`, or the only one there is.
pub(super) fn find<'n, 'a>(nodes: &'n Nodes<'a>, root: Id, key: Option<&str>) -> Result<Found<'n, 'a>, Refusal> {
    let top = pairs(nodes, root).ok_or_else(|| Refusal::new(Reason::NoTensors, "it holds no dict of names to tensors"))?;
    let (held, path) = match key {
        Some(key) => (under(nodes, top, &[key]).first().copied().ok_or_else(|| no_such(nodes, top, key))?.1, key.to_owned()),
        None => unwrap(nodes, root)?,
    };
    let held = pairs(nodes, held).unwrap_or_default();
    let mut tensors = Vec::new();
    for (key, value) in held {
        if let Node::Tensor(tensor) = nodes.get(*value) {
            let Node::Text(name) = nodes.get(*key) else {
                return Err(Refusal::new(Reason::BadName, "its state dict holds a tensor whose name is no text"));
            };
            tensors.push((*name, &**tensor));
        }
    }
    if tensors.is_empty() {
        return Err(Refusal::new(Reason::NoTensors, format!("it holds no state dict; its keys are {}", shown(nodes, held))));
    }
    Ok(Found { note: note(&path, tensors.len(), held.len()), tensors })
}

/// Goes into wrappers for as long as there is exactly one; several are never chosen among.
fn unwrap(nodes: &Nodes, root: Id) -> Result<(Id, String), Refusal> {
    let (mut inner, mut path) = (root, Vec::new());
    for deepest in (0..DEEPEST).rev() {
        let mut seen = vec![inner];
        let mut holding = under(nodes, pairs(nodes, inner).unwrap_or_default(), &WRAPPERS);
        holding.retain(|(_, dict)| holds_tensors(nodes, *dict, deepest, &mut seen));
        match holding.as_slice() {
            [] => break,
            [(name, dict)] => {
                inner = *dict;
                path.push(*name);
            }
            several => {
                let names: Vec<_> = several.iter().map(|(name, _)| *name).collect();
                let problem = format!("it holds several state dicts ({}): name the one that is meant with --key", names.join(", "));
                return Err(Refusal::new(Reason::Ambiguous, problem));
            }
        }
    }
    Ok((inner, path.join(".")))
}

/// Whether a dict or one that it wraps holds a tensor; every dict is looked at once, so that no tangle of them takes long.
fn holds_tensors(nodes: &Nodes, dict: Id, deepest: usize, seen: &mut Vec<Id>) -> bool {
    if seen.contains(&dict) {
        return false;
    }
    seen.push(dict);
    let held = pairs(nodes, dict).unwrap_or_default();
    held.iter().any(|(_, value)| matches!(nodes.get(*value), Node::Tensor(_)))
        || (deepest > 0 && under(nodes, held, &WRAPPERS).iter().any(|(_, inner)| holds_tensors(nodes, *inner, deepest - 1, seen)))
}

fn pairs<'n>(nodes: &'n Nodes, dict: Id) -> Option<&'n Pairs> {
    match nodes.get(dict) {
        Node::Dict(pairs) => Some(pairs),
        _ => None,
    }
}

/// The dicts under some names; of several under one name the last, as in Python.
fn under<'w>(nodes: &Nodes, held: &Pairs, names: &[&'w str]) -> Vec<(&'w str, Id)> {
    let mut found = vec![None; names.len()];
    for (key, value) in held {
        if let Node::Text(text) = nodes.get(*key)
            && let Some(place) = names.iter().position(|name| name == text)
        {
            found[place] = pairs(nodes, *value).map(|_| (names[place], *value));
        }
    }
    found.into_iter().flatten().collect()
}

fn no_such(nodes: &Nodes, pairs: &[(Id, Id)], key: &str) -> Refusal {
    Refusal::new(Reason::NoTensors, format!("it holds no dict under the key {key:?}; its keys are {}", shown(nodes, pairs)))
}

fn shown(nodes: &Nodes, pairs: &Pairs) -> String {
    let name = |(key, _): &(Id, Id)| match nodes.get(*key) {
        Node::Text(text) => text.chars().take(60).flat_map(char::escape_debug).collect(),
        _ => "something that is no text".to_owned(),
    };
    let names: Vec<String> = pairs.iter().take(NAMED).map(name).collect();
    let more = if pairs.len() > NAMED { format!(" and {} more", pairs.len() - NAMED) } else { String::new() };
    if names.is_empty() { "none".into() } else { format!("{}{more}", names.join(", ")) }
}

fn note(path: &str, tensors: usize, values: usize) -> String {
    let place = if path.is_empty() { "the pickle's own dict".into() } else { format!("the pickle's `{}`", path.escape_debug()) };
    let skipped = match values - tensors {
        0 => String::new(),
        count => format!("; {count} values that are no tensors were passed over"),
    };
    format!("{tensors} tensors from {place}{skipped}")
}
