//! `use pellucid::prelude::*`: the one line at the top of a notebook, which the kernel writes itself.

pub use crate::anyhow::{Context, Result, anyhow, bail, ensure};
pub use crate::display::display;
pub use crate::{
    AttentionSheet, Error, Explanation, Gpus, Lesion, Model, Prediction, TrainingRun, display, drawn, each, evaluate, gpus, lesions, load,
    load_with, open, records, small_experiment, train,
};

pub use candle_core::{self, Device as CandleDevice, Tensor};
pub use image::{self, DynamicImage, GrayImage, RgbImage};
pub use ndarray::{self, Array, Array1, Array2, Array3, Array4, ArrayD, Axis, array, s};
pub use plotly::{self, Bar, BoxPlot, Histogram, Layout, Plot, Scatter};
pub use polars::{self, df, prelude::*};
pub use rayon;

pub use datasets::synthetic::{Cohort, CohortPlan, DrawnLesion, Shares};
pub use datasets::{self, Attribute, Imbalance, LesionClass, Split, SplitPlan, Weighting as ClassWeighting, imbalance_by, split};
pub use reports::classification::{self, ConfusionMatrix, Evaluation, Predictions};
pub use reports::figures::{
    ClassCount, ClassProbability, CountScale, class_balance, class_bars, confusion_matrix, roc_curves, training_curve,
};
pub use reports::{self, statistics};
pub use workbench::evidence::{Localisation, localisation};
pub use workbench::experiment::{Experiment, TrainingPlan};
pub use workbench::pipeline::{Question, Reading, read};
pub use workbench::{self, hub};
pub use xai::metric::localisation::{area_share, centre_control, pointing_game, random_control, relevance_mass};
pub use xai::training::{AdamW, Decay, Step, Training};
pub use xai::{
    self, Attribution, Batch, Colormap, Device, GradientRollout, HeadFusion, HeadKind, HeatMap, IntegratedGradients, Labels, LoadOptions,
    Method, OverlayStyle, Patches, Precision, Preprocessor, Probe, Recipe, Relevance, Rescale, Residual, Rollout, SmoothGrad, Target,
    Trace, Vit, VitConfig, Window, explain, explicit, overlay, side_by_side,
};
