//! Methods by the names that people give, and what they cost.

use super::{AttentionMap, Gradient, GradientRollout, InputXGradient, IntegratedGradients, Method, Relevance, Rollout, SmoothGrad};
use crate::Error;

/// A name, its method, and a sentence about it.
type Named = (&'static str, Method, &'static str);

impl Method {
    /// Every method by the name that the command line takes, with its default or preset settings and a sentence about it.
    pub fn named() -> Vec<Named> {
        [of_attention(), of_gradients(), of_many_passes()].concat()
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

    /// The name that [`Method::by_name`] finds it by; with settings of one's own, that of its family.
    ///
    /// ```
    /// use xai::{Method, Rollout};
    /// assert_eq!(Method::by_name("rollout-max")?.name(), "rollout-max");
    /// assert_eq!(Method::Rollout(Rollout { start_layer: 3, ..Rollout::abnar_2020() }).name(), "rollout, own settings");
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn name(&self) -> String {
        let named = Self::named().into_iter().find(|(_, method, _)| method == self);
        named.map_or_else(|| format!("{self}, own settings"), |(name, ..)| name.to_owned())
    }

    /// What a map of one image costs, in words.
    ///
    /// ```
    /// use xai::Method;
    /// assert_eq!(Method::by_name("rollout")?.cost(), "one forward pass");
    /// assert_eq!(Method::by_name("smoothgrad")?.cost(), "at most 50 forward and backward passes");
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn cost(&self) -> String {
        match (self.most_passes(), self.is_class_specific()) {
            (0, false) => "one forward pass".into(),
            (0, true) => "one forward and one backward pass".into(),
            (passes, _) => format!("at most {passes} forward and backward passes"),
        }
    }
}

fn of_attention() -> Vec<Named> {
    let rollout = Method::Rollout;
    vec![
        ("attention", Method::Attention(AttentionMap::default()), "last layer's attention of the class token, mean over heads"),
        ("rollout", rollout(Rollout::abnar_2020()), "attention rollout (Abnar and Zuidema 2020)"),
        (
            "rollout-google",
            rollout(Rollout::google_vit()),
            "rollout as the ViT authors draw it: mean fusion, identity added, rows renormalised",
        ),
        ("rollout-max", rollout(Rollout::vit_explain_fixed()), "rollout with max fusion, lowest 90 % discarded, rows renormalised"),
        (
            "rollout-vit-explain",
            rollout(Rollout::vit_explain_compat()),
            "rollout-max with vit-explain's known defects, for comparison only",
        ),
    ]
}

fn of_gradients() -> Vec<Named> {
    let rollout = Method::GradientRollout;
    vec![
        (
            "gradient-rollout",
            rollout(GradientRollout::vit_explain_fixed()),
            "rollout of attention times its gradient, positive part after the mean over heads, lowest 90 % discarded",
        ),
        (
            "gradient-rollout-vit-explain",
            rollout(GradientRollout::vit_explain_compat()),
            "gradient-rollout with vit-explain's known defects, for comparison only",
        ),
        ("relevance", Method::Relevance(Relevance::chefer_iccv21()), "gradient-weighted attention (Chefer et al., ICCV 2021)"),
        ("gradient", Method::Gradient(Gradient::default()), "largest absolute gradient over the channels of a pixel (Simonyan 2014)"),
        ("input-x-gradient", Method::InputXGradient(InputXGradient::default()), "pixel times gradient, summed over channels, signed"),
    ]
}

fn of_many_passes() -> Vec<Named> {
    vec![
        ("smoothgrad", Method::SmoothGrad(SmoothGrad::smilkov_2017()), "mean gradient of noisy copies (Smilkov 2017)"),
        ("smoothgrad-squared", Method::SmoothGrad(SmoothGrad::hooker_2019()), "mean squared gradient of noisy copies (Hooker 2019)"),
        ("vargrad", Method::SmoothGrad(SmoothGrad::adebayo_2018()), "variance of the gradient over noisy copies (Adebayo 2018)"),
        (
            "integrated-gradients",
            Method::IntegratedGradients(IntegratedGradients::sundararajan_2017()),
            "gradient integrated from a black picture until at most 1 % of the score's change is missed (Sundararajan 2017)",
        ),
    ]
}
