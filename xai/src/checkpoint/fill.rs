//! Weights from tensors: every one must be there, with its shape, and none may be left over.

use std::collections::BTreeSet;

use super::layout::{self, Layout, OnDisk};
use super::tensors::Tensors;
use crate::Error;
use crate::vit::config::VitConfig;
use crate::vit::layers::transposed;
use crate::vit::weights::Weights;

/// Problems named before the rest is only counted.
const NAMED: usize = 8;

pub(super) fn fill(
    tensors: &Tensors,
    layout: &Layout,
    config: &VitConfig,
    weights: &mut Weights<f32>,
    notes: &mut Vec<String>,
) -> Result<(), Error> {
    let mut left: BTreeSet<&str> = tensors.names().keys().map(String::as_str).collect();
    let places: Vec<Vec<OnDisk>> = weights.named().iter().map(|(name, tensor)| layout.on_disk(name, &tensor.shape, config)).collect();
    let mut problems: Vec<String> = places.iter().flatten().filter_map(|place| problem(tensors, place)).collect();
    places.iter().flatten().for_each(|place| {
        left.remove(place.name.as_str());
    });
    let (unused, unexpected): (Vec<&str>, Vec<&str>) = left.into_iter().partition(|name| layout.is_unused(name));
    problems.extend(unexpected.iter().map(|name| format!("{name} is not expected")));
    if !problems.is_empty() {
        return Err(Error::Checkpoint { path: tensors.path().into(), problem: summary(&problems) });
    }
    if !unused.is_empty() {
        notes.push(format!("not read, because no forward pass needs it: {}", unused.join(", ")));
    }
    for ((name, tensor), places) in weights.named_mut().into_iter().zip(&places) {
        let values = places.iter().map(|place| tensors.values(&place.name)).collect::<Result<Vec<_>, _>>()?;
        tensor.data = values.concat();
        if let Some((inputs, outputs)) = layout::matrix(&name, &tensor.shape) {
            tensor.data = transposed(&tensor.data, outputs, inputs);
        }
    }
    Ok(())
}

fn problem(tensors: &Tensors, place: &OnDisk) -> Option<String> {
    match tensors.shape(&place.name) {
        None => Some(format!("{} {:?} is missing", place.name, place.shape)),
        Some(shape) if shape != place.shape => Some(format!("{} has shape {shape:?}, {:?} is expected", place.name, place.shape)),
        Some(_) => None,
    }
}

fn summary(problems: &[String]) -> String {
    let more = problems.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("it does not fit the architecture: {}{rest}", problems[..problems.len().min(NAMED)].join("; "))
}
