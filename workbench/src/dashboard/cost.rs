//! Which methods a page can wait for: their passes times the work of a pass.

use xai::{Method, Vit};

use super::problem::Problem;

/// Operations that a page waits for: seconds on a small machine, far within the patience of a request.
const MOST_WORK: f64 = 5e11;

/// Whether a map by this method comes within what a page waits for.
pub fn is_bearable(vit: &Vit, method: &Method) -> bool {
    method.most_passes() as f64 * work_of_a_pass(vit) <= MOST_WORK
}

/// The name of a method as it is known, if a page can wait for it.
///
/// # Errors
/// [`Problem::Control`] with the methods there are, or with the command that can wait.
pub fn offered(name: &str, vit: &Vit) -> Result<&'static str, Problem> {
    let known = Method::named();
    let refuse = |problem| Err(Problem::Control { control: "method", problem });
    let Some((name, method, _)) = known.iter().find(|(known, ..)| known.eq_ignore_ascii_case(name)) else {
        let names: Vec<&str> = known.iter().map(|(name, ..)| *name).collect();
        return refuse(format!("there is no method of this name; there are: {}", names.join(", ")));
    };
    if !is_bearable(vit, method) {
        let cost = method.cost();
        return refuse(format!("{name} takes {cost} of this model, too many for a page; run `pellucid explain --method {name}`"));
    }
    Ok(name)
}

/// Multiplications and additions of one forward and one backward pass: `2·L·(2·N·(4·D² + 2·D·M) + 4·N²·D)`,
/// the backward pass taken as dear as the forward one.
fn work_of_a_pass(vit: &Vit) -> f64 {
    let config = vit.config();
    let [layers, tokens, width, hidden] =
        [config.num_hidden_layers, config.tokens(), config.hidden_size, config.intermediate_size].map(|size| size as f64);
    let products = 2.0 * tokens * (4.0 * width * width + 2.0 * width * hidden);
    2.0 * layers * (products + 4.0 * tokens * tokens * width)
}

#[cfg(test)]
mod tests {
    use xai::{HeadKind, IntegratedGradients, Relevance, SmoothGrad, VitConfig};

    use super::*;

    #[test]
    fn a_small_model_may_sample_and_a_large_one_may_not() {
        let smooth = Method::SmoothGrad(SmoothGrad::smilkov_2017());
        let small = crate::drawn_model::load().unwrap();
        assert!(is_bearable(&small, &smooth));
        assert!(is_bearable(&small, &Method::IntegratedGradients(IntegratedGradients::sundararajan_2017())));
        let large = Vit::random(VitConfig::dinov2_small(), HeadKind::Linear(2), 1).unwrap();
        assert!(!is_bearable(&large, &smooth), "a pass takes {:.1e} operations", work_of_a_pass(&large));
        assert!(is_bearable(&large, &Method::Relevance(Relevance::chefer_iccv21())));
        assert_eq!(offered("SmoothGrad", &small).ok(), Some("smoothgrad"));
        let refused = offered("smoothgrad", &large).unwrap_err().to_string();
        assert!(
            refused.contains("50 forward and backward passes") && refused.contains("pellucid explain --method smoothgrad"),
            "{refused}"
        );
    }
}
