//! The engine's backward against candle's autograd in `f64`, on a graph of operations that all have a backward.

mod goldens_reader;

use std::collections::HashMap;

use candle_core::{D, DType, Device, Result, Tensor, Var};
use goldens_reader::{Golden, TARGETS, alone, flat, folder, read, report};
use kernels::check::{Tolerance, assert_close};
use xai::{Batch, Family, Probe, Target, VitConfig};

/// A vision transformer from matrix products, exponentials, sums, roots and erf; no fused softmax, no fused norm, no convolution.
struct Graph {
    config: VitConfig,
    weights: HashMap<String, Tensor>,
    /// The position table of the picture's grid, (1, N, D).
    positions: Tensor,
}

impl Graph {
    fn of(golden: &Golden) -> Result<Self> {
        let table = golden.trace().positions().unwrap();
        let (count, width) = table.dim();
        let positions = Tensor::from_vec(flat(&table), (1, count, width), &Device::Cpu)?.to_dtype(DType::F64)?;
        let prefix = if golden.vit.config().family == Family::Vit { "vit." } else { "dinov2." };
        let named = read(&folder(golden.name).join("model.safetensors")).into_iter().map(|(name, values)| {
            let tensor = Tensor::from_slice(&values.data, values.shape.as_slice(), &Device::Cpu)?.to_dtype(DType::F64)?;
            Ok((name.strip_prefix(prefix).unwrap_or(&name).to_owned(), tensor))
        });
        Ok(Self { config: golden.vit.config().clone(), weights: named.collect::<Result<_>>()?, positions })
    }

    fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let weight = self.weights[&format!("{name}.weight")].flatten_from(1)?; // (outputs, inputs)
        x.broadcast_matmul(&weight.t()?)?.broadcast_add(&self.weights[&format!("{name}.bias")])
    }

    fn norm(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + self.config.layer_norm_eps)?.sqrt()?;
        let scaled = centred.broadcast_div(&deviation)?.broadcast_mul(&self.weights[&format!("{name}.weight")])?;
        scaled.broadcast_add(&self.weights[&format!("{name}.bias")])
    }

    fn embed(&self, pixels: &Tensor) -> Result<Tensor> {
        let (images, channels, height, width) = pixels.dims4()?;
        let side = self.config.patch_size;
        let (rows, cols) = (height / side, width / side);
        let cut = pixels.reshape(vec![images, channels, rows, side, cols, side])?.permute(vec![0, 2, 4, 1, 3, 5])?;
        let patches = self.linear("embeddings.patch_embeddings.projection", &cut.reshape((images, rows * cols, ()))?)?;
        let cls = self.weights["embeddings.cls_token"].broadcast_as((images, 1, self.config.hidden_size))?;
        Tensor::cat(&[cls, patches], 1)?.broadcast_add(&self.positions) // (B, N, D)
    }

    /// `tap` (B, H, N, N) is zero and only there to receive the gradient at the map.
    fn attention(&self, layer: &str, x: &Tensor, tap: &Tensor) -> Result<Tensor> {
        let (images, tokens, width) = x.dims3()?;
        let heads = (images, tokens, self.config.num_attention_heads, self.config.head_width());
        let part =
            |name: &str| self.linear(&format!("{layer}.attention.attention.{name}"), x)?.reshape(heads)?.transpose(1, 2)?.contiguous();
        let (query, key, value) = (part("query")?, part("key")?, part("value")?); // (B, H, N, d)
        let scores = (query.matmul(&key.t()?.contiguous()?)? / (self.config.head_width() as f64).sqrt())?.exp()?;
        let map = (scores.broadcast_div(&scores.sum_keepdim(D::Minus1)?)? + tap)?; // (B, H, N, N)
        let context = map.matmul(&value)?.transpose(1, 2)?.contiguous()?.reshape((images, tokens, width))?;
        self.linear(&format!("{layer}.attention.output.dense"), &context)
    }

    fn mlp(&self, [fc1, fc2]: [&str; 2], x: &Tensor) -> Result<Tensor> {
        let hidden = self.linear(fc1, x)?;
        let gate = ((&hidden * std::f64::consts::FRAC_1_SQRT_2)?.erf()? + 1.0)?;
        self.linear(fc2, &((hidden * gate)? * 0.5)?)
    }

    fn scaled(&self, layer: &str, number: usize, branch: Tensor) -> Result<Tensor> {
        self.weights.get(&format!("{layer}.layer_scale{number}.lambda1")).map_or(Ok(branch.clone()), |scale| branch.broadcast_mul(scale))
    }

    fn logits(&self, pixels: &Tensor, taps: &[Var]) -> Result<Tensor> {
        let vit = self.config.family == Family::Vit;
        let [norm1, norm2, fc1, fc2] = if vit {
            ["layernorm_before", "layernorm_after", "intermediate.dense", "output.dense"]
        } else {
            ["norm1", "norm2", "mlp.fc1", "mlp.fc2"]
        };
        let mut x = self.embed(pixels)?;
        for (index, tap) in taps.iter().enumerate() {
            let layer = format!("encoder.layer.{index}");
            let at = |part: &str| format!("{layer}.{part}");
            let branch = self.attention(&layer, &self.norm(&at(norm1), &x)?, tap)?;
            x = (x + self.scaled(&layer, 1, branch)?)?;
            let branch = self.mlp([&at(fc1), &at(fc2)], &self.norm(&at(norm2), &x)?)?;
            x = (x + self.scaled(&layer, 2, branch)?)?;
        }
        let tokens = self.norm("layernorm", &x)?;
        let (cls, count) = (tokens.narrow(1, 0, 1)?.squeeze(1)?, tokens.dim(1)?);
        let mean = tokens.narrow(1, 1, count - 1)?.mean(1)?;
        self.linear("classifier", &if vit { cls } else { Tensor::cat(&[cls, mean], 1)? }) // (B, classes)
    }
}

