//! Stored tensors by name, whatever they are stored in: the one seam between file formats and layouts.

use std::collections::BTreeMap;

use crate::Error;

/// The largest named architecture has some six hundred tensors.
const MOST_TENSORS: usize = 2000;

/// What a file format must be able to do.
pub(super) trait Reader {
    /// Names and shapes of everything it holds; no values are touched.
    fn shapes(&self) -> BTreeMap<String, Vec<usize>>;

    /// The values of one of them as `f32` in row-major order, or what is wrong with it.
    fn read(&self, name: &str) -> Result<Vec<f32>, String>;
}

/// The tensors of a checkpoint by name.
pub(super) struct Tensors<'a> {
    path: String,
    shapes: BTreeMap<String, Vec<usize>>,
    reader: Box<dyn Reader + 'a>,
}

impl<'a> Tensors<'a> {
    /// Takes what `reader` holds; `path` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] where there are no tensors, or more than a vision transformer has.
    pub fn new(path: String, reader: impl Reader + 'a) -> Result<Self, Error> {
        let shapes = reader.shapes();
        if shapes.is_empty() || shapes.len() > MOST_TENSORS {
            let problem = format!("it holds {} tensors; a vision transformer has 1 to {MOST_TENSORS}", shapes.len());
            return Err(Error::Checkpoint { path, problem });
        }
        Ok(Self { path, shapes, reader: Box::new(reader) })
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Every name with its shape.
    pub fn names(&self) -> &BTreeMap<String, Vec<usize>> {
        &self.shapes
    }

    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.shapes.get(name).map(Vec::as_slice)
    }

    /// The values of a tensor as `f32`, whatever they are stored as; refuses NaN and infinities.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, Error> {
        let refuse = |problem: String| Error::Checkpoint { path: self.path.clone(), problem };
        let values = self.reader.read(name).map_err(|problem| refuse(format!("tensor {name} {problem}")))?;
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(refuse(format!("tensor {name} is not finite at index {index}; the file is damaged or training diverged"))),
            None => Ok(values),
        }
    }

    /// A refusal of this checkpoint.
    pub fn refuse(&self, problem: String) -> Error {
        Error::Checkpoint { path: self.path.clone(), problem }
    }
}
