//! What the emulated device counts, and its clock. That counts launches and their blocks, and so tells no time: a thousand of them are called a millisecond.

use std::convert::Infallible;

use kernels::cuda::{Clock, Fault, Mark, Stretches};

use super::Emulated;

/// What was counted, and the stretches that are watched.
#[derive(Debug, Default)]
pub struct Ticking {
    ticks: u64,
    launches: usize,
    /// Bytes that went to the device, and those that came back.
    copied: [usize; 2],
    stretches: Stretches,
}

impl Ticking {
    pub fn launched(&mut self, grid: [usize; 3]) {
        self.launches += 1;
        self.ticks += 1 + grid.iter().product::<usize>() as u64;
    }

    pub fn computes(&mut self) {
        let Ok(()) = self.stretches.computes(|| Ok::<_, Infallible>(Mark(self.ticks)));
    }

    pub fn copies(&mut self, [there, back]: [usize; 2]) {
        self.copied = [self.copied[0] + there, self.copied[1] + back];
        let Ok(()) = self.stretches.copies(|| Ok::<_, Infallible>(Mark(self.ticks)));
    }
}

impl Emulated {
    /// Launches so far, those of recordings as often as they ran.
    pub fn launches(&self) -> usize {
        self.state().ticking.launches
    }

    /// Bytes that were copied to the device so far, and back from it.
    pub fn copied(&self) -> [usize; 2] {
        self.state().ticking.copied
    }
}

impl Clock for Emulated {
    fn mark(&self) -> Result<Mark, Fault> {
        Ok(Mark(self.state().ticking.ticks))
    }

    fn milliseconds(&self, [from, to]: [Mark; 2]) -> Result<f32, Fault> {
        Ok((to.0 as f32 - from.0 as f32) * 1e-3)
    }

    fn watch(&self) -> Result<(), Fault> {
        self.state().ticking.stretches.watch();
        Ok(())
    }

    fn watched(&self) -> Result<Vec<[Mark; 2]>, Fault> {
        let Ticking { ticks, stretches, .. } = &mut self.state().ticking;
        stretches.take(|| Ok(Mark(*ticks)))
    }
}
