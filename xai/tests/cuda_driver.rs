//! `Device::Cuda(0)` through NVIDIA's interface, under a `libcuda` whose device is this machine: `kernels/emulator/driver.cpp`.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "../../kernels/emulator/library.rs"]
mod emulator;

use std::process::Command;

use xai::training::{AdamW, Decay, Step, Training};
use xai::{
    Batch, Device, Gradient, HeadKind, IntegratedGradients, Method, Precision, Quadrature, Relevance, Rollout, SmoothGrad, Target, Vit,
    VitConfig, explain,
};

/// Runs `case` in a process that finds the emulated driver, as a library is looked for only once; `name` is the calling test's.
/// Then once more beside an emulated cublasLt that has to take all products: one that it does not take is an error there.
#[track_caller]
fn with_driver(name: &str, case: fn()) {
    if std::env::var_os("EMULATED_KERNELS").is_some() {
        return case();
    }
    let Some((_, variables)) = emulator::driver() else { return };
    let Some(library) = emulator::folder_with("cublaslt.cpp", "libcublasLt.so.12") else { return };
    let library = library.join("libcublasLt.so.12").display().to_string();
    for more in [vec![], vec![("PELLUCID_CUBLASLT", library.as_str()), ("PELLUCID_PRODUCTS", "cublaslt")]] {
        let mut inside = Command::new(std::env::current_exe().expect("a test knows where it is"));
        inside.args(["--exact", name, "--nocapture"]).env_remove("PELLUCID_PRODUCTS").envs(variables.clone()).envs(more.clone());
        let ended = inside.output().expect("a test can start itself");
        let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert!(ended.status.success() && said.contains("1 passed"), "{more:?}: {said}");
    }
}

fn vit() -> Vit {
    let small = VitConfig { image_size: (16, 16), hidden_size: 64, num_attention_heads: 2, ..VitConfig::tiny_for_tests() };
    Vit::random(small, HeadKind::Linear(3), 1).unwrap()
}

#[test]
fn maps_are_those_of_the_cpu() {
    with_driver("maps_are_those_of_the_cpu", || {
        let on_cpu = vit();
        let on_device = on_cpu.clone().on(Device::Cuda(0)).unwrap();
        assert_eq!((on_device.device(), Device::best()), (Device::Cuda(0), Device::Cuda(0)));
        let pixels = kernels::check::seeded::<f32>(3, 2 * 3 * 16 * 16);
        let batch = Batch::new(ndarray::Array4::from_shape_vec((2, 3, 16, 16), pixels).unwrap()).unwrap();
        let quadrature = Quadrature::Adaptive { tolerance: 0.01, most: 9 };
        let methods = [
            Method::Rollout(Rollout::abnar_2020()),
            Method::Relevance(Relevance::chefer_iccv21()),
            Method::Gradient(Gradient::default()),
            Method::SmoothGrad(SmoothGrad { samples: 3, ..SmoothGrad::smilkov_2017() }),
            Method::IntegratedGradients(IntegratedGradients { quadrature, ..IntegratedGradients::sundararajan_2017() }),
        ];
        // Thrice, so that launches are recorded and replayed.
        for method in methods.iter().cycle().take(3 * methods.len()) {
            let maps = |vit: &Vit| explain(&vit.trace(&batch, method.probe()).unwrap(), Target::Class(1), method).unwrap();
            for (found, expected) in maps(&on_device).iter().zip(maps(&on_cpu)) {
                let most = expected.values.iter().fold(0.0f32, |most, value| most.max(value.abs()));
                for (found, expected) in found.values.iter().zip(&expected.values) {
                    let difference = (found - expected).abs();
                    let close = difference <= 1e-4 * most;
                    assert!(close, "{method}: found {found}, expected {expected}");
                }
            }
        }
    });
}

#[test]
fn a_model_comes_back_from_its_device() {
    with_driver("a_model_comes_back_from_its_device", || {
        let on_device = vit().on(Device::Cuda(0)).unwrap();
        assert!(on_device.clone().on(Device::Cuda(1)).is_err());
        assert_eq!(on_device.on(Device::Cpu).unwrap().precision(), Precision::F32);
    });
}

#[test]
fn steps_are_those_of_the_cpu() {
    with_driver("steps_are_those_of_the_cpu", || {
        let (mut here, mut there) = (Training::of(vit()), Training::on(vit(), Device::Cuda(0), Precision::F32).unwrap());
        let pixels = kernels::check::seeded::<f32>(3, 2 * 3 * 16 * 16);
        let batch = Batch::new(ndarray::Array4::from_shape_vec((2, 3, 16, 16), pixels).unwrap()).unwrap();
        let step = Step { adamw: AdamW { rate: 1e-2, eps: 1e-3, ..AdamW::default() }, decay: Decay::Matrices, clip: Some(1.0) };
        for _ in 0..3 {
            let (found, expected) = (there.step(&batch, &[0, 2], &[], step).unwrap(), here.step(&batch, &[0, 2], &[], step).unwrap());
            let close = (found - expected).abs() <= 1e-5;
            assert!(close, "loss {found}, expected {expected}");
        }
        let learnt = there.vit().unwrap();
        assert_eq!(learnt.device(), Device::Cuda(0));
        let logits = |vit: &Vit| vit.trace(&batch, xai::Probe::Logits).unwrap().logits().to_owned();
        let apart = (logits(&learnt) - logits(&here.vit().unwrap())).fold(0.0f32, |most, v| if v.abs() <= most { most } else { v.abs() });
        assert!(apart < 1e-4, "logits of the learnt models are {apart} apart");
        assert!(Training::on(learnt, Device::Cuda(1), Precision::F32).is_err());
    });
}
