//! Methods by the names that people give.

use super::{AttentionMap, Gradient, GradientRollout, InputXGradient, IntegratedGradients, Method, Relevance, Rollout, SmoothGrad};
use crate::Error;

impl Method {
    /// Every method by the name that the command line takes, with its default or preset settings and a sentence about it.
    pub fn named() -> Vec<(&'static str, Self, &'static str)> {
        vec![
            ("attention", Self::Attention(AttentionMap::default()), "last layer's attention of the class token, mean over heads"),
            ("rollout", Self::Rollout(Rollout::abnar_2020()), "attention rollout (Abnar and Zuidema 2020)"),
            (
                "rollout-google",
                Self::Rollout(Rollout::google_vit()),
                "rollout as the ViT authors draw it: mean fusion, identity added, rows renormalised",
            ),
            (
                "rollout-max",
                Self::Rollout(Rollout::vit_explain_fixed()),
                "rollout with max fusion, lowest 90 % discarded, rows renormalised",
            ),
            (
                "rollout-vit-explain",
                Self::Rollout(Rollout::vit_explain_compat()),
                "the same with vit-explain's known defects, for comparison only",
            ),
            (
                "gradient-rollout",
                Self::GradientRollout(GradientRollout::vit_explain_fixed()),
                "rollout of attention times its gradient, positive part after the mean over heads, lowest 90 % discarded",
            ),
            (
                "gradient-rollout-vit-explain",
                Self::GradientRollout(GradientRollout::vit_explain_compat()),
                "the same with vit-explain's known defects, for comparison only",
            ),
            ("relevance", Self::Relevance(Relevance::chefer_iccv21()), "gradient-weighted attention (Chefer et al., ICCV 2021)"),
            ("gradient", Self::Gradient(Gradient::default()), "largest absolute gradient over the channels of a pixel (Simonyan 2014)"),
            ("input-x-gradient", Self::InputXGradient(InputXGradient::default()), "pixel times gradient, summed over channels, signed"),
            (
                "smoothgrad",
                Self::SmoothGrad(SmoothGrad::smilkov_2017()),
                "mean gradient of 50 noisy copies, a forward and a backward pass each (Smilkov 2017)",
            ),
            (
                "smoothgrad-squared",
                Self::SmoothGrad(SmoothGrad::hooker_2019()),
                "mean squared gradient of 50 noisy copies, a forward and a backward pass each (Hooker 2019)",
            ),
            (
                "vargrad",
                Self::SmoothGrad(SmoothGrad::adebayo_2018()),
                "variance of the gradient over 50 noisy copies, a forward and a backward pass each (Adebayo 2018)",
            ),
            (
                "integrated-gradients",
                Self::IntegratedGradients(IntegratedGradients::sundararajan_2017()),
                "gradient integrated from a black picture until at most 1 % of the score's change is missing, 17 to 256 passes (Sundararajan 2017)",
            ),
        ]
    }

    /// The method of a name, or an error that lists those there are.
    ///
    /// ```
    /// use xai::{Method, Relevance};
    /// assert_eq!(Method::by_name("relevance")?, Method::Relevance(Relevance::chefer_iccv21()));
    /// assert!(Method::by_name("grad-cam").unwrap_err().to_string().contains("rollout"));
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn by_name(name: &str) -> Result<Self, Error> {
        let known = Self::named();
        let found = known.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name.trim()));
        found.map(|(_, method, _)| method.clone()).ok_or_else(|| Error::Unknown {
            what: "method".into(),
            given: name.into(),
            known: known.iter().map(|(name, ..)| (*name).to_owned()).collect(),
        })
    }
}
