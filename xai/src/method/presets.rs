//! Every method with the settings of its paper, in one word.

use super::{AttentionMap, Gradient, GradientRollout, InputXGradient, IntegratedGradients, Method, Relevance, Rollout, SmoothGrad};

impl Method {
    /// The last layer's attention of the class token, mean over heads.
    pub fn attention() -> Self {
        Self::Attention(AttentionMap::default())
    }

    /// Attention rollout as in the paper: [`Rollout::abnar_2020`].
    ///
    /// ```
    /// assert_eq!(xai::Method::rollout(), xai::Method::by_name("rollout")?);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn rollout() -> Self {
        Self::Rollout(Rollout::abnar_2020())
    }

    /// Rollout of attention times its gradient: [`GradientRollout::vit_explain_fixed`].
    pub fn gradient_rollout() -> Self {
        Self::GradientRollout(GradientRollout::vit_explain_fixed())
    }

    /// Gradient-weighted attention: [`Relevance::chefer_iccv21`].
    pub fn relevance() -> Self {
        Self::Relevance(Relevance::chefer_iccv21())
    }

    /// The largest absolute gradient over the channels of a pixel.
    pub fn gradient() -> Self {
        Self::Gradient(Gradient::default())
    }

    /// Pixel times gradient, summed over channels.
    pub fn input_x_gradient() -> Self {
        Self::InputXGradient(InputXGradient::default())
    }

    /// The mean gradient of 50 noisy copies: [`SmoothGrad::smilkov_2017`].
    pub fn smooth_grad() -> Self {
        Self::SmoothGrad(SmoothGrad::smilkov_2017())
    }

    /// The gradient integrated from a black picture: [`IntegratedGradients::sundararajan_2017`].
    pub fn integrated_gradients() -> Self {
        Self::IntegratedGradients(IntegratedGradients::sundararajan_2017())
    }
}
