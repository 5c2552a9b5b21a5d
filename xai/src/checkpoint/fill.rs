//! Weights from tensors: every one must be there, with its shape, and none may be left over.

use std::collections::BTreeSet;

use super::layout::{Layout, OnDisk, Order};
use super::tensors::Tensors;
use crate::Error;
use crate::vit::config::VitConfig;
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
    // A tensor without values says nothing: vit-pytorch writes an empty class token where it has none.
    let with_values = tensors.names().iter().filter(|(_, shape)| !shape.contains(&0));
    let mut left: BTreeSet<&str> = with_values.map(|(name, _)| name.as_str()).collect();
    let places: Vec<Vec<OnDisk>> = weights.named().iter().map(|(name, tensor)| layout.on_disk(name, &tensor.shape(), config)).collect();
    let homeless =
        weights.named().iter().zip(&places).filter(|(_, places)| places.is_empty()).map(|((name, _), _)| name.clone()).collect::<Vec<_>>();
    let mut problems: Vec<String> = homeless.iter().map(|name| format!("{name} has no place in the layout of {layout}")).collect();
    problems.extend(places.iter().flatten().filter_map(|place| problem(tensors, place)));
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
    for ((_, mut tensor), places) in weights.named_mut().into_iter().zip(&places) {
        let values =
            places.iter().map(|place| Ok(ordered(tensors.values(&place.name)?, place.order))).collect::<Result<Vec<_>, Error>>()?;
        tensor.fill(values.concat());
    }
    Ok(())
}

fn problem(tensors: &Tensors, place: &OnDisk) -> Option<String> {
    match tensors.shape(&place.name) {
        None => Some(format!("{} {:?} is missing", place.name, place.shape)),
        Some(shape) if bare(shape) != bare(&place.shape) => {
            Some(format!("{} has shape {shape:?}, {:?} is expected", place.name, place.shape))
        }
        Some(_) => None,
    }
}

/// A shape without the leading ones that some libraries write and others do not.
fn bare(shape: &[usize]) -> &[usize] {
    let ones = shape.iter().take_while(|&&side| side == 1).count();
    &shape[ones.min(shape.len().saturating_sub(1))..]
}

/// Values in the engine's order: patches as (…, C, P, P).
fn ordered(values: Vec<f32>, order: Order) -> Vec<f32> {
    match order {
        Order::Plain | Order::ChannelsLast { channels: 1, .. } => values,
        Order::ChannelsLast { channels, patch } => {
            let pixels = patch * patch;
            let of_row = |row: &[f32]| (0..row.len()).map(|at| row[at % pixels * channels + at / pixels]).collect::<Vec<_>>();
            values.chunks(channels * pixels).flat_map(of_row).collect()
        }
    }
}

fn summary(problems: &[String]) -> String {
    let more = problems.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("it does not fit the architecture: {}{rest}", problems[..problems.len().min(NAMED)].join("; "))
}