/// Gradients of the summed score: at the pixels, and at the map of every layer.
fn autograd(graph: &Graph, batch: &Batch, target: Target) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let (images, _, height, width) = batch.pixels().dim();
    let tokens = 1 + height * width / graph.config.patch_size.pow(2);
    let pixels =
        Var::from_tensor(&Tensor::from_vec(flat(&batch.pixels()), (images, 3, height, width), &Device::Cpu)?.to_dtype(DType::F64)?)?;
    let map = (images, graph.config.num_attention_heads, tokens, tokens);
    let taps = (0..graph.config.num_hidden_layers).map(|_| Var::zeros(map, DType::F64, &Device::Cpu)).collect::<Result<Vec<_>>>()?;
    let logits = graph.logits(&pixels, &taps)?;
    let class = |class: usize| logits.narrow(1, class, 1)?.sum_all();
    let score = match target {
        Target::Class(of) => class(of)?,
        Target::Contrast { class: of, against } => (class(of)? - class(against)?)?,
        Target::Predicted => unreachable!("the goldens name their classes"),
    };
    let gradients = score.backward()?;
    let values = |var: &Var| gradients.get(var).expect("every operation has a backward").flatten_all()?.to_vec1::<f64>();
    Ok((values(&pixels)?, taps.iter().map(values).collect::<Result<_>>()?))
}

#[test]
fn pixel_and_attention_gradients_are_autograds_for_one_image_and_for_two() {
    for golden in [Golden::load("hf_vit"), Golden::load("dinov2")] {
        let graph = Graph::of(&golden).unwrap();
        for (batch, (name, target)) in [alone(&golden.batch, 1), golden.batch.clone()].iter().flat_map(|batch| TARGETS.map(|t| (batch, t)))
        {
            let trace = golden.vit.trace(batch, Probe::Gradients).unwrap();
            let (pixels, maps) = autograd(&graph, batch, target).unwrap();
            assert!(pixels.iter().filter(|value| value.abs() > 1e-4).count() > pixels.len() / 2, "autograd lost the gradient");
            let what = format!("{} against autograd, B = {}, {name}", golden.name, batch.len());
            let found = flat(&trace.gradients(target).unwrap().pixels());
            report(&format!("{what}: pixels"), assert_close(&what, &found, &pixels, Tolerance::both(5e-6)));
            for (layer, (found, expected)) in trace.attention_gradients(target).unwrap().iter().zip(&maps).enumerate() {
                assert!(expected.iter().any(|value| value.abs() > 1e-3), "autograd lost the gradient");
                report(&format!("{what}: map {layer}"), assert_close(&what, &flat(found), expected, Tolerance::both(5e-6)));
            }
        }
    }
}

#[test]
fn the_graph_itself_gives_pytorchs_logits() {
    for golden in [Golden::load("hf_vit"), Golden::load("dinov2")] {
        let graph = Graph::of(&golden).unwrap();
        let (_, _, height, width) = golden.batch.pixels().dim();
        let tokens = 1 + height * width / graph.config.patch_size.pow(2);
        let pixels =
            Tensor::from_vec(flat(&golden.batch.pixels()), (2, 3, height, width), &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
        let map = (2, graph.config.num_attention_heads, tokens, tokens);
        let taps: Vec<Var> = (0..graph.config.num_hidden_layers).map(|_| Var::zeros(map, DType::F64, &Device::Cpu).unwrap()).collect();
        let logits: Vec<f64> = graph.logits(&pixels, &taps).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert_close("logits", &logits, golden.values("logits"), Tolerance::absolute(1e-6));
    }
}
