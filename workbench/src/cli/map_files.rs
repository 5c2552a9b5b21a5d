//! The files of one explained picture: an overlay and two arrays a method, under names that every file system takes.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use image::RgbImage;
use ndarray_npy::write_npy;
use xai::{HeatMap, Method, Support, side_by_side};

use super::explanation::MapFacts;
use super::style::StyleArguments;
use crate::drawn_model;
use crate::pipeline::{self, Map, Reading};

/// Where one picture's files go, and how overlays look.
pub struct MapFiles<'a> {
    /// The folder; made if it does not exist.
    pub folder: &'a Path,
    /// What every file's name begins with.
    pub stem: &'a str,
    /// How overlays look.
    pub style: &'a StyleArguments,
}

impl MapFiles<'_> {
    /// Writes the maps of a reading, one after the other, and tells what was written.
    pub fn write(
        &self,
        picture: &RgbImage,
        reading: &Reading,
        methods: &[(String, Method)],
        target: &str,
    ) -> anyhow::Result<Vec<MapFacts>> {
        std::fs::create_dir_all(self.folder).with_context(|| format!("folder {} cannot be made", self.folder.display()))?;
        let named = methods.iter().zip(&reading.maps);
        named.map(|((name, method), map)| self.write_map(picture, reading, (name, method), map, target)).collect()
    }

    fn write_map(
        &self,
        picture: &RgbImage,
        reading: &Reading,
        (name, method): (&str, &Method),
        map: &Map,
        target: &str,
    ) -> anyhow::Result<MapFacts> {
        let about = if method.is_class_specific() { format!("for: {target}") } else { "the same for every class".into() };
        let model =
            if reading.trace.vit().source().name == drawn_model::NAME { format!("; model {}", drawn_model::LABEL) } else { String::new() };
        let from = if let Method::IntegratedGradients(settings) = method { format!(" from {}", settings.baseline) } else { String::new() };
        let drawn = pipeline::overlay(picture, reading, map, &self.style.style(format!("{name}{from}, {about}{model}"))?);
        let file = |ending: &str| format!("{}.{name}.{ending}", self.stem);
        let (overlay, grid, full) = (file("png"), file("grid.npy"), file("full.npy"));
        let place = |file: &str| self.folder.join(file);
        side_by_side(picture, &drawn).save(place(&overlay)).with_context(|| format!("{overlay} cannot be written"))?;
        write_npy(place(&grid), &map.heat_map.values().to_owned()).with_context(|| format!("{grid} cannot be written"))?;
        write_npy(place(&full), &full_resolution(reading, map)?).with_context(|| format!("{full} cannot be written"))?;
        let recipe = map.attribution.recipe.clone();
        Ok(MapFacts {
            method: name.to_owned(),
            recipe_hash: recipe.hash(),
            recipe,
            range: map.heat_map.range(),
            no_localised_evidence: map.heat_map.is_flat(),
            completeness_gap: map.attribution.completeness_gap,
            overlay,
            grid,
            full,
        })
    }
}

/// The map on the model's input pixels: as the method gave it, or its patches resized bilinearly.
fn full_resolution(reading: &Reading, map: &Map) -> anyhow::Result<ndarray::Array2<f32>> {
    if map.attribution.support == Support::Pixels {
        return Ok(map.attribution.values.clone());
    }
    let (height, width) = reading.trace.batch().size();
    Ok(HeatMap::new(map.attribution.values.clone())?.resize(height, width).values().to_owned())
}

/// A file's name without its ending, in letters that every file system takes.
pub fn stem(file: &Path) -> String {
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let safe: String = name.chars().take(100).map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    if safe.trim_matches('.').is_empty() {
        "picture".into()
    } else if is_device(&safe) {
        format!("_{safe}")
    } else {
        safe
    }
}

/// Names that Windows gives to devices, whatever ending follows.
fn is_device(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = first.strip_prefix("COM").or(first.strip_prefix("LPT")).is_some_and(|rest| rest.len() == 1 && rest != "0");
    numbered || ["CON", "PRN", "AUX", "NUL"].contains(&first.as_str())
}

/// A name that no other picture of this run has.
pub fn unique(stem: String, taken: &mut HashSet<String>) -> String {
    let mut candidate = stem.clone();
    let mut number = 2;
    while !taken.insert(candidate.clone()) {
        candidate = format!("{stem}-{number}");
        number += 1;
    }
    candidate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_become_plain_ones() {
        for (name, expected) in [
            ("../../etc/passwd", "passwd"),
            ("a\nb<img onerror>.png", "a_b_img_onerror_"),
            ("...", "picture"),
            ("ünï.jpg", "_n_"),
            ("CON", "_CON"),
            ("com1.x.png", "_com1.x"),
            ("CONE.png", "CONE"),
        ] {
            assert_eq!(stem(Path::new(name)), expected);
        }
        assert_eq!(stem(Path::new(&"x".repeat(300))).len(), 100);
    }

    #[test]
    fn pictures_of_one_name_do_not_overwrite_each_other() {
        let mut taken = HashSet::new();
        let names = [(); 3].map(|()| unique("a".into(), &mut taken));
        assert_eq!(names, ["a", "a-2", "a-3"]);
    }
}
