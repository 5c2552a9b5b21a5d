//! The lesion's ground: its main colour with texture on several scales, and patches of further colours.

use super::elementary::smoothstep;
use super::lesion::Lesion;
use super::noise::Noise;
use super::point::Point;
use super::stream::Stream;
use super::tissue::Tissue;

/// The main colour of a lesion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    /// Amounts where the lesion is fully there.
    pub tissue: Tissue,
    /// Width of the border's fading, in shares of the radius; 0.02 is sharp, 0.5 diffuse.
    pub edge: f32,
    /// Height of the texture, in shares of the amount.
    pub mottle: f32,
    /// Size of the largest texture in millimetres.
    pub grain_mm: f32,
    /// How much darker one side is than the other, in shares of the amount.
    pub lopsided: f32,
    /// How much darker (or, below zero, lighter) the centre is than the rim, in shares of the amount.
    pub central: f32,
}

/// Lays the ground.
pub(super) fn ground(lesion: &mut Lesion, with: &Ground, stream: &mut Stream) {
    let (texture, fine, border) = (Noise::new(stream), Noise::new(stream), Noise::new(stream));
    let dark_side = Point::new(0.0, 0.0).towards(stream.unit(), 1.0 / lesion.radius_mm());
    // Real borders fade fast in one place and slowly in another.
    let fading = stream.between(0.3, 0.9);
    let lesion_scale = lesion.radius_mm();
    lesion.each(|site| {
        let speckle = fine.fractal(site.at.scaled(2.6), 3);
        let edge = with.edge * (1.0 + fading * border.at(site.at.scaled(1.1 / lesion_scale)));
        let here = smoothstep(-edge, edge * 0.9 + 0.03, site.depth + (0.03 + 0.22 * with.edge) * speckle);
        if here <= 0.0 {
            return;
        }
        let side = site.at.y * dark_side.y + site.at.x * dark_side.x;
        let rough = texture.fractal(site.at.scaled(1.0 / with.grain_mm), 3) + 0.55 * speckle;
        let centre = with.central * (site.depth.clamp(0.0, 1.0) - 0.35);
        let amount = here * (1.0 + with.mottle * rough + with.lopsided * side + centre).max(0.08);
        site.tissue = scaled(&with.tissue, amount, here).over(&site.tissue);
    });
}

/// Irregular patches of a further colour inside the lesion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patches {
    /// Amounts where a patch is fully there.
    pub tissue: Tissue,
    /// Share of the lesion that patches take, roughly.
    pub share: f32,
    /// Size in shares of the lesion's radius.
    pub size: f32,
    /// Softness of the patches' edges, 0.05 sharp to 0.5 soft.
    pub soft: f32,
    /// How much of the melanin below a patch stays (regression takes it away).
    pub keeps: f32,
}

/// Lays patches.
pub(super) fn patches(lesion: &mut Lesion, with: &Patches, stream: &mut Stream) {
    let noise = Noise::new(stream);
    let step = 1.0 / (with.size * lesion.radius_mm()).max(0.1);
    // Gradient noise is about bell-shaped with deviation 0.35, so the threshold follows the share.
    let threshold = 0.62 - 1.15 * with.share;
    lesion.each(|site| {
        let rim = smoothstep(-0.06, 0.22, site.depth);
        if rim <= 0.0 {
            return;
        }
        let level = noise.fractal(site.at.scaled(step), 5);
        let here = smoothstep(threshold - with.soft, threshold + with.soft, level) * rim;
        if here > 0.0 {
            site.tissue.melanin *= 1.0 - here * (1.0 - with.keeps);
            site.tissue = scaled(&with.tissue, here, here).over(&site.tissue);
        }
    });
}

/// Absorbers times `amount`, opaque layers times `opacity`.
fn scaled(tissue: &Tissue, amount: f32, opacity: f32) -> Tissue {
    Tissue {
        melanin: tissue.melanin * amount,
        deep: tissue.deep * amount,
        blood: tissue.blood * amount,
        white: tissue.white * opacity,
        yellow: tissue.yellow * opacity,
        haze: tissue.haze * opacity,
    }
}
