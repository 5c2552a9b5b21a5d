//! The architecture of a checkpoint: what its tensors show, completed by its configuration, a name, or what was said when it was loaded.

use super::layout::Layout;
use super::seen::Seen;
use super::stated::Stated;
use super::tensors::Tensors;
use super::{Hints, Parts};
use crate::Error;
use crate::vit::choices::{Activation, Pooling, Positions};
use crate::vit::config::VitConfig;

/// What is known of a checkpoint before its values are read.
pub(super) struct Known<'a> {
    pub tensors: &'a Tensors<'a>,
    pub layout: &'a Layout,
    pub seen: Seen,
}

/// The architecture and what its configuration says beside it. Sentences about it are added to `notes`.
///
/// # Errors
/// [`Error::Checkpoint`] where heads or grid cannot be told, with what to say; [`Error::Config`] for what is said twice differently.
pub(super) fn of(known: &Known, parts: &Parts, notes: &mut Vec<String>) -> Result<(VitConfig, Stated), Error> {
    let Known { layout, seen, .. } = known;
    let stated = match &parts.config {
        Some(text) => Stated::parse(text, layout.family(), seen)?,
        None => Stated::default(),
    };
    let named = named(known, parts, notes)?;
    let heads = heads(known, &stated, named.as_ref(), &parts.hints)?;
    let (image_size, positions) = grid(known, &stated, named.as_ref(), notes)?;
    let activation = activation(known, &stated, named.as_ref(), &parts.hints, notes)?;
    let named_size = |size: fn(&VitConfig) -> usize| named.as_ref().map(size);
    let hidden_size = stated.hidden_size.or(named_size(|named| named.hidden_size)).unwrap_or(seen.hidden);
    let tokens = seen.tokens;
    let registers = stated.registers.unwrap_or(tokens.registers);
    let config = VitConfig {
        family: layout.family(),
        hidden_size,
        num_hidden_layers: stated.layers.or(named_size(|named| named.num_hidden_layers)).unwrap_or(seen.layers),
        num_attention_heads: heads,
        head_size: (seen.attention != seen.hidden).then(|| seen.attention / heads.max(1)),
        intermediate_size: stated.intermediate.or(named_size(|named| named.intermediate_size)).unwrap_or(seen.intermediate),
        hidden_act: activation,
        qkv_bias: stated.qkv_bias.unwrap_or(seen.qkv_bias),
        layer_scale: seen.layer_scale,
        image_size,
        patch_size: stated.patch.or(named_size(|named| named.patch_size)).unwrap_or(seen.patch),
        num_channels: stated.channels.unwrap_or(seen.channels),
        patch_norms: seen.patch_norms,
        special_tokens: crate::Tokens { registers, ..tokens },
        positions,
        position_resize: layout.position_resize(registers),
        layer_norm_eps: stated.eps.unwrap_or_else(|| layout.layer_norm_eps()),
        final_norm: layout.final_norm(),
        pooling: pooling(known, &stated),
    };
    Ok((config, stated))
}

/// What the head reads: as the configuration says, where names leave it open.
fn pooling(known: &Known, stated: &Stated) -> Pooling {
    let by_names = known.layout.pooling(known.seen.tokens.cls);
    match stated.pooling {
        // Without a class token both means are over the patches, and a distilled head reads what it reads.
        Some(stated) if known.seen.tokens.cls && by_names != Pooling::ClsAndDistillation => stated,
        _ => by_names,
    }
}

fn named(known: &Known, parts: &Parts, notes: &mut Vec<String>) -> Result<Option<VitConfig>, Error> {
    match (&parts.config, &parts.hints.arch) {
        (Some(_), arch) => {
            notes.push("architecture from config.json".into());
            if arch.is_some() {
                notes.push("the named architecture was not needed: config.json decides".into());
            }
            Ok(None)
        }
        (None, Some(arch)) => {
            let config = VitConfig::by_name(arch)?;
            notes.push("no config.json: architecture as named".into());
            Ok(Some(config))
        }
        (None, None) if parts.hints.heads.is_some() => {
            notes.push("no config.json: architecture from the tensors, heads as said".into());
            Ok(None)
        }
        (None, None) => {
            let (name, config) = guess(known)?;
            notes.push(format!("no config.json: dimensions match {name} and no other named architecture"));
            Ok(Some(config))
        }
    }
}

/// The one named architecture of these dimensions; files that anybody may have written are not told by dimensions.
fn guess(known: &Known) -> Result<(&'static str, VitConfig), Error> {
    let Known { tensors, layout, seen } = known;
    let mut matching: Vec<_> = VitConfig::named().into_iter().filter(|(_, config)| fits(config, seen)).collect();
    if matching.len() == 1 && !layout.is_anybodys() {
        return Ok(matching.remove(0));
    }
    let names: Vec<_> = VitConfig::named().iter().map(|(name, _)| *name).collect();
    let usual = if seen.attention.is_multiple_of(64) { format!(" ({} if they are 64 wide)", seen.attention / 64) } else { String::new() };
    let like = matching.iter().map(|(name, _)| format!("; it has the dimensions of {name}")).collect::<String>();
    let why = if layout.is_anybodys() {
        format!("anybody may have written it in {layout}'s names{like}")
    } else {
        format!("its dimensions match {} named architectures", matching.len())
    };
    Err(tensors.refuse(format!(
        "there is no config.json, and {why}: {seen:?}. The number of heads cannot be seen from tensors: say --heads N{usual}, \
         put config.json with num_attention_heads beside the file, or name an architecture with --arch: {}",
        names.join(", ")
    )))
}

