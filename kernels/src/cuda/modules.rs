//! The compiled kernels that the library carries, and which of them a device takes.

use std::io::Read;

use super::{Fault, Storage};

/// By name, MODULE.STORAGE.TARGET; packed by gzip.
static COMPILED: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/modules.rs"));

/// No module is larger unpacked.
const MOST_BYTES: u64 = 64 << 20;

/// The module of a kernel's file that a device of this architecture loads: the cubin made for just it, else the newest PTX that it
/// can be compiled from. `sm_90a` is for capability 90 and for no other.
///
/// ```
/// use kernels::cuda::{Storage, modules::chosen};
/// assert_eq!(chosen("linear", Storage::Bf16, 90)?, "linear.bf16.sm_90.cubin");
/// assert_eq!(chosen("linear", Storage::Bf16, 120)?, "linear.bf16.sm_80.ptx");
/// assert_eq!(chosen("linear", Storage::F16, 75)?, "linear.f16.sm_75.ptx");
/// assert_eq!(chosen("linear_hopper", Storage::F16, 90)?, "linear_hopper.f16.sm_90a.cubin");
/// assert!(chosen("linear", Storage::Bf16, 75).is_err());
/// # Ok::<(), kernels::cuda::Fault>(())
/// ```
///
/// # Errors
/// [`Fault::NoModule`].
pub fn chosen(module: &str, storage: Storage, capability: u32) -> Result<&'static str, Fault> {
    let older = [80, 75, 70].into_iter().filter(|needs| *needs <= capability).map(|needs| format!("sm_{needs}.ptx"));
    let own = [format!("sm_{capability}.cubin"), format!("sm_{capability}a.cubin")];
    let found = own.into_iter().chain(older).find_map(|target| {
        let name = format!("{module}.{storage}.{target}");
        COMPILED.iter().find(|(known, _)| *known == name).map(|(known, _)| *known)
    });
    found.ok_or_else(|| Fault::NoModule { module: format!("{module}.{storage}"), capability })
}

/// The architecture, 70, 75 or 80, whose instructions make the tensor-core products of what a device [chooses](chosen): its own, unless
/// there is no module for that. f16 is what came before bf16, and stays as `sm_75` has it on everything later. A launch takes its tiles
/// from here; what is for Hopper alone is not asked for.
///
/// ```
/// use kernels::cuda::{Storage, modules::instructions};
/// assert_eq!([70, 75, 90].map(|capability| instructions(Storage::F16, capability)), [70, 75, 75]);
/// assert_eq!([70, 75, 90].map(|capability| instructions(Storage::F32, capability)), [70, 70, 80]);
/// ```
pub fn instructions(storage: Storage, capability: u32) -> u32 {
    match (storage, capability) {
        (Storage::F16, 75..) => 75,
        (Storage::F32 | Storage::Bf16, 80..) => 80,
        _ => 70,
    }
}

/// The bytes of a module, ended by zero as a driver wants PTX.
///
/// # Errors
/// [`Fault::NoModule`].
pub fn unpacked(name: &str) -> Result<Vec<u8>, Fault> {
    let none = || Fault::NoModule { module: name.into(), capability: 0 };
    let (_, packed) = COMPILED.iter().find(|(known, _)| *known == name).ok_or_else(none)?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(*packed).take(MOST_BYTES).read_to_end(&mut bytes).map_err(|_| none())?;
    bytes.push(0);
    Ok(bytes)
}

/// Names of the kernels' files, in alphabetical order.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = COMPILED.iter().filter_map(|(name, _)| name.split('.').next()).collect();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_has_every_module() {
        assert!(names().len() > 15);
        for module in names().into_iter().filter(|module| !module.ends_with("_hopper")) {
            for (capability, half) in
                [(70, Storage::F16), (75, Storage::F16), (80, Storage::Bf16), (90, Storage::Bf16), (120, Storage::Bf16)]
            {
                // The fused map's kernel has a twin in two launches, which serves what is older.
                if module == "attention_fused" && capability < 80 {
                    assert!(chosen(module, half, capability).is_err());
                    continue;
                }
                let name = chosen(module, Storage::F32, capability).unwrap();
                let bytes = unpacked(name).unwrap();
                assert!(name.ends_with("cubin") == bytes.starts_with(b"\x7fELF"), "{name}");
                // Some kernels keep all they have as f32.
                let f32_only = ["adamw_length", "batch_norm", "blend", "cross_entropy"].contains(&module);
                assert!(f32_only || chosen(module, half, capability).is_ok(), "{module}.{half} of sm_{capability}");
            }
        }
    }

    #[test]
    fn instructions_are_those_of_what_is_chosen() {
        for module in ["attention", "attention_map", "attention_backward", "attention_fused", "linear", "rollout_explicit"] {
            for storage in [Storage::F32, Storage::Bf16, Storage::F16] {
                for capability in [70, 72, 75, 80, 86, 89, 90, 100, 120] {
                    let Ok(name) = chosen(module, storage, capability) else {
                        let oldest = if module == "attention_fused" || storage == Storage::Bf16 { 80 } else { 70 };
                        assert!(instructions(storage, capability) < oldest, "{module}.{storage} of sm_{capability}");
                        continue;
                    };
                    let (_, target) = name.split_once(".sm_").unwrap();
                    let made_for: u32 = target[..2].parse().unwrap();
                    assert_eq!(instructions(storage, capability), made_for.min(80), "{name} on sm_{capability}");
                }
            }
        }
    }

    #[test]
    fn modules_of_warpgroups_are_for_one_architecture_alone() {
        for module in ["linear_hopper", "attention_hopper"] {
            for storage in [Storage::Bf16, Storage::F16] {
                let name = chosen(module, storage, 90).unwrap();
                assert!(name.ends_with("sm_90a.cubin") && unpacked(name).unwrap().starts_with(b"\x7fELF"), "{name}");
                for capability in [75, 80, 86, 89, 100, 120] {
                    assert!(matches!(chosen(module, storage, capability), Err(Fault::NoModule { .. })), "{module} of sm_{capability}");
                }
            }
            assert!(chosen(module, Storage::F32, 90).is_err());
        }
    }
}
