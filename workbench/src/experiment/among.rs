//! The processes that run an experiment together: each takes its part of every batch.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, bail};
use kernels::collective::{Group, Patience, Place};
use reports::statistics::SplitMix64;
use xai::Device;
use xai::training::{AdamW, Decay, Lesson, Step, Together, Training};

use super::lessons::Lessons;
use super::{Experiment, schedule};
use crate::progress;

/// This process among those of a run.
#[derive(Debug)]
pub struct Among {
    group: Arc<Group>,
    patience: Patience,
    /// Its number on its machine.
    local: usize,
    /// Into how many parts a batch is cut: one for each process, or all of them for the only one.
    parts: usize,
}

impl Among {
    /// One process that takes every batch in so many parts, one after the other: it ends at the bits of so many processes.
    pub fn alone(parts: usize) -> Self {
        Self { group: Arc::new(Group::Alone), patience: Patience::default(), local: 0, parts: parts.max(1) }
    }

    /// The processes that torchrun or Slurm started ([`kernels::collective::launcher`]); returns when all are there.
    ///
    /// # Errors
    /// When variables contradict each other, a process does not come, or `parts` is another number than that of processes.
    pub fn of_environment(parts: Option<usize>) -> anyhow::Result<Self> {
        let place = Place::of_environment()?;
        if place.world == 1 {
            return Ok(Self::alone(parts.unwrap_or(1)));
        }
        if let Some(parts) = parts.filter(|parts| *parts != place.world) {
            bail!(
                "{parts} parts were asked for and {} processes were started: each takes one part; leave the number of parts out",
                place.world
            );
        }
        if place.rank > 0 {
            progress::show_by(progress::nowhere);
        }
        let patience = Patience::of_environment()?;
        let group = Arc::new(Group::join(&place, patience)?);
        Ok(Self { group, patience, local: place.local, parts: place.world })
    }

    /// Whether this one writes the folder and shows how far the run is.
    pub fn is_first(&self) -> bool {
        self.group.rank() == 0
    }

    /// The device of this process's own on its machine.
    pub fn own_device(&self) -> Device {
        Device::Cuda(self.local)
    }

    /// Fails where another process runs another experiment.
    pub(super) fn agree(&self, experiment: &Experiment) -> anyhow::Result<()> {
        let text = toml::to_string(experiment)?;
        let all = self.group.gather(text.as_bytes())?;
        match all.iter().position(|other| *other != all[0]) {
            Some(rank) => bail!("rank {rank} runs another experiment than rank 0; give all the same file"),
            None => Ok(()),
        }
    }

    /// What one epoch after the other is learned with.
    pub(super) fn begin(&self, training: &Training, experiment: &Experiment, lessons: &Lessons) -> anyhow::Result<Option<Together>> {
        let together = experiment.training.batch.min(lessons.len());
        if together < self.parts {
            let what = format!("{together} images of a step cannot be cut into {} parts", self.parts);
            bail!("{what}; use larger batches, or fewer processes");
        }
        let others = (self.group.world() > 1).then(|| Together::new(self.group.clone(), training, self.patience));
        Ok(others.transpose()?)
    }

    /// One epoch; returns its mean loss, and the passes of its largest step. A last batch with fewer images than parts is left out.
    pub(super) fn learn(
        &self,
        experiment: &Experiment,
        lessons: &Lessons,
        (training, others): (&mut Training, &mut Option<Together>),
        epoch: usize,
    ) -> anyhow::Result<(f64, usize)> {
        let plan = &experiment.training;
        let mut random = SplitMix64::new(experiment.seed.wrapping_mul(1009) + epoch as u64);
        let order = shuffled(lessons.len(), &mut random);
        let batches: Vec<_> = order.chunks(plan.batch.max(1)).filter(|which| which.len() >= self.parts).collect();
        let bar = progress::bar(&format!("epoch {epoch} of {}", plan.epochs), batches.len());
        let (mut total, mut passes) = (0.0, 0);
        for (index, which) in batches.iter().enumerate() {
            let rate = schedule::rate(plan, (epoch - 1) * batches.len() + index, plan.epochs * batches.len());
            let adamw = AdamW { rate, decay: plan.decay, ..AdamW::default() };
            let step = Step { adamw, decay: Decay::Matrices, clip: Some(plan.clip) };
            // Every process draws for the whole batch, so that all draw the same.
            let turns: Vec<u64> = which.iter().map(|_| random.next_u64() % 8).collect();
            total += self.step(lessons, (which, &turns), (training, others), step)? * which.len() as f64;
            passes = passes.max(training.passes());
            bar.add(1);
        }
        drop(bar);
        let images: usize = batches.iter().map(|which| which.len()).sum();
        Ok((self.summed(total)? / images.max(1) as f64, passes))
    }

    /// One step; returns what this process's parts contribute to the mean loss.
    fn step(
        &self,
        lessons: &Lessons,
        (which, turns): (&[usize], &[u64]),
        (training, others): (&mut Training, &mut Option<Together>),
        step: Step,
    ) -> anyhow::Result<f64> {
        let part = |number: usize| {
            let Range { start, end } = which.len() * number / self.parts..which.len() * (number + 1) / self.parts;
            let labels: Vec<usize> = which[start..end].iter().map(|&index| lessons.labels()[index]).collect();
            anyhow::Ok((lessons.turned_batch(&which[start..end], &turns[start..end])?, labels))
        };
        if let Some(others) = others {
            let (batch, labels) = part(self.group.rank())?;
            return Ok(training.step_with(Lesson { batch: &batch, labels: &labels }, which.len(), &[], step, others)?);
        }
        let parts = (0..self.parts).map(part).collect::<Result<Vec<_>, _>>()?;
        let parts: Vec<_> = parts.iter().map(|(batch, labels)| Lesson { batch, labels }).collect();
        Ok(training.step_of(&parts, &[], step)?)
    }

    /// The sum of a number over processes.
    fn summed(&self, mine: f64) -> anyhow::Result<f64> {
        let number = |bytes: &Vec<u8>| bytes.as_slice().try_into().map(f64::from_le_bytes).context("a rank sent no number");
        self.group.gather(&mine.to_le_bytes())?.iter().map(number).sum()
    }
}

/// The numbers below `count` in random order (Fisher and Yates).
fn shuffled(count: usize, random: &mut SplitMix64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    (1..count).rev().for_each(|last| order.swap(last, (random.next_u64() % (last as u64 + 1)) as usize));
    order
}
