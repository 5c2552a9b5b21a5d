//! What a task takes at least: operations over what the device can do, or the weights' bytes over its bandwidth, whichever is more.

use serde::Serialize;
use xai::Precision;

use super::ladder::Task;
use super::models::Model;

/// What a device can do at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ceiling {
    /// Multiplications and additions a second.
    pub operations: f64,
    /// Bytes a second, read or written.
    pub bytes: f64,
    /// Exponentials a second.
    pub exponentials: f64,
}

impl Ceiling {
    /// Of the one device for which they are known: an H200, on random numbers.
    pub fn of(device: &str, precision: Precision) -> Option<Self> {
        let operations = if precision == Precision::F32 { 60e12 } else { 790e12 };
        device.contains("H200").then_some(Self { operations, bytes: 4.3e12, exponentials: 3.7e12 })
    }
}

/// Multiplications and additions of parts of a pass over one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operations {
    /// Products with weights of the blocks.
    pub linear: f64,
    /// Attention's two products.
    pub attention: f64,
    /// The patch embedding.
    pub patches: f64,
}

impl Operations {
    pub fn of(model: &Model) -> Self {
        let (config, tokens) = (&model.config, model.tokens() as f64);
        let [layers, width, hidden] = [config.num_hidden_layers, config.hidden_size, config.intermediate_size].map(|n| n as f64);
        let patches = (model.side / config.patch_size).pow(2) as f64;
        Self {
            linear: layers * 2.0 * tokens * (4.0 * width * width + 2.0 * width * hidden),
            attention: layers * 4.0 * tokens * tokens * width,
            patches: 2.0 * patches * (config.num_channels * config.patch_size * config.patch_size) as f64 * width,
        }
    }

    pub fn forward(self) -> f64 {
        self.linear + self.attention + self.patches
    }

    /// With respect to activations; attention has five products on the way back.
    pub fn backward(self) -> f64 {
        self.linear + 2.5 * self.attention
    }
}

/// Milliseconds that `task` takes at least for `batch` images, with weights of so many bytes.
pub fn floor(model: &Model, task: Task, batch: usize, weights: usize, ceiling: Ceiling) -> f64 {
    let (operations, images) = (Operations::of(model), batch as f64);
    let pass = |operations: f64, images: f64| (images * operations / ceiling.operations).max(weights as f64 / ceiling.bytes);
    let forward = pass(operations.forward(), images);
    let seconds = match task {
        Task::Forward => forward,
        Task::Rollout => forward + images * map(model, operations, ceiling),
        Task::Relevance => forward + pass(operations.backward(), images),
        Task::Saliency => forward + pass(operations.backward() + operations.patches, images),
        Task::SmoothGrad(samples) | Task::IntegratedGradients(samples) => {
            let images = images * samples as f64;
            pass(operations.forward(), images) + pass(operations.backward() + operations.patches, images)
        }
    };
    1e3 * seconds
}

/// A map of its own, made again from queries and keys: half of attention's products, or its exponentials, whichever is more.
fn map(model: &Model, operations: Operations, ceiling: Ceiling) -> f64 {
    let tokens = model.tokens() as f64;
    let exponentials = (model.config.num_attention_heads * model.config.num_hidden_layers) as f64 * tokens * tokens;
    (0.5 * operations.attention / ceiling.operations).max(exponentials / ceiling.exponentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors_are_those_of_the_arithmetic() {
        let ceiling = Ceiling::of("NVIDIA H200", Precision::Bf16).unwrap();
        assert_eq!((Ceiling::of("an emulated device", Precision::Bf16), Ceiling::of("NVIDIA A100", Precision::F32)), (None, None));
        let near = |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 0.01, "{found}, expected {expected}");
        for (name, forward, backward, weights) in
            [("vit_large_patch32_384", 90.6e9, 92.7e9, 613_000_000), ("vit_base_patch16_384", 111.0e9, 128.7e9, 174_000_000)]
        {
            let model = Model::named(name, 1).unwrap();
            near(Operations::of(&model).forward(), forward);
            near(Operations::of(&model).backward(), backward);
            near(floor(&model, Task::Forward, 64, weights, ceiling), 64.0 * forward / 790e12 * 1e3);
        }
        let large = Model::named("vit_large_patch32_384", 1).unwrap();
        near(floor(&large, Task::Forward, 1, 613_000_000, ceiling), 0.1426);
        near(floor(&large, Task::Rollout, 64, 613_000_000, ceiling), 7.34 + 0.14);
        near(floor(&large, Task::SmoothGrad(50), 1, 613_000_000, ceiling), 11.7);
    }
}
