//! A model with what a notebook asks of it.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use anyhow::{Context, Result};
use workbench::pipeline::{Question, read_watched};
use workbench::progress::{self, PassBar};
use workbench::{ModelSource, drawn_model};
use xai::{Device, HeadKind, LoadOptions, Method, Precision, Probe, Target, Trace, Vit, cancellation};

use crate::{AttentionSheet, Explanation, Lesion, Prediction};

/// Images of one forward pass when there are many.
const TOGETHER: usize = 16;

/// A vision transformer; everything of [`Vit`] can be asked of it as well. Clones share the weights.
#[derive(Clone)]
pub struct Model(Vit);

/// Loads a model: `drawn` (small, ships with Pellucid, trained on drawn lesions), a folder or file of weights, `hf:OWNER/NAME`, or
/// `random:ARCHITECTURE[+linear:CLASSES]`.
///
/// ```
/// let model = pellucid::load("drawn")?;
/// assert_eq!((model.labels().len(), model.config().num_hidden_layers), (7, 6));
/// # Ok::<(), pellucid::Error>(())
/// ```
///
/// # Errors
/// When the name is not understood, or the checkpoint is not there or refused; the message says what to do.
pub fn load(source: &str) -> Result<Model> {
    load_with(source, &LoadOptions::default())
}

/// The same with what a checkpoint's files do not say.
///
/// # Errors
/// As for [`load`].
pub fn load_with(source: &str, options: &LoadOptions) -> Result<Model> {
    crate::begin();
    let loaded = source.parse::<ModelSource>()?.load(options);
    Ok(Model(loaded.with_context(|| format!("model `{source}` cannot be loaded"))?))
}

impl Model {
    /// The model of the environment's `PELLUCID_MODEL`, or the drawn one: so a lesson runs on one's own model unchanged.
    ///
    /// # Errors
    /// As for [`load`].
    pub fn chosen() -> Result<Self> {
        load(&std::env::var("PELLUCID_MODEL").unwrap_or_else(|_| "drawn".into()))
    }

    /// What must be said wherever this model's answers are shown; nothing for models that somebody trained on something.
    pub fn caution(&self) -> Option<String> {
        let source = self.source();
        let drawn =
            (source.name == drawn_model::NAME).then(|| format!("{}: its answers about real lesions mean nothing", drawn_model::LABEL));
        drawn.or_else(|| source.name.starts_with("random").then(|| source.notes.join("; ")))
    }

    /// The same model on another device; this one stays where it is, so that both can be asked.
    ///
    /// ```
    /// use pellucid::prelude::*;
    /// let model = load("drawn")?;
    /// let error = model.on(Device::Cuda(99)).unwrap_err();
    /// assert!(format!("{error:#}").contains("cuda:99") && model.on(Device::Cpu)?.device() == Device::Cpu);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// When the device is not there or has too little memory; the message says what helps.
    pub fn on(&self, device: Device) -> Result<Self> {
        let moved = self.0.clone().on(device);
        Ok(Self(moved.with_context(|| format!("{} cannot be brought onto {device}", self.source().name))?))
    }

    /// The same model with its products taken in another precision; this one keeps its own.
    ///
    /// ```
    /// use pellucid::prelude::*;
    /// let model = load("drawn")?;
    /// assert_eq!((model.in_precision(Precision::Bf16)?.precision(), model.precision()), (Precision::Bf16, Precision::F32));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Model::on`].
    pub fn in_precision(&self, precision: Precision) -> Result<Self> {
        let rounded = self.0.clone().with_precision(precision);
        Ok(Self(rounded.with_context(|| format!("{} cannot compute in {precision}", self.source().name))?))
    }

    /// Explains the class that the model predicts.
    ///
    /// # Errors
    /// When the picture cannot be prepared, the method needs a head and there is none, or the cell is interrupted.
    pub fn explain(&self, lesion: impl Into<Lesion>, method: impl Borrow<Method>) -> Result<Explanation> {
        self.explain_one(lesion.into(), method.borrow(), "predicted")
    }

    /// Explains a class by name or number, or what speaks for one class against another: `melanoma:nevus`.
    ///
    /// # Errors
    /// As for [`Model::explain`], and for a class that does not exist, with those that do.
    pub fn explain_target(&self, lesion: impl Into<Lesion>, method: impl Borrow<Method>, target: &str) -> Result<Explanation> {
        self.explain_one(lesion.into(), method.borrow(), target)
    }

    /// A cell compiles what is generic; this is compiled already.
    fn explain_one(&self, lesion: Lesion, method: &Method, target: &str) -> Result<Explanation> {
        let target = Target::parse(target, self.labels())?;
        let bar = PassBar::new("explaining", 1, &question(target, &[method]));
        Ok(self.answer(lesion, target, &[method], &bar)?.remove(0))
    }

