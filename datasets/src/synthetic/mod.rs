//! Drawn skin lesions in the look of dermoscopy, with exact masks, for demonstrations, tests and training without a download.
//!
//! A picture is made as one is taken: a patient's skin, a lesion on it with the structures of its class, artefacts that know nothing
//! of the class, a camera. Each has its own random stream, so two pictures can share a patient or a lesion and still differ in the view.
//! The same seeds give the same bytes on every machine.

mod artefacts;
mod camera;
mod coarse;
mod cohort;
mod coverage;
mod elementary;
mod finding;
mod lesion;
mod noise;
mod outline;
mod pigment;
mod point;
mod recipes;
mod skin;
mod stream;
mod structures;
mod tissue;
mod tone;

use image::{GrayImage, Luma, RgbImage};

pub use artefacts::Artefact;
pub use cohort::{Cohort, CohortPlan, Shares};
pub use finding::Finding;
pub use tone::SkinTone;

use crate::LesionClass;
use artefacts::lay_artefacts;
use camera::Camera;
use lesion::Lesion;
use outline::Outline;
use point::{Point, View};
use skin::Skin;
pub(crate) use stream::Stream;

/// Smallest side of a drawing in pixels.
pub const SMALLEST_SIZE: u32 = 16;
/// Largest side of a drawing in pixels.
pub const LARGEST_SIZE: u32 = 2048;

/// What decides a picture: pictures with the same `patient` share the skin, with the same `lesion` too the lesion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seeds {
    /// The patient's skin.
    pub patient: u64,
    /// Outline, colours and structures.
    pub lesion: u64,
    /// Placement, artefacts and camera.
    pub view: u64,
}

impl Seeds {
    /// One seed for all three.
    pub fn all(seed: u64) -> Seeds {
        Seeds { patient: seed, lesion: seed, view: seed }
    }
}

/// A drawn picture with all that is known about it.
#[derive(Clone, Debug)]
pub struct DrawnLesion {
    /// The picture, square, RGB.
    pub image: RgbImage,
    /// Exact mask of the same size: 255 inside the outline, 0 outside.
    pub mask: GrayImage,
    /// The class whose recipe was followed.
    pub class: LesionClass,
    /// Structures that were laid, in drawing order.
    pub findings: Vec<Finding>,
    /// Artefacts that were laid.
    pub artefacts: Vec<Artefact>,
    /// The skin's type.
    pub tone: SkinTone,
    /// Long diameter of the lesion in millimetres, visible or not.
    pub long_diameter_mm: f32,
}

/// Draws a lesion of a class on a random patient; `size` is the side in pixels, held to [`SMALLEST_SIZE`]..=[`LARGEST_SIZE`].
///
/// ```
/// use datasets::{LesionClass, synthetic::draw};
/// let drawn = draw(LesionClass::Melanoma, 7, 96);
/// assert_eq!(drawn.image.dimensions(), (96, 96));
/// assert_eq!(drawn.image, draw(LesionClass::Melanoma, 7, 96).image);
/// assert!(drawn.mask.pixels().any(|p| p.0 == [255]) && drawn.mask.pixels().any(|p| p.0 == [0]));
/// ```
pub fn draw(class: LesionClass, seed: u64, size: u32) -> DrawnLesion {
    let tone = SkinTone::draw(&mut Stream::new(seed).fork("tone"));
    draw_from(class, Seeds::all(seed), tone, size)
}

/// Draws a lesion from separate seeds on skin of a given type.
pub fn draw_from(class: LesionClass, seeds: Seeds, tone: SkinTone, size: u32) -> DrawnLesion {
    let size = size.clamp(SMALLEST_SIZE, LARGEST_SIZE);
    let (body, growth, shot) = (Stream::new(seeds.patient), Stream::new(seeds.lesion), Stream::new(seeds.view));
    let outline = grow(class, &growth);
    let view = place(&outline, size, &mut shot.fork("view"));
    let mut lesion = Lesion::new(outline, view);
    recipes::paint(class, &mut lesion, &mut growth.fork("structures"));

    let skin = Skin::draw(tone, &mut body.fork("skin"));
    let mut place_on_body = growth.fork("place on the body");
    let corner = Point::new(place_on_body.between(0.0, 200.0), place_on_body.between(0.0, 200.0));
    let mut tissue = skin.paint(size, view.span_mm, corner, &mut shot.fork("vessels"));
    let mut mask = GrayImage::new(size, size);
    for site in &lesion.sites {
        tissue[site.pixel] = site.tissue.over(&tissue[site.pixel]);
        if site.depth > 0.0 {
            mask.put_pixel(site.pixel as u32 % size, site.pixel as u32 / size, Luma([255]));
        }
    }
    let camera = Camera::draw(&mut shot.fork("camera"));
    let mut rgb = camera.expose(&tissue, size);
    let artefacts = lay_artefacts(&mut rgb, size, &shot.fork("artefacts"));
    let image = camera.develop(&rgb, size, &mut shot.fork("sensor"));
    DrawnLesion { image, mask, class, findings: lesion.findings, artefacts, tone, long_diameter_mm: long_diameter(&lesion.outline) }
}

/// The long diameter, in millimetres, that a lesion will be drawn with.
fn long_diameter_of(class: LesionClass, lesion_seed: u64) -> f32 {
    long_diameter(&grow(class, &Stream::new(lesion_seed)))
}

fn grow(class: LesionClass, growth: &Stream) -> Outline {
    let mut shape = growth.fork("outline");
    Outline::draw(&recipes::outline(class, &mut shape), &mut shape)
}

/// Where the lesion falls: anywhere, as long as most of it is in the picture.
fn place(outline: &Outline, size: u32, stream: &mut Stream) -> View {
    let span_mm = stream.between(6.0, 12.0).max(2.1 * outline.radius_mm());
    // Half of the pictures are aimed at the lesion, more or less; in the others it is anywhere.
    let room = if stream.chance(0.5) { 0.10 } else { (0.5 - 0.75 * outline.radius_mm() / span_mm).max(0.10) };
    let mut coordinate = || size as f32 * (0.5 + room * stream.between(-1.0, 1.0));
    let centre = Point::new(coordinate(), coordinate());
    View { size, span_mm, centre, turn: stream.unit() }
}

/// The largest distance between opposite border points.
fn long_diameter(outline: &Outline) -> f32 {
    (0..32).map(|k| outline.border(k as f32 / 64.0).length() + outline.border(k as f32 / 64.0 + 0.5).length()).fold(0.0, f32::max)
}
