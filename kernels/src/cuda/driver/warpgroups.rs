//! Which kernels by warpgroups a device takes: those that gave there what their twins give.

use std::collections::HashMap;

use crate::cuda::proof::{Verdict, warpgroups};
use crate::cuda::{Fault, Queue, Storage};
use crate::linear::cuda::Product;

/// What has a kernel by warpgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    /// A product of matrices.
    Product(Product),
    /// Attention of heads of this width.
    Attention(usize),
}

/// What was proven so far.
#[derive(Debug, Default)]
pub(super) struct Warpgroups {
    agreed: HashMap<(Storage, Kernel), bool>,
    passed_over: Vec<String>,
}

impl Warpgroups {
    /// Whether the kernel agrees with its twin on this device, which is tried when it is first asked; false also where there is none.
    pub fn agree(&mut self, queue: &dyn Queue, storage: Storage, kernel: Kernel) -> Result<bool, Fault> {
        if let Some(&agreed) = self.agreed.get(&(storage, kernel)) {
            return Ok(agreed);
        }
        let verdict = match kernel {
            Kernel::Product(product) => warpgroups::product(queue, storage, product),
            Kernel::Attention(width) => warpgroups::attention(queue, storage, width),
        };
        let agreed = match verdict {
            Err(fault @ (Fault::Lost(_) | Fault::OutOfMemory { .. })) => return Err(fault),
            Err(fault) => self.pass_over(storage, kernel, &fault.to_string()),
            Ok(Verdict::Declines) => self.pass_over(storage, kernel, "this device has none"),
            Ok(Verdict::Disagrees(what)) => self.pass_over(storage, kernel, &format!("it disagrees with its twin: {what}")),
            Ok(Verdict::Agrees(_)) => true,
        };
        self.agreed.insert((storage, kernel), agreed);
        Ok(agreed)
    }

    /// The same without trying.
    pub fn are_known_to_agree(&self, storage: Storage, kernel: Kernel) -> bool {
        self.agreed.get(&(storage, kernel)) == Some(&true)
    }

    /// Which are not taken, and why.
    pub fn passed_over(&self) -> &[String] {
        &self.passed_over
    }

    fn pass_over(&mut self, storage: Storage, kernel: Kernel, why: &str) -> bool {
        let what = match kernel {
            Kernel::Product(product) => format!("{product:?}"),
            Kernel::Attention(width) => format!("attention of heads of {width}"),
        };
        self.passed_over.push(format!("wgmma for {what} in {storage}: {why}"));
        false
    }
}
