//! A picture of a lesion with what is known about it.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use datasets::synthetic::DrawnLesion;
use datasets::{LesionClass, Limits};
use image::{GrayImage, RgbImage};
use workbench::pipeline;

use crate::drawn;

/// A picture with what is known about it.
#[derive(Clone, PartialEq)]
pub struct Lesion {
    /// Where it comes from, in a word.
    pub name: String,
    /// The picture, upright.
    pub picture: RgbImage,
    /// Its class, where it is known.
    pub class: Option<LesionClass>,
    /// Where the lesion is, 255 inside, of the picture's size, where it is known.
    pub mask: Option<GrayImage>,
    /// What decoding changed.
    pub notes: Vec<String>,
}

/// Opens a JPEG or PNG file, within the limits that every picture is held to.
///
/// # Errors
/// When the file cannot be read, or its contents are refused, with a stable code.
pub fn open(path: impl AsRef<Path>) -> Result<Lesion> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    // One byte beyond the limit shows that it is too large.
    let read = File::open(path).and_then(|file| file.take(Limits::default().bytes as u64 + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("picture {} cannot be read; check its path", path.display()))?;
    let decoded = pipeline::picture(&bytes).with_context(|| format!("picture {} is refused", path.display()))?;
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let notes = decoded.notes.iter().map(ToString::to_string).collect();
    Ok(Lesion { name, picture: decoded.image, class: None, mask: None, notes })
}

/// Lesions to try things on: the first `count` pictures in the folder of the environment's `PELLUCID_DATA` or in its `images` folder, by
/// name; without the variable, drawn ones of every class in turn.
///
/// ```
/// let lesions = pellucid::lesions(3)?;
/// assert_eq!(lesions.len(), 3);
/// # Ok::<(), pellucid::Error>(())
/// ```
///
/// # Errors
/// When the folder holds no picture, or one of them is refused.
pub fn lesions(count: usize) -> Result<Vec<Lesion>> {
    let Some(folder) = std::env::var_os("PELLUCID_DATA") else { return Ok(drawn::lesions(count)) };
    lesions_in(Path::new(&folder), count)
}

fn lesions_in(folder: &Path, count: usize) -> Result<Vec<Lesion>> {
    let mut paths = pictures_in(folder)?;
    // Archives keep their pictures beside their tables.
    let below = folder.join("images");
    if paths.is_empty() && below.is_dir() {
        paths = pictures_in(&below)?;
    }
    anyhow::ensure!(
        !paths.is_empty(),
        "PELLUCID_DATA is {}, which holds no .jpg, .jpeg or .png, nor does its images folder",
        folder.display()
    );
    paths.sort();
    paths.iter().take(count).map(open).collect()
}

fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        folder.read_dir().with_context(|| format!("the pictures of PELLUCID_DATA: folder {} cannot be read", folder.display()))?;
    let is_picture = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        ["jpg", "jpeg", "png"].contains(&ending.as_str())
    };
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_picture).collect())
}

impl fmt::Debug for Lesion {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (width, height) = self.picture.dimensions();
        write!(f, "Lesion {}, {height}×{width} pixels", self.name)?;
        self.class.map_or(Ok(()), |class| write!(f, ", {}", class.name()))
    }
}

impl From<&Lesion> for Lesion {
    fn from(lesion: &Lesion) -> Self {
        lesion.clone()
    }
}

impl From<RgbImage> for Lesion {
    fn from(picture: RgbImage) -> Self {
        Self { name: "picture".into(), picture, class: None, mask: None, notes: Vec::new() }
    }
}

impl From<&RgbImage> for Lesion {
    fn from(picture: &RgbImage) -> Self {
        picture.clone().into()
    }
}

impl From<DrawnLesion> for Lesion {
    fn from(drawn: DrawnLesion) -> Self {
        let name = format!("drawn {}", drawn.class.name());
        Self { name, picture: drawn.image, class: Some(drawn.class), mask: Some(drawn.mask), notes: Vec::new() }
    }
}

impl From<&DrawnLesion> for Lesion {
    fn from(drawn: &DrawnLesion) -> Self {
        drawn.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_pictures_by_name_and_says_when_it_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let message = format!("{:#}", lesions_in(folder.path(), 3).unwrap_err());
        assert!(message.contains("holds no .jpg"), "{message}");
        let below = folder.path().join("images");
        std::fs::create_dir(&below).unwrap();
        RgbImage::new(20, 16).save(below.join("deeper.png")).unwrap();
        assert_eq!(lesions_in(folder.path(), 2).unwrap()[0].name, "deeper");
        for name in ["b.png", "a.PNG", "c.png"] {
            RgbImage::new(20, 16).save_with_format(folder.path().join(name), image::ImageFormat::Png).unwrap();
        }
        std::fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
        let names: Vec<String> = lesions_in(folder.path(), 2).unwrap().into_iter().map(|lesion| lesion.name).collect();
        assert_eq!(names, ["a", "b"]);
        std::fs::write(folder.path().join("a.PNG"), "no picture").unwrap();
        let message = format!("{:#}", lesions_in(folder.path(), 2).unwrap_err());
        assert!(message.contains("a.PNG is refused: "), "{message}");
    }
}
