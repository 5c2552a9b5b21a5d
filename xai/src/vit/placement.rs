//! Where a model computes, and in which numbers.

use std::sync::Arc;

use kernels::Device;

use super::{Model, Precision, Vit, cuda};
use crate::Error;

impl Vit {
    /// The same model on another device, in the precision that it has.
    ///
    /// # Errors
    /// [`Error::Kernel`] where the device is not there, has not enough memory, or has no kernels for the architecture.
    ///
    /// ```
    /// use xai::{Device, HeadKind, Vit, VitConfig};
    /// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
    /// assert!(vit.clone().on(Device::Cuda(99)).is_err());
    /// assert_eq!(vit.on(Device::Cpu)?.device(), Device::Cpu);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn on(self, device: Device) -> Result<Self, Error> {
        if device == self.device() {
            return Ok(self);
        }
        let precision = self.precision();
        let model = Arc::unwrap_or_clone(self.model);
        let engine = match device {
            Device::Cpu => None,
            Device::Cuda(ordinal) => Some(Arc::new(cuda::Engine::open(ordinal, &model.config, &model.weights, precision)?)),
        };
        Ok(Self { model: Arc::new(Model { device, engine, ..model }) })
    }

    /// The same model with its products taken in `precision`. Rounded weights stay rounded: the numbers they came from are given up.
    ///
    /// # Errors
    /// As for [`Vit::on`] for a model on a device other than the CPU.
    pub fn with_precision(self, precision: Precision) -> Result<Self, Error> {
        if precision == self.precision() || precision == Precision::F32 {
            return Ok(self);
        }
        let device = self.device();
        let model = Arc::unwrap_or_clone(self.model);
        let rounded = Self { model: Arc::new(Model { weights: model.weights.rounded(), device: Device::Cpu, engine: None, ..model }) };
        rounded.on(device)
    }

    /// In which numbers products are taken.
    pub fn precision(&self) -> Precision {
        match self.model.weights.patch.weight.precision() {
            kernels::linear::Precision::Full => Precision::F32,
            kernels::linear::Precision::Bf16 => Precision::Bf16,
        }
    }

    /// The numbers products are taken in, and by which instructions or on which architecture.
    pub(crate) fn kernel_set(&self) -> String {
        match &self.model.engine {
            None => format!("{} {}", self.precision(), kernels::Instructions::best()),
            Some(engine) => format!("{} sm_{}", engine.storage, engine.queue.capability()),
        }
    }
}
