//! The emulated device's clock. It counts launches and their blocks, and so tells no time: a thousand of them are called a millisecond.

use std::convert::Infallible;

use kernels::cuda::{Clock, Fault, Mark, Stretches};

use super::Emulated;

/// What was counted, and the stretches that are watched.
#[derive(Debug, Default)]
pub struct Ticking {
    ticks: u64,
    stretches: Stretches,
}

impl Ticking {
    pub fn launched(&mut self, grid: [usize; 3]) {
        self.ticks += 1 + grid.iter().product::<usize>() as u64;
    }

    pub fn computes(&mut self) {
        let Ok(()) = self.stretches.computes(|| Ok::<_, Infallible>(Mark(self.ticks)));
    }

    pub fn copies(&mut self) {
        let Ok(()) = self.stretches.copies(|| Ok::<_, Infallible>(Mark(self.ticks)));
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
        let Ticking { ticks, stretches } = &mut self.state().ticking;
        stretches.take(|| Ok(Mark(*ticks)))
    }
}
