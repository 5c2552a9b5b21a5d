//! From the gradient to the weights: its length, the optimiser, and what follows the weights.

use kernels::adamw::cuda::{Places, length_partials, squares, update};
use kernels::batch_norm;
use kernels::cuda::{Address, Fault, Storage};
use kernels::tokens::cuda::{self as tokens, Cut, Join};

use super::Learning;
use crate::Error;
use crate::training::{Learnt, Range, Step};
use crate::vit::choices::FinalNorm;
use crate::vit::config::VitConfig;
use crate::vit::cuda::{Engine, Grid, failed};
use crate::vit::weights::Weights;

/// Room for what is added to tokens of the trained grid.
pub(super) fn grid(engine: &Engine, config: &VitConfig) -> Result<Grid, Fault> {
    let (positions, special) = (config.patches().count() * config.hidden_size, config.special_tokens.count() * config.hidden_size);
    Ok(Grid { region: engine.arena.take(4 * (positions + special))?, positions })
}

/// Sums of squares that a length is made of at most: those of every tensor by itself.
pub(super) fn most_squares(engine: &Engine, ranges: &[Range]) -> usize {
    ranges.iter().map(|range| length_partials(&*engine.queue, range.len + super::tensors::ALIGNMENT)).sum()
}

impl Learning {
    /// What turns a tensor's gradient into what it is: of f16, all that lies behind the head is scaled.
    fn unscale(&self, range: &Range) -> f64 {
        let behind = self.model.config.final_norm == FinalNorm::Pooled && range.name.starts_with("norm.");
        if behind || range.name.starts_with("head.") { 1.0 } else { 1.0 / f64::from(self.engine.gradient_scale()) }
    }

    /// Neighbouring tensors of one scale: first value, values and scale. Between tensors the gradient is zero.
    fn segments(&self) -> Vec<(usize, usize, f64)> {
        let mut segments: Vec<(usize, usize, f64)> = Vec::new();
        let mut joins = false;
        for range in &self.ranges {
            let (scale, end) = (self.unscale(range), range.start + range.len);
            match segments.last_mut() {
                _ if range.learnt == Learnt::Statistic => {
                    joins = false;
                    continue;
                }
                Some((start, count, of)) if joins && *of == scale => *count = end - *start,
                _ => segments.push((range.start, range.len, scale)),
            }
            joins = true;
        }
        segments
    }

    pub(super) fn gradient_length(&self) -> Result<f64, Error> {
        let (queue, segments) = (&*self.engine.queue, self.segments());
        let mut at = self.squares.at();
        for &(start, count, _) in &segments {
            squares(queue, self.gradient.at().plus(4 * start), count, at).map_err(failed)?;
            at = at.plus(8 * length_partials(queue, count));
        }
        let mut bytes = vec![0; (at.0 - self.squares.at().0) as usize];
        queue.download(self.squares.at(), &mut bytes).map_err(failed)?;
        let mut sums = bytes.as_chunks::<8>().0.iter().map(|eight| f64::from_le_bytes(*eight));
        let of_segment =
            |&(_, count, scale): &(usize, usize, f64)| scale * scale * sums.by_ref().take(length_partials(queue, count)).sum::<f64>();
        Ok(segments.iter().map(of_segment).sum::<f64>().sqrt())
    }

    pub(super) fn move_weights(&mut self, step: Step, count: u32, shorten: f64) -> Result<(), Error> {
        for (tensor, range) in self.tensors.iter().zip(&self.ranges).filter(|(_, range)| range.learnt != Learnt::Statistic) {
            let at = |region: Address| region.plus(4 * range.start);
            let [first, second] = [0, 1].map(|moment: usize| at(self.moments[moment].at()));
            let (copy, storage) = tensor.copy.unwrap_or((Address::NONE, Storage::F32));
            let places = Places { gradient: at(self.gradient.at()), weights: tensor.master, first, second, copy, count: range.len };
            let scale = (shorten * self.unscale(range)) as f32;
            update(&*self.engine.queue, storage, step.of(range), count, places, scale).map_err(failed)?;
        }
        self.refresh_tokens().map_err(failed)?;
        self.follow_statistics()
    }

    /// Running statistics are few and lie in this machine's memory.
    fn follow_statistics(&mut self) -> Result<(), Error> {
        let (engine, gradient) = (&self.engine, self.gradient.at());
        for ((_, mut running), range) in self.model.weights.named_mut().into_iter().rev().zip(&self.ranges) {
            if range.learnt == Learnt::Statistic {
                let of_batch = engine.get(Storage::F32, gradient.plus(4 * range.start), range.len)?;
                batch_norm::follow(running.values(), &of_batch)?;
            }
        }
        Ok(())
    }

    /// Makes what tokens get added from tokens and positions.
    pub(super) fn refresh_tokens(&self) -> Result<(), Fault> {
        let (config, queue) = (&self.model.config, &*self.engine.queue);
        let (positions, width) = (self.master_of("position_embeddings"), config.hidden_size);
        let copied = |from: Address, to: Address, count: usize| {
            let [from_tokens, to_tokens, width] = [count, count, width].map(|n| n as i32);
            tokens::cut(queue, Storage::F32, Cut { from, to, images: 1, from_tokens, to_tokens, first: 0, width })
        };
        copied(positions.plus(4 * config.positioned() * width), self.grid.region.at(), config.patches().count())?;
        for (name, first, count) in self.special_tokens() {
            let to = self.grid.region.at().plus(4 * (self.grid.positions + first * width));
            if first >= config.positioned() {
                copied(self.master_of(name), to, count)?;
                continue;
            }
            let (patches, positions, images) = (self.master_of(name), positions.plus(4 * first * width), 1);
            let (count, width) = (count as i32, width as i32);
            let join = Join { patches, special_rows: Address::NONE, positions, tokens: to, images, count, special: 0, width };
            tokens::join(queue, Storage::F32, join)?;
        }
        Ok(())
    }

    /// The weights as they stand.
    pub(super) fn weights(&self) -> Result<Weights<f32>, Error> {
        let mut weights = self.model.weights.clone();
        let named = weights.named_mut().into_iter().rev();
        for ((_, mut weight), (tensor, range)) in named.zip(self.tensors.iter().zip(&self.ranges)) {
            if range.learnt != Learnt::Statistic {
                let all = self.engine.get(Storage::F32, tensor.master, tensor.len())?;
                weight.fill(tensor.gathered(&all));
            }
        }
        weights.head.refold();
        Ok(weights)
    }

    /// Every tensor's gradient as it is, without the zeros that it is filled up with, which must be zero.
    #[cfg(test)]
    pub(in crate::vit::cuda) fn gradients(&self) -> Result<Vec<(String, Vec<f64>)>, Error> {
        let mut found = Vec::new();
        for (tensor, range) in self.tensors.iter().zip(&self.ranges) {
            let all = self.engine.get(Storage::F32, self.gradient.at().plus(4 * range.start), range.len)?;
            let values = tensor.gathered(&all);
            assert_eq!(tensor.spread(&values), all, "{}: what it is filled up with has a gradient", tensor.name);
            found.push((range.name.clone(), values.iter().map(|&value| self.unscale(range) * f64::from(value)).collect()));
        }
        Ok(found)
    }
}
