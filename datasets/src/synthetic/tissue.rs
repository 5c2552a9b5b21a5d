//! What light meets in the skin, and the colour that comes back.
//!
//! Absorbers follow Beer and Lambert: reflectance is `white · exp(-Σ amount · absorption)` a channel. Amounts have no unit;
//! 1 of melanin is a medium brown.

use super::elementary::exp;
use super::noise::mix;

/// Absorbers and opaque layers at one point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tissue {
    /// Pigment in the epidermis: brown, black when there is much.
    pub melanin: f32,
    /// Pigment in the dermis: blue-grey, because scattering above it takes the red.
    pub deep: f32,
    /// Blood: pink to dark red.
    pub blood: f32,
    /// Opaque white: keratin, scale, scar; 0 to 1.
    pub white: f32,
    /// Opaque yellow: crust, plugs, milia; 0 to 1.
    pub yellow: f32,
    /// Blue-white haze over everything beneath; 0 to 1.
    pub haze: f32,
}

const MELANIN: [f32; 3] = [0.48, 0.80, 1.14];
const DEEP: [f32; 3] = [1.10, 0.92, 0.66];
const BLOOD: [f32; 3] = [0.14, 0.72, 0.56];
const WHITE: [f32; 3] = [0.95, 0.91, 0.89];
const YELLOW: [f32; 3] = [0.89, 0.76, 0.52];
const HAZE: [f32; 3] = [0.52, 0.57, 0.68];

impl Tissue {
    /// Red, green and blue under white light, each in 0 to 1.
    pub(super) fn colour(&self) -> [f32; 3] {
        let (melanin, deep, blood) = (self.melanin.max(0.0), self.deep.max(0.0), self.blood.max(0.0));
        let mut rgb = [0.0; 3];
        for (c, value) in rgb.iter_mut().enumerate() {
            let mut v = exp(-(melanin * MELANIN[c] + deep * DEEP[c] + blood * BLOOD[c]));
            v = mix(v, HAZE[c], self.haze.clamp(0.0, 1.0));
            v = mix(v, YELLOW[c], self.yellow.clamp(0.0, 1.0));
            *value = mix(v, WHITE[c], self.white.clamp(0.0, 1.0));
        }
        rgb
    }

    /// Absorbers add up; opaque layers cover what is left free.
    pub(super) fn over(&self, below: &Tissue) -> Tissue {
        Tissue {
            melanin: self.melanin + below.melanin,
            deep: self.deep + below.deep,
            blood: self.blood + below.blood,
            white: cover(self.white, below.white),
            yellow: cover(self.yellow, below.yellow),
            haze: cover(self.haze, below.haze),
        }
    }
}

fn cover(a: f32, b: f32) -> f32 {
    1.0 - (1.0 - a.clamp(0.0, 1.0)) * (1.0 - b.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pigments_have_the_colours_they_are_named_after() {
        let [r, g, b] = Tissue { melanin: 1.0, ..Tissue::default() }.colour();
        assert!(r > g && g > b, "brown: {r} {g} {b}");
        let [r, g, b] = Tissue { deep: 1.0, ..Tissue::default() }.colour();
        assert!(b > g && g > r, "blue-grey: {r} {g} {b}");
        let [r, g, b] = Tissue { blood: 1.0, ..Tissue::default() }.colour();
        assert!(r > 1.5 * g && b > g, "red: {r} {g} {b}");
        assert_eq!(Tissue::default().colour(), [1.0; 3]);
    }

    #[test]
    fn bare_tissue_on_top_changes_nothing() {
        let skin = Tissue { melanin: 0.3, blood: 0.2, white: 0.25, ..Tissue::default() };
        assert_eq!(Tissue::default().over(&skin), skin);
    }
}
