//! What a device cannot do, and what it does not do twice.

use std::sync::Arc;

use kernels::cuda::{Fault, Storage};
use kernels::saliency::Reduction;

use super::emulator::Schedule;
use super::learning::{IMAGES, LABELS};
use super::queue::Emulated;
use super::{CLASSES, configs, device, off, on_cpu, on_device, pictures, vit};
use crate::training::{Learner, Lesson};
use crate::vit::cuda::learning::Learning;
use crate::{Batch, Error, HeadKind, Probe, Target, VitConfig};

/// A device with so many bytes.
fn small(bytes: usize) -> Option<Arc<Emulated>> {
    Some(Arc::new(Emulated::new(Schedule::Forward)?.of_bytes(bytes)))
}

#[test]
fn passes_of_one_shape_are_recorded_and_take_no_memory() {
    let Some(queue) = device() else { return };
    let vit = on_device(&on_cpu(&vit(), HeadKind::Linear(CLASSES)), queue.clone(), Storage::F32).unwrap();
    let batch = pictures(vit.config(), 2);
    let mut given_out = Vec::new();
    let mut pass = || {
        let trace = vit.trace(&batch, Probe::Gradients).unwrap();
        let gradients = trace.gradients(Target::Class(1)).unwrap();
        given_out.push(queue.given_out());
        (trace.logits().to_owned(), gradients.pixels().to_owned())
    };
    let first = pass();
    for _ in 0..3 {
        assert_eq!(pass(), first, "the same bits");
    }
    assert_eq!(given_out[1..], vec![given_out[1]; 3], "memory grows: {given_out:?}");
    assert_eq!(queue.recordings(), 2, "one of the way there, one of the way back");
    drop(vit);
    assert_eq!((queue.given_out(), queue.recordings()), (0, 0), "memory and recordings of a model that is gone");
}

#[test]
fn a_batch_that_is_too_large_is_halved() {
    let Some(large) = device() else { return };
    let cpu = on_cpu(&vit(), HeadKind::Linear(CLASSES));
    let batch = pictures(&vit(), 5);
    let whole = on_device(&cpu, large.clone(), Storage::F32).unwrap().trace(&batch, Probe::Logits).unwrap();
    assert_eq!(whole.parts(), 1);
    let used = large.given_out();
    let trace = on_device(&cpu, small(used - 1).unwrap(), Storage::F32).unwrap().trace(&batch, Probe::Logits).unwrap();
    assert_eq!(trace.parts(), 2);
    assert_eq!(trace.logits(), whole.logits());
    let refused = on_device(&cpu, small(1 << 10).unwrap(), Storage::F32).unwrap_err();
    assert!(matches!(refused, Error::Kernel(kernels::Error::Device(Fault::OutOfMemory { .. }))), "{refused}");
}

#[test]
fn a_lesson_that_is_too_large_is_halved() {
    let Some(large) = device() else { return };
    let batch = pictures(&vit(), IMAGES);
    let gradient = |head, queue: &Arc<Emulated>| {
        let mut learning = Learning::on(on_cpu(&vit(), head), queue.clone(), 0, Storage::F32).unwrap();
        learning.clear().unwrap();
        let added = learning.add(Lesson { batch: &batch, labels: &LABELS }, &[], IMAGES, None)?;
        Ok::<_, Error>((added, queue.given_out(), learning.gradients().unwrap()))
    };
    let (whole, used, expected) = gradient(HeadKind::Linear(CLASSES), &large).unwrap();
    let (halved, _, found) = gradient(HeadKind::Linear(CLASSES), &small(used - 1).unwrap()).unwrap();
    assert_eq!((whole.passes, halved.passes), (1, 2));
    assert!((halved.loss - whole.loss).abs() <= 1e-6 * whole.loss, "{halved:?}, at once {whole:?}");
    let all = |gradient: Vec<(String, Vec<f64>)>| gradient.into_iter().flat_map(|(_, values)| values).collect::<Vec<_>>();
    let distance = off(all(found), all(expected));
    assert!(distance <= 1e-5, "{distance}");
    // BatchNorm would take other statistics over halves.
    let (_, used, _) = gradient(HeadKind::Dnn3(CLASSES), &large).unwrap();
    let refused = gradient(HeadKind::Dnn3(CLASSES), &small(used - 1).unwrap()).unwrap_err();
    assert!(matches!(refused, Error::Kernel(kernels::Error::Device(Fault::OutOfMemory { .. }))), "{refused}");
}

#[test]
fn what_kernels_are_not_made_for_is_refused_by_name() {
    let Some(queue) = device() else { return };
    let wide = VitConfig { head_size: Some(129), ..vit() };
    let odd = VitConfig::tiny_for_tests();
    let normed = VitConfig { patch_norms: true, patch_size: 6, image_size: (12, 18), ..vit() };
    for (config, word) in [(wide, "heads of 129 values"), (odd, "tokens of 12 values"), (normed, "normalised patches of 108 values")] {
        let refused = on_device(&on_cpu(&config, HeadKind::Linear(2)), queue.clone(), Storage::Bf16).unwrap_err();
        assert!(matches!(refused, Error::Kernel(kernels::Error::Device(Fault::Unsupported(_)))), "{refused}");
        assert!(refused.to_string().contains(word) && refused.to_string().contains("use the CPU"), "{refused}");
    }
}

#[test]
fn numbers_beyond_f16_are_no_result() {
    let Some(queue) = device() else { return };
    let vit = on_device(&on_cpu(&vit(), HeadKind::Linear(CLASSES)), queue, Storage::F16).unwrap();
    let pixels = pictures(vit.config(), 1).pixels().mapv(|value| 1e6 * value);
    let refused = vit.trace(&Batch::new(pixels).unwrap(), Probe::Logits).unwrap_err();
    assert!(matches!(refused, Error::NotFinite { .. }) && refused.to_string().contains("f32"), "{refused}");
}

#[test]
fn bytes_are_the_same_as_what_they_stand_for() {
    let Some(queue) = device() else { return };
    for (what, config, head) in configs().into_iter().filter(|(what, ..)| ["vit", "vit-pytorch"].contains(what)) {
        let vit = on_device(&on_cpu(&config, head), queue.clone(), Storage::F32).unwrap();
        let picture = image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([0, 1, 2].map(|c| ((x * 7 + y * 13) * (c + 3) % 256) as u8)));
        let one = vit.preprocessor().prepare(&picture).unwrap();
        let bytes = Batch::stack(&[one.clone(), one]).unwrap();
        vit.trace(&Batch::new(bytes.pixels().to_owned()).unwrap(), Probe::Logits).unwrap();
        let before = queue.copied()[0];
        let of_bytes = vit.trace(&bytes, Probe::Gradients).unwrap();
        let up = queue.copied()[0] - before;
        let of_values = vit.trace(&Batch::new(bytes.pixels().to_owned()).unwrap(), Probe::Gradients).unwrap();
        assert_eq!(up, bytes.pixels().len() + 4 * 256 * config.num_channels, "{what}: bytes go up");
        assert_eq!(of_bytes.logits(), of_values.logits(), "{what}");
        let [here, there] = [&of_bytes, &of_values].map(|trace| trace.gradients(Target::Class(1)).unwrap());
        assert_eq!(here.pixels(), there.pixels(), "{what}");
        let maps = |trace: &crate::Trace| trace.reduced_gradients(Target::Class(1), Reduction::Sum, Some(trace.batch())).unwrap();
        assert_eq!(maps(&of_bytes).map(|maps| maps.len()), Some(2));
        assert_eq!(maps(&of_bytes), maps(&of_values), "{what}");
    }
}
