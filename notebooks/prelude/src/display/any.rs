//! Which renderer a value has, decided by its type at run time, so that foreign types are shown as well.

use std::any::Any;

use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};
use ndarray::{Array, ArrayD, Ix0, Ix1, Ix2, Ix3, Ix4};
use plotly::Plot;
use polars::prelude::{DataFrame, LazyFrame, Series};
use reports::classification::{ConfusionMatrix, Evaluation};
use reports::table::Table;
use workbench::evidence::Localisation;
use xai::{Attribution, Batch, HeatMap};

use super::{Rendering, array, attention_sheet, attribution, chart, explanation, frame, metrics, picture, tensor};
use crate::{AttentionSheet, Explanation, Lesion, Prediction, TrainingRun};

/// The rendering of a value, or its text where there is none.
pub fn rendering(value: &dyn Any, text: &dyn Fn() -> String) -> Rendering {
    rendering_of(value).unwrap_or_else(|| Rendering::text(text()))
}

/// The rendering of a value that has one by its type.
///
/// ```
/// use pellucid::display::rendering_of;
/// assert!(rendering_of(&image::RgbImage::new(2, 2)).unwrap().png.is_some());
/// assert!(rendering_of(&"text").is_none() && rendering_of(&()).unwrap().is_silent());
/// ```
pub fn rendering_of(value: &dyn Any) -> Option<Rendering> {
    if value.is::<()>() || value.is::<Option<()>>() || value.is::<Result<(), crate::Error>>() {
        return Some(Rendering::default()).filter(|_| !is_something(value));
    }
    of_pictures(value).or_else(|| of_numbers(value)).or_else(|| of_models(value)).or_else(|| arrays(value))
}

/// `None` and errors are told, although nothing could be inside.
fn is_something(value: &dyn Any) -> bool {
    matches!(value.downcast_ref::<Option<()>>(), Some(None)) || matches!(value.downcast_ref::<Result<(), crate::Error>>(), Some(Err(_)))
}

/// One type, and what holds values of it.
fn one<T: 'static>(value: &dyn Any, render: fn(&T) -> Rendering) -> Option<Rendering> {
    if let Some(value) = value.downcast_ref::<T>() {
        return Some(render(value));
    }
    if let Some(Some(value)) = value.downcast_ref::<Option<T>>() {
        return Some(render(value));
    }
    if let Some(Ok(value)) = value.downcast_ref::<Result<T, crate::Error>>() {
        return Some(render(value));
    }
    value.downcast_ref::<Vec<T>>().map(|values| Rendering::several(values, render))
}

fn of_pictures(value: &dyn Any) -> Option<Rendering> {
    one::<RgbImage>(value, picture::rgb)
        .or_else(|| one::<GrayImage>(value, picture::grey))
        .or_else(|| one::<RgbaImage>(value, picture::rgba))
        .or_else(|| one::<DynamicImage>(value, picture::any))
        .or_else(|| one::<Lesion>(value, picture::lesion))
        .or_else(|| one::<datasets::synthetic::DrawnLesion>(value, picture::drawn))
        .or_else(|| one::<Batch>(value, picture::batch))
        .or_else(|| one::<HeatMap>(value, attribution::heat_map))
        .or_else(|| one::<Attribution>(value, attribution::attribution))
}

fn of_numbers(value: &dyn Any) -> Option<Rendering> {
    one::<DataFrame>(value, frame::frame)
        .or_else(|| one::<LazyFrame>(value, frame::lazy))
        .or_else(|| one::<Series>(value, frame::series))
        .or_else(|| one::<candle_core::Tensor>(value, tensor::tensor))
        .or_else(|| one::<Plot>(value, chart::chart))
        .or_else(|| one::<Table>(value, metrics::table))
        .or_else(|| one::<ConfusionMatrix>(value, metrics::confusion))
        .or_else(|| one::<Evaluation>(value, metrics::evaluation))
}

fn of_models(value: &dyn Any) -> Option<Rendering> {
    // A table of all, not one after the other.
    if let Some(rows) = value.downcast_ref::<Vec<Localisation>>() {
        return Some(metrics::localisations(rows));
    }
    if let Some(explanations) = value.downcast_ref::<Vec<Explanation>>().filter(|some| some.len() > 1) {
        return Some(explanation::several(explanations));
    }
    one::<Explanation>(value, explanation::explanation)
        .or_else(|| one::<Prediction>(value, metrics::prediction))
        .or_else(|| one::<AttentionSheet>(value, attention_sheet::sheet))
        .or_else(|| one::<TrainingRun>(value, metrics::training))
}

/// Arrays of the usual numbers and ranks.
fn arrays(value: &dyn Any) -> Option<Rendering> {
    macro_rules! ranks {
        ($($number:ty),+) => {
            None$(.or_else(|| of_rank::<$number>(value)))+
        };
    }
    ranks!(f32, f64, i32, i64, u8, u16, u32, u64, usize, bool)
}

fn of_rank<A: array::Cell>(value: &dyn Any) -> Option<Rendering> {
    one::<Array<A, Ix2>>(value, |array| array::array(array.view().into_dyn()))
        .or_else(|| one::<Array<A, Ix1>>(value, |array| array::array(array.view().into_dyn())))
        .or_else(|| one::<Array<A, Ix3>>(value, |array| array::array(array.view().into_dyn())))
        .or_else(|| one::<Array<A, Ix4>>(value, |array| array::array(array.view().into_dyn())))
        .or_else(|| one::<Array<A, Ix0>>(value, |array| array::array(array.view().into_dyn())))
        .or_else(|| one::<ArrayD<A>>(value, |array| array::array(array.view())))
}
