//! Modules that were loaded, and their kernels.

use std::collections::HashMap;
use std::ffi::CString;

use cudarc::driver::result::{DriverError, function, module};
use cudarc::driver::sys;

use crate::cuda::{Fault, Launch, Storage, modules};

/// Shared memory that a kernel may take without being allowed to.
const SHARED_FREELY: usize = 48 << 10;

/// What was loaded so far.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    modules: HashMap<(&'static str, Storage), sys::CUmodule>,
    functions: HashMap<(&'static str, Storage, &'static str), Function>,
}

#[derive(Debug, Clone, Copy)]
struct Function {
    handle: sys::CUfunction,
    /// Bytes of shared memory that it was allowed so far.
    shared: usize,
}

impl Loaded {
    /// The kernel of a launch, allowed as much shared memory as that asks for.
    pub fn function(
        &mut self,
        launch: &Launch,
        capability: u32,
        fault: impl Fn(&str, DriverError) -> Fault,
    ) -> Result<sys::CUfunction, Fault> {
        let key = (launch.module, launch.storage, launch.kernel);
        let found = match self.functions.get(&key) {
            Some(found) => *found,
            None => Function { handle: self.load(launch, capability, &fault)?, shared: SHARED_FREELY },
        };
        let shared = found.shared.max(launch.shared);
        if shared > found.shared {
            let attribute = sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            // SAFETY: the function belongs to a module that stays loaded.
            unsafe { function::set_function_attribute(found.handle, attribute, shared as i32) }.map_err(|_| {
                let (kernel, storage) = (launch.kernel, launch.storage);
                Fault::Unsupported(format!("{kernel} of {storage} needs {shared} bytes of shared memory, more than sm_{capability} has"))
            })?;
        }
        self.functions.insert(key, Function { shared, ..found });
        Ok(found.handle)
    }

    fn load(&mut self, launch: &Launch, capability: u32, fault: &impl Fn(&str, DriverError) -> Fault) -> Result<sys::CUfunction, Fault> {
        let chosen = modules::chosen(launch.module, launch.storage, capability)?;
        let handle = match self.modules.get(&(launch.module, launch.storage)) {
            Some(handle) => *handle,
            None => {
                let bytes = modules::unpacked(chosen)?;
                // SAFETY: a cubin, or PTX that ends in zero, compiled by ourselves; the driver copies it.
                let handle =
                    unsafe { module::load_data(bytes.as_ptr().cast()) }.map_err(|error| fault(&format!("loading {chosen}"), error))?;
                self.modules.insert((launch.module, launch.storage), handle);
                handle
            }
        };
        let name = CString::new(launch.kernel).map_err(|_| Fault::NoModule { module: chosen.into(), capability })?;
        // SAFETY: the module stays loaded.
        unsafe { module::get_function(handle, name) }.map_err(|error| fault(&format!("{} of {chosen}", launch.kernel), error))
    }

    /// Gives all modules back.
    ///
    /// # Safety
    /// None of their kernels runs or will run.
    pub unsafe fn unload(self) {
        for handle in self.modules.into_values() {
            // SAFETY: as the caller says.
            let _ = unsafe { module::unload(handle) };
        }
    }
}
