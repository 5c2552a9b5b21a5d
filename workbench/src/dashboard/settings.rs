//! What a dashboard needs to start.

use std::time::Duration;

use anyhow::Context;
use datasets::synthetic::{Cohort, CohortPlan};
use xai::Vit;

use super::TestRecord;
use crate::drawn_model;
use crate::experiment::Experiment;

/// Model, lesions and limits of a dashboard.
#[derive(Debug)]
pub struct Settings {
    /// The one model that all requests share.
    pub model: Vit,
    /// What every page that shows the model must say about it, for example [`drawn_model::LABEL`].
    pub model_label: Option<String>,
    /// The drawn cohort behind the worklist and the class balance.
    pub cohort: Cohort,
    /// Which images of the cohort the worklist shows.
    pub shown: Vec<usize>,
    /// What the model came to on its test part, for the monitoring page.
    pub record: Option<TestRecord>,
    /// How much is done at once.
    pub workload: Workload,
}

/// Bounds on what a dashboard does and keeps at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Inferences that run at once.
    pub running: usize,
    /// Inferences that may wait; beyond them the answer is 429.
    pub waiting: usize,
    /// Uploads that are received at once.
    pub receiving: usize,
    /// Uploads that are kept, in memory only; the oldest goes first.
    pub kept: usize,
    /// Longest time a request may take.
    pub patience: Duration,
}

impl Default for Workload {
    /// One runs, eight wait, four uploads are received, 64 are kept, 30 seconds.
    fn default() -> Self {
        Self { running: 1, waiting: 8, receiving: 4, kept: 64, patience: Duration::from_secs(30) }
    }
}

/// Lesions on the worklist of the demonstration.
const SHOWN: usize = 24;

impl Settings {
    /// The demonstration: the model that ships, and drawn lesions of its test part, which it never saw in training.
    ///
    /// # Errors
    /// None in practice; a test makes it.
    pub fn demo() -> anyhow::Result<Self> {
        let experiment: Experiment = toml::from_str(drawn_model::EXPERIMENT).context("the shipped experiment cannot be read")?;
        let record = TestRecord::drawn()?;
        let mut settings = Self::of(drawn_model::load()?, &experiment.cohort)?;
        settings.shown = record.spread(&settings.cohort, SHOWN);
        Ok(Self { model_label: Some(drawn_model::LABEL.into()), record: Some(record), ..settings })
    }

    /// Another model over a drawn cohort, without a test record; the worklist shows the cohort's first images.
    ///
    /// # Errors
    /// When the plan cannot be followed.
    pub fn of(model: Vit, plan: &CohortPlan) -> anyhow::Result<Self> {
        let cohort = Cohort::draw(plan)?;
        let shown = (0..cohort.len().min(SHOWN)).collect();
        Ok(Self { model, model_label: None, cohort, shown, record: None, workload: Workload::default() })
    }
}