    /// Explains one lesion by several methods, from one forward pass where they share it.
    ///
    /// # Errors
    /// As for [`Model::explain`].
    pub fn compare(&self, lesion: impl Into<Lesion>, methods: &[Method]) -> Result<Vec<Explanation>> {
        self.compare_one(lesion.into(), methods)
    }

    fn compare_one(&self, lesion: Lesion, methods: &[Method]) -> Result<Vec<Explanation>> {
        let methods: Vec<&Method> = methods.iter().collect();
        let bar = PassBar::new("explaining", 1, &question(Target::Predicted, &methods));
        self.answer(lesion, Target::Predicted, &methods, &bar)
    }

    /// Explains many lesions by one method.
    ///
    /// # Errors
    /// As for [`Model::explain`].
    pub fn explain_all(&self, lesions: &[Lesion], method: impl Borrow<Method>) -> Result<Vec<Explanation>> {
        self.explain_each(lesions, method.borrow())
    }

    fn explain_each(&self, lesions: &[Lesion], method: &Method) -> Result<Vec<Explanation>> {
        let bar = PassBar::new("explaining", lesions.len(), &question(Target::Predicted, &[method]));
        let one = |lesion: &Lesion| Ok(self.answer(lesion.clone(), Target::Predicted, &[method], &bar)?.remove(0));
        lesions.iter().map(one).collect()
    }

    fn answer(&self, lesion: Lesion, target: Target, methods: &[&Method], bar: &PassBar) -> Result<Vec<Explanation>> {
        cancellation::check()?;
        let reading = read_watched(self, &lesion.picture, &question(target, methods), &mut |progress| bar.show(progress));
        let reading = reading.with_context(|| format!("{} cannot be explained", lesion.name))?;
        bar.next_picture();
        Ok(Explanation::of(self, &lesion, target, reading))
    }

    /// Class probabilities of one lesion.
    ///
    /// # Errors
    /// When the picture cannot be prepared. A model without a head gives no classes.
    pub fn predict(&self, lesion: impl Into<Lesion>) -> Result<Prediction> {
        Ok(self.predict_all(&[lesion.into()])?.remove(0))
    }

    /// Class probabilities of many lesions, in their order.
    ///
    /// # Errors
    /// As for [`Model::predict`], and when the cell is interrupted.
    pub fn predict_all(&self, lesions: &[Lesion]) -> Result<Vec<Prediction>> {
        let bar = progress::bar("predicting", lesions.len());
        let mut predictions = Vec::with_capacity(lesions.len());
        for some in lesions.chunks(TOGETHER) {
            let trace = self.look_at(some, Probe::Logits)?;
            let rows = trace.probabilities();
            predictions.extend(some.iter().zip(rows.outer_iter()).map(|(lesion, row)| Prediction::of(self, lesion, &row.to_vec())));
            bar.add(some.len() as u64);
        }
        Ok(predictions)
    }

    /// One forward pass over some lesions, keeping what `probe` says.
    ///
    /// # Errors
    /// When a picture cannot be prepared, or the pictures come out in different sizes.
    pub fn look_at(&self, lesions: &[Lesion], probe: Probe) -> Result<Trace> {
        let prepared = lesions.iter().map(|lesion| self.preprocessor().prepare(&lesion.picture));
        Ok(self.trace(&xai::Batch::stack(&prepared.collect::<Result<Vec<_>, _>>()?)?, probe)?)
    }

    /// What every head of every layer looks at: the class token's row of each attention map.
    ///
    /// # Errors
    /// When the picture cannot be prepared, or the model has no class token.
    pub fn attention_sheet(&self, lesion: impl Into<Lesion>) -> Result<AttentionSheet> {
        AttentionSheet::of(&self.look_at(&[lesion.into()], Probe::Attention)?)
    }

    /// The methods that this model can answer, by name: without a head only those that need no class.
    pub fn methods(&self) -> Vec<(&'static str, Method)> {
        let headless = self.head() == HeadKind::None;
        let answers = |method: &Method| !headless || !(method.is_class_specific() || method.most_passes() > 0);
        Method::named().into_iter().filter(|(_, method, _)| answers(method)).map(|(name, method, _)| (name, method)).collect()
    }
}

fn question(target: Target, methods: &[&Method]) -> Question {
    Question { target, methods: methods.iter().map(|&method| method.clone()).collect() }
}

impl Deref for Model {
    type Target = Vit;

    fn deref(&self) -> &Vit {
        &self.0
    }
}

impl From<Vit> for Model {
    fn from(vit: Vit) -> Self {
        crate::begin();
        Self(vit)
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let config = self.config();
        let (layers, heads, width, patch) = (config.num_hidden_layers, config.num_attention_heads, config.hidden_size, config.patch_size);
        let (height, wide) = config.image_size;
        write!(
            f,
            "Model {}: {} parameters, {layers} layers, {heads} heads, width {width}, patches of {patch} pixels on {height}×{wide}, {} classes",
            self.source().name,
            self.parameters(),
            self.labels().len()
        )
    }
}