fn fits(config: &VitConfig, seen: &Seen) -> bool {
    let (grid, special) = (config.patches().count(), config.special_tokens);
    let rows = [grid + special.count(), grid + special.count() - special.registers, grid];
    let sizes = |hidden, layers, intermediate, attention| [hidden, layers, intermediate, attention];
    sizes(config.hidden_size, config.num_hidden_layers, config.intermediate_size, config.attention_width())
        == sizes(seen.hidden, seen.layers, seen.intermediate, seen.attention)
        && (config.patch_size, config.num_channels, special) == (seen.patch, seen.channels, seen.tokens)
        && rows.contains(&seen.positions)
        && (config.layer_scale, config.patch_norms) == (seen.layer_scale, seen.patch_norms)
}

fn heads(known: &Known, stated: &Stated, named: Option<&VitConfig>, hints: &Hints) -> Result<usize, Error> {
    let by_file = stated.heads.or(named.map(|named| named.num_attention_heads));
    let heads = match (by_file, hints.heads) {
        (Some(file), Some(said)) if file != said => {
            let problem = format!("{said} heads were said, but the configuration or the named architecture has {file}; leave one out");
            return Err(known.tensors.refuse(problem));
        }
        (Some(heads), _) | (None, Some(heads)) => heads,
        (None, None) => {
            let problem = "it is missing, and tensors do not show it; write it, or say --heads N".to_owned();
            return Err(super::stated::refuse("num_attention_heads", problem));
        }
    };
    // Heads as wide as a token in sum are judged with the other dimensions.
    let Seen { hidden, attention, .. } = known.seen;
    if attention != hidden && (heads == 0 || !attention.is_multiple_of(heads)) {
        let problem = format!("{heads} does not divide the attention's width {attention}");
        return Err(super::stated::refuse("num_attention_heads", problem));
    }
    Ok(heads)
}

fn activation(
    known: &Known,
    stated: &Stated,
    named: Option<&VitConfig>,
    hints: &Hints,
    notes: &mut Vec<String>,
) -> Result<Activation, Error> {
    let by_file = stated.activation.or(named.map(|named| named.hidden_act));
    match (by_file, hints.activation) {
        (Some(file), Some(said)) if file != said => {
            let problem = format!("activation {said} was said, but the configuration or the named architecture has {file}; leave one out");
            Err(known.tensors.refuse(problem))
        }
        (Some(activation), _) | (None, Some(activation)) => Ok(activation),
        (None, None) => {
            if known.layout.is_anybodys() && known.seen.intermediate > 0 {
                notes.push("activation is taken as GELU, the library's own; say --activation relu for a model that has changed it".into());
            }
            Ok(Activation::Gelu)
        }
    }
}

type Grid = ((usize, usize), Positions);

/// Height and width that the position table was made for, and which tokens are in it.
fn grid(known: &Known, stated: &Stated, named: Option<&VitConfig>, notes: &mut Vec<String>) -> Result<Grid, Error> {
    let Known { tensors, layout, seen } = known;
    let default = (layout.is_hugging_face() && named.is_none()).then_some((224, 224));
    let image_size = stated.image_size.or(named.map(|named| named.image_size));
    let rows_of = |patches: usize| {
        let tokens = seen.tokens;
        [
            (Positions::Every, patches.saturating_add(tokens.count())),
            (Positions::NotRegisters, patches.saturating_add(tokens.count() - tokens.registers)),
            (Positions::Patches, patches),
        ]
    };
    let fitting = |patches: usize| rows_of(patches).into_iter().find(|(_, rows)| *rows == seen.positions).map(|(which, _)| which);
    let usual = layout.positions(seen.tokens.registers);
    if let Some((height, width)) = image_size {
        let patch = stated.patch.unwrap_or(seen.patch).max(1);
        // Where no reading fits, the tensors' shapes say so when they are compared.
        return Ok(((height, width), fitting((height / patch).saturating_mul(width / patch)).unwrap_or(usual)));
    }
    let squares: Vec<usize> = (1..=seen.positions.isqrt()).filter(|side| fitting(side * side).is_some()).collect();
    match (squares.as_slice(), default) {
        ([side], _) => {
            let pixels = side * seen.patch;
            notes.push(format!("no image size is said: {} positions are taken as {side} × {side} patches", seen.positions));
            Ok(((pixels, pixels), fitting(side * side).unwrap_or(usual)))
        }
        (_, Some(size)) => Ok((size, usual)),
        _ => Err(tensors.refuse(format!(
            "its {} positions are no square grid, and no image size is said; put config.json with image_size [height, width] beside the file",
            seen.positions
        ))),
    }
}
