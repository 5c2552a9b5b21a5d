//! The architecture of a checkpoint without `config.json`: the one whose dimensions match, or a refusal.

use super::layout::Layout;
use super::tensors::Tensors;
use crate::Error;
use crate::vit::config::VitConfig;

/// Dimensions that tensors show; the number of heads is not among them.
#[derive(Debug, PartialEq, Eq)]
struct Dimensions {
    hidden: usize,
    layers: usize,
    intermediate: usize,
    patch: usize,
    tokens: usize,
}

impl Dimensions {
    fn of(config: &VitConfig) -> Self {
        Self {
            hidden: config.hidden_size,
            layers: config.num_hidden_layers,
            intermediate: config.intermediate_size,
            patch: config.patch_size,
            tokens: config.tokens(),
        }
    }

    fn read(tensors: &Tensors, layout: &Layout) -> Option<Self> {
        let shape = |name: &str| tensors.shape(&layout.prefixed(name));
        let positions = shape("embeddings.position_embeddings").filter(|shape| shape.len() == 3)?;
        let patch = shape("embeddings.patch_embeddings.projection.weight").filter(|shape| shape.len() == 4)?;
        let layers = (0..).take_while(|layer| shape(&format!("encoder.layer.{layer}.attention.output.dense.weight")).is_some()).count();
        let intermediate = shape("encoder.layer.0.intermediate.dense.bias").or(shape("encoder.layer.0.mlp.fc1.bias"))?;
        Some(Self { hidden: positions[2], layers, intermediate: *intermediate.first()?, patch: patch[3], tokens: positions[1] })
    }
}

/// The one named architecture of these dimensions.
pub(super) fn guess(tensors: &Tensors, layout: &Layout) -> Result<(&'static str, VitConfig), Error> {
    let found = Dimensions::read(tensors, layout);
    let fits = |config: &VitConfig| config.family == layout.family() && Some(Dimensions::of(config)) == found;
    let mut matching: Vec<_> = VitConfig::named().into_iter().filter(|(_, config)| fits(config)).collect();
    if matching.len() == 1 {
        return Ok(matching.remove(0));
    }
    let names: Vec<_> = VitConfig::named().iter().map(|(name, _)| *name).collect();
    let seen = found.map_or("unreadable dimensions".into(), |dimensions| format!("{dimensions:?}"));
    Err(Error::Checkpoint {
        path: tensors.path().into(),
        problem: format!(
            "there is no config.json, and {seen} match {} named architectures; put config.json beside the file or name one with --arch: {}",
            matching.len(),
            names.join(", ")
        ),
    })
}
