//! The gradient of a lesson: the way there, the loss, the way back, and who is told of each piece as it is finished.

use kernels::cuda::{Fault, Storage};

use super::Learning;
use super::places::Lying;
use crate::Error;
use crate::training::{Added, Exchange, Values, groups};
use crate::vit::cuda::failed;
use crate::vit::cuda::forward::Run;
use crate::vit::cuda::input::{Input, Pictures};
use crate::vit::cuda::places::laid_out;
use crate::vit::forward::Keep;

impl Learning {
    /// Adds the gradient of pictures, in halves where the device's memory is too small for all of them.
    pub(super) fn add_pictures(
        &self,
        (pictures, labels): (Pictures, &[usize]),
        class_weights: &[f32],
        of: usize,
        exchange: Option<&mut dyn Exchange>,
    ) -> Result<Added, Error> {
        let engine = &self.engine;
        let sizes = engine.sizes(&self.model.config, (pictures.images, pictures.patches), Keep::Everything);
        let lay = |places: &mut _| (Lying::lay(&sizes, &engine.weights, &self.head, places), Input::lay(&pictures, &sizes, places));
        // BatchNorm takes its statistics over all of them, so halves would learn something else.
        let may_be_halved = pictures.images > 1 && self.head.hidden.is_empty();
        let (_region, (lying, input)) = match laid_out(&engine.arena, engine.storage, lay) {
            Err(Fault::OutOfMemory { .. }) if may_be_halved => {
                engine.arena.give_back();
                let (half, (first, second)) = (pictures.images / 2, pictures.split_at(pictures.images / 2));
                let first = self.add_pictures((first, &labels[..half]), class_weights, of, None)?;
                let second = self.add_pictures((second, &labels[half..]), class_weights, of, exchange)?;
                return Ok(Added { loss: first.loss + second.loss, passes: first.passes + second.passes });
            }
            laid => laid.map_err(failed)?,
        };
        input.upload(engine, &pictures)?;
        let run = Run::new(engine, &sizes).reading(input);
        run.pass(&lying.passing, &lying.kept, &self.grid).map_err(failed)?;
        self.head_forward(&run, &lying, of).map_err(failed)?;
        self.loss(&lying, labels, class_weights, of)?;
        self.pull_back(&run, &lying, &mut Pieces::new(self, exchange))?;
        let losses = engine.get(Storage::F32, lying.head.losses, pictures.images)?;
        Ok(Added { loss: losses.into_iter().map(f64::from).sum(), passes: 1 })
    }
}

/// Pieces of the gradient that are still to be finished, and who is told of them.
pub(super) struct Pieces<'a, 'b> {
    learning: &'a Learning,
    left: std::vec::IntoIter<std::ops::Range<usize>>,
    exchange: Option<&'b mut dyn Exchange>,
}

impl<'a, 'b> Pieces<'a, 'b> {
    fn new(learning: &'a Learning, exchange: Option<&'b mut dyn Exchange>) -> Self {
        Self { learning, left: groups(&learning.ranges).into_iter(), exchange }
    }

    /// The next piece is finished as soon as what was launched is done.
    pub fn finished(&mut self) -> Result<(), Error> {
        let (Some(group), Some(exchange)) = (self.left.next(), self.exchange.as_deref_mut()) else { return Ok(()) };
        let ranges = &self.learning.ranges[group];
        let (first, last) = (&ranges[0], &ranges[ranges.len() - 1]);
        let at = self.learning.gradient.at().plus(4 * first.start);
        let count = last.start + last.len - first.start;
        exchange.finished(ranges, Values::Device { queue: &self.learning.engine.queue, at, count })
    }
}
