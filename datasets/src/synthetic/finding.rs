//! Names of the dermoscopic structures that the drawings contain.

use serde::{Deserialize, Serialize};

/// A dermoscopic structure, named as dermatologists name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Regular honeycomb of brown lines.
    PigmentNetwork,
    /// Network with lines and holes of uneven width.
    AtypicalNetwork,
    /// Round brown clods.
    Globules,
    /// Small dark points, unevenly spread.
    IrregularDots,
    /// Dark radial lines at the border.
    Streaks,
    /// Structureless blue under a white haze.
    BlueWhiteVeil,
    /// Scar-like white with grey-blue peppering.
    Regression,
    /// Off-centre dark structureless patch.
    Blotch,
    /// White or yellowish round cysts.
    MiliaLikeCysts,
    /// Brown-black keratin plugs.
    ComedoLikeOpenings,
    /// Gyri and sulci, brain-like.
    CerebriformRidges,
    /// Fine parallel curved lines.
    FingerprintLines,
    /// Concave bites at the border.
    MothEatenBorder,
    /// Coarse grey granules of regressing keratosis.
    Peppering,
    /// Thick bright red branching vessels.
    ArborisingVessels,
    /// Blue-grey ovoid nests.
    OvoidNests,
    /// Brown leaf-like areas at the border.
    LeafLikeAreas,
    /// Loss of epidermis with blood or crust.
    Ulceration,
    /// Shiny white streaks.
    WhiteStreaks,
    /// Red network around pale follicles.
    StrawberryPattern,
    /// White or yellow scale.
    Scale,
    /// Structureless mass of white to yellow keratin.
    KeratinMass,
    /// White rings around follicles.
    WhiteCircles,
    /// Coiled vessels seen as red clods.
    GlomerularVessels,
    /// Looped vessels with a pale halo.
    HairpinVessels,
    /// Fine red points.
    DottedVessels,
}
