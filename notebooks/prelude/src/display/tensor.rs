//! Tensors of candle: shape, kind, device, and a glimpse as of an array.

use candle_core::{DType, Tensor};
use ndarray::{ArrayD, IxDyn};

use super::Rendering;
use super::array;

/// Values that are fetched for the glimpse; a larger tensor is only looked at in its first part.
const MOST_VALUES: usize = 1 << 24;

pub fn tensor(tensor: &Tensor) -> Rendering {
    let facts = format!("candle tensor {} of {:?} on {:?}", array::shape(tensor.dims()), tensor.dtype(), tensor.device().location());
    match values(tensor) {
        Ok((values, part)) => {
            let shown = array::array(values.view());
            let part = if part { "; its first part:" } else { "" };
            let html = format!("<div>{}{part}</div>{}", super::escaped(&facts), shown.to_html());
            Rendering::text(format!("{facts}{part}\n{}", shown.plain)).with_html(html)
        }
        Err(problem) => Rendering::text(format!("{facts}, whose values cannot be read: {problem}")),
    }
}

/// The values, or those at the start of the first dimension where there are too many.
fn values(tensor: &Tensor) -> candle_core::Result<(ArrayD<f64>, bool)> {
    let part = tensor.elem_count() > MOST_VALUES;
    let looked_at = if part { first(tensor)? } else { tensor.clone() };
    let values = looked_at.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let array = ArrayD::from_shape_vec(IxDyn(looked_at.dims()), values);
    Ok((array.map_err(|problem| candle_core::Error::Msg(problem.to_string()))?, part))
}

fn first(tensor: &Tensor) -> candle_core::Result<Tensor> {
    let mut looked_at = tensor.clone();
    for dimension in 0..tensor.rank() {
        let others = looked_at.elem_count() / looked_at.dim(dimension)?;
        let room = (MOST_VALUES / others).clamp(1, looked_at.dim(dimension)?);
        looked_at = looked_at.narrow(dimension, 0, room)?;
    }
    Ok(looked_at)
}
