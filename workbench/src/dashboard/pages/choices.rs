//! What the controls offer, with what is chosen.

use xai::{Colormap, Method, Vit};

use crate::dashboard::cost::is_bearable;

/// An option of a list.
pub struct Choice {
    pub value: String,
    pub label: String,
    pub about: &'static str,
    pub chosen: bool,
}

/// Methods; without a head only class-agnostic ones have an answer, and those of many passes stand where a page can wait for them.
pub fn methods(vit: &Vit, chosen: &str) -> Vec<Choice> {
    let headless = vit.labels().is_empty();
    let offered =
        Method::named().into_iter().filter(|(_, method, _)| !(headless && method.is_class_specific()) && is_bearable(vit, method));
    offered.map(|(name, _, about)| Choice { value: name.into(), label: name.into(), about, chosen: name == chosen }).collect()
}

/// Classes by their place, so that no name must be escaped in an address.
pub fn classes(vit: &Vit, chosen: Option<usize>) -> Vec<Choice> {
    let names = vit.labels().names().iter().enumerate();
    names.map(|(index, name)| Choice { value: index.to_string(), label: name.clone(), about: "", chosen: chosen == Some(index) }).collect()
}

/// Layers or heads: counted from 1 for people, from 0 in addresses.
pub fn numbered(count: usize, chosen: Option<usize>) -> Vec<Choice> {
    let choice =
        |index: usize| Choice { value: index.to_string(), label: (index + 1).to_string(), about: "", chosen: chosen == Some(index) };
    (0..count).map(choice).collect()
}

/// Colour maps.
pub fn colormaps(chosen: Colormap) -> Vec<Choice> {
    let label = |map: Colormap| map.name().replace('_', " and ");
    let choice = |map: Colormap| Choice { value: map.to_string(), label: label(map), about: "", chosen: map == chosen };
    Colormap::ALL.map(choice).into()
}
