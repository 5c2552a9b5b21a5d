//! Learning where products are taken in 16 bits: weights stay f32, and copies follow them.
//!
//! Steps of rounded gradients lead away from those of exact ones, faster with every step. So each step is held against what the CPU's
//! optimiser makes of the device's own gradient, which has gates of its own, and the copies against a pass with the new weights.

use kernels::adamw::{self, Moments};
use kernels::cuda::Storage;

use super::learning::{IMAGES, LABELS, STEP, gates, rows};
use super::{CLASSES, device, on_cpu, pictures, vit};
use crate::training::{AdamW, Decay, Learner, Lesson, Training};
use crate::vit::cuda::learning::Learning;
use crate::vit::head::HeadKind;

#[test]
fn weights_follow_the_devices_gradient_and_copies_follow_weights() {
    for storage in [Storage::Bf16, Storage::F16] {
        let Some(queue) = device() else { return };
        let (config, head) = (vit(), HeadKind::Linear(CLASSES));
        let (start, batch) = (on_cpu(&config, head), pictures(&config, IMAGES));
        let mut learning = Learning::on(start.clone(), queue, 0, storage).unwrap();
        let mut weights = rows(&start);
        let mut moments: Vec<_> = weights.iter().map(|(_, values)| Moments::zero(values.len())).collect();
        for count in 1..=3 {
            learning.clear().unwrap();
            let loss = learning.add(Lesson { batch: &batch, labels: &LABELS }, &[], IMAGES, None).unwrap().loss;
            let now = learning.vit().unwrap().on(crate::Device::Cpu).unwrap();
            let exact = Training::of(now).step(&batch, &LABELS, &[], STEP).unwrap();
            assert!((loss - exact).abs() <= gates(storage, head).0 * exact, "{storage}: loss {loss} before step {count}, expected {exact}");
            let shorten = f64::min(1.0, STEP.clip.unwrap() / learning.length().unwrap());
            let gradients = learning.gradients().unwrap();
            learning.update(STEP, count, shorten).unwrap();
            for ((name, values), moments) in weights.iter_mut().zip(&mut moments) {
                let (_, gradient) = gradients.iter().find(|(of, _)| of == name).expect("every weight has a gradient");
                let gradient: Vec<f32> = gradient.iter().map(|&value| (shorten * value) as f32).collect();
                let is_matrix = start.model.weights.named().iter().any(|(of, tensor)| of == name && tensor.shape().len() == 2);
                let decays = STEP.decay == Decay::Everything || (is_matrix && name.ends_with(".weight"));
                let adamw = AdamW { decay: if decays { STEP.adamw.decay } else { 0.0 }, ..STEP.adamw };
                adamw::update(adamw, count, &gradient, moments, values).unwrap();
            }
            for ((name, found), (_, expected)) in rows(&learning.vit().unwrap()).iter().zip(&weights) {
                let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + b.abs()));
                assert!(near && found.len() == expected.len(), "{storage}: {name} after step {count}");
            }
        }
        assert_ne!(weights, rows(&start), "it has learnt something");
    }
}
