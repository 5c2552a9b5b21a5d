//! What all requests share.

use std::sync::Arc;

use anyhow::Context;
use datasets::synthetic::Cohort;
use rayon::prelude::*;
use tokio::sync::Semaphore;
use xai::Vit;

use super::lesion::Lesion;
use super::lesions::Lesions;
use super::model_card::ModelCard;
use super::problem::Problem;
use super::queue::Queue;
use super::readings::Readings;
use super::{Settings, TestRecord, Workload};

/// One model, its lesions and its queue; clones share them.
#[derive(Debug, Clone)]
pub struct State {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    model: Vit,
    card: ModelCard,
    cohort: Cohort,
    record: Option<TestRecord>,
    workload: Workload,
    lesions: Lesions,
    readings: Readings,
    queue: Queue,
    receiving: Arc<Semaphore>,
}

impl State {
    /// Draws the lesions of the worklist and opens the queue.
    ///
    /// # Errors
    /// When an image of the worklist is not in the cohort, or cannot be prepared for the model.
    pub fn new(settings: Settings) -> anyhow::Result<Self> {
        let Settings { model, model_label, cohort, shown, record, workload } = settings;
        let draw = |&index: &usize| {
            let drawing = cohort.sample(index).with_context(|| format!("the cohort has no image {index}"))?;
            Ok(Arc::new(Lesion::drawn(&cohort.records()[index], drawing, model.preprocessor())?))
        };
        let drawn = shown.par_iter().map(draw).collect::<anyhow::Result<Vec<_>>>()?;
        let shared = Shared {
            card: ModelCard::of(&model, model_label),
            lesions: Lesions::new(drawn, workload.kept),
            readings: Readings::new(&model),
            queue: Queue::new(workload.running, workload.waiting),
            receiving: Arc::new(Semaphore::new(workload.receiving.max(1))),
            model,
            cohort,
            record,
            workload,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The lesions there are.
    pub(super) fn lesions(&self) -> &Lesions {
        &self.shared.lesions
    }

    /// A lesion by its id.
    pub(super) fn lesion(&self, id: &str) -> Result<Arc<Lesion>, Problem> {
        self.shared.lesions.find(id).ok_or(Problem::NoSuchLesion)
    }

    pub(super) fn model(&self) -> &Vit {
        &self.shared.model
    }

    pub(super) fn card(&self) -> &ModelCard {
        &self.shared.card
    }

    pub(super) fn cohort(&self) -> &Cohort {
        &self.shared.cohort
    }

    pub(super) fn record(&self) -> Option<&TestRecord> {
        self.shared.record.as_ref()
    }

    pub(super) fn workload(&self) -> Workload {
        self.shared.workload
    }

    pub(super) fn readings(&self) -> &Readings {
        &self.shared.readings
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.shared.queue
    }

    pub(super) fn receiving(&self) -> &Arc<Semaphore> {
        &self.shared.receiving
    }
}
