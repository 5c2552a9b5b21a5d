//! What a device does for a model, by the device's own clock: for benchmarks.

use super::{Vit, cuda::failed};
use crate::Error;

/// How long a device computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeviceTime {
    /// Milliseconds in which it computed: all stretches between two copies to or from the processor.
    pub computing: f64,
    /// Milliseconds from the first moment of the first stretch to the last of the last: with the copies between them, and with waiting.
    pub elapsed: f64,
    /// Stretches.
    pub stretches: usize,
}

impl Vit {
    /// Does `work` and tells how long the model's device computed for it; no time on a device without a clock, as the CPU is.
    /// One at a time: what others ask of the model meanwhile is counted too.
    ///
    /// ```
    /// # use xai::{Batch, HeadKind, Probe, Vit, VitConfig};
    /// # let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
    /// # let batch = Batch::new(ndarray::Array4::zeros((1, 3, 8, 12)))?;
    /// let (trace, time) = vit.timed(|| vit.trace(&batch, Probe::Logits))?;
    /// assert_eq!((trace.logits().dim(), time), ((1, 2), None));
    /// # Ok::<(), xai::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `work` says, and [`Error::Kernel`].
    pub fn timed<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<(T, Option<DeviceTime>), Error> {
        let Some(clock) = self.model.engine.as_ref().and_then(|engine| engine.queue.clock()) else { return Ok((work()?, None)) };
        clock.watch().map_err(failed)?;
        let done = work();
        let stretches = clock.watched().map_err(failed)?;
        let milliseconds = |between| clock.milliseconds(between).map(f64::from).map_err(failed);
        let computing = stretches.iter().map(|&between| milliseconds(between)).sum::<Result<f64, _>>()?;
        let elapsed = match (stretches.first(), stretches.last()) {
            (Some([from, _]), Some([_, to])) => milliseconds([*from, *to])?,
            _ => 0.0,
        };
        Ok((done?, Some(DeviceTime { computing, elapsed, stretches: stretches.len() })))
    }

    /// The most bytes of its device that the model held since this was last asked for, weights and passes; nothing on the CPU.
    pub fn most_device_bytes(&self) -> Option<usize> {
        self.model.engine.as_ref().map(|engine| engine.most_bytes())
    }
}
