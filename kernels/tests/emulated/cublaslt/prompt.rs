//! NVIDIA's driver as a device whose work is done when a call returns, so that arrays of this process can be looked at.

use kernels::cuda::driver::Driver;
use kernels::cuda::{Address, Fault, Launch, Queue, Recording};
use kernels::linear::cuda::Asked;

/// The device.
#[derive(Debug)]
pub struct Prompt(pub Driver);

impl Prompt {
    pub fn open() -> Self {
        Self(Driver::open(0).unwrap())
    }
}

impl Queue for Prompt {
    fn name(&self) -> String {
        self.0.name()
    }
    fn capability(&self) -> u32 {
        self.0.capability()
    }
    fn multiprocessors(&self) -> usize {
        self.0.multiprocessors()
    }
    fn allocate(&self, bytes: usize) -> Result<Address, Fault> {
        self.0.allocate(bytes)
    }
    fn free(&self, at: Address) {
        self.0.free(at);
    }
    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Fault> {
        self.0.upload(to, bytes)
    }
    fn download(&self, from: Address, to: &mut [u8]) -> Result<(), Fault> {
        self.0.download(from, to)
    }
    fn clear(&self, at: Address, bytes: usize) -> Result<(), Fault> {
        self.0.clear(at, bytes)
    }
    fn launch(&self, launch: &Launch) -> Result<(), Fault> {
        self.0.launch(launch)?;
        self.0.synchronise()
    }
    fn product(&self, asked: &Asked) -> Result<bool, Fault> {
        let taken = self.0.product(asked)?;
        self.0.synchronise()?;
        Ok(taken)
    }
    fn synchronise(&self) -> Result<(), Fault> {
        self.0.synchronise()
    }
    fn record(&self) -> Result<bool, Fault> {
        self.0.record()
    }
    fn end_recording(&self) -> Result<Recording, Fault> {
        self.0.end_recording()
    }
    fn replay(&self, recording: Recording) -> Result<(), Fault> {
        self.0.replay(recording)
    }
}
