//! Prepared pixels instead of pictures.

use ndarray::{Array, Array4, Dimension};
use ndarray_npy::{WritableElement, write_npy};

use crate::files::map;
use crate::run::{Dir, setup};

const TINY: &str = "random:tiny_for_tests+linear:7";

fn save<T: WritableElement, D: Dimension>(dir: &Dir, pixels: &Array<T, D>) {
    write_npy(dir.path("pixels.npy"), pixels).expect("the array can be written");
}

fn ramp(batch: usize) -> Array4<f32> {
    Array4::from_shape_fn((batch, 3, 8, 12), |(b, c, h, w)| (b + c) as f32 * 0.1 + h as f32 * 0.05 - w as f32 * 0.07)
}

#[test]
fn a_batch_of_prepared_pixels_is_explained_image_by_image() {
    let (dir, pellucid) = setup("pixels_batch");
    save(&dir, &ramp(2));
    pellucid.line("explain --pixels pixels.npy --method relevance --model").args([TINY]).succeeds();
    let maps = [0, 1].map(|image| map(&dir.path(&format!("maps/pixels.{image}.relevance.grid.npy"))));
    assert!(maps[0].dim() == (2, 3) && maps[0] != maps[1], "{maps:?}");
}

#[test]
fn one_image_may_come_without_the_batch_dimension() {
    let (dir, pellucid) = setup("pixels_one");
    save(&dir, &ramp(1).remove_axis(ndarray::Axis(0)));
    pellucid.line("explain --pixels pixels.npy --method rollout --model").args([TINY]).succeeds();
    assert_eq!(map(&dir.path("maps/pixels.0.rollout.grid.npy")).dim(), (2, 3));
}

/// A name, what is put into the folder, and a word of the refusal.
type Case<'a> = (&'a str, &'a dyn Fn(&Dir), &'a str);

#[test]
fn pixels_that_are_none_are_refused_by_name() {
    let cases: [Case; 5] = [
        ("pixels_nan", &|dir| save(dir, &ramp(1).mapv(|_| f32::NAN)), "not finite"),
        ("pixels_f64", &|dir| save(dir, &ramp(1).mapv(f64::from)), "float32"),
        ("pixels_flat", &|dir| save(dir, &ndarray::Array2::<f32>::zeros((8, 12))), "(B, 3, H, W)"),
        ("pixels_claim", &|dir| dir.write("pixels.npy", &claims_more_than_it_holds()), "pixels.npy"),
        ("pixels_text", &|dir| dir.write("pixels.npy", b"no array at all"), "pixels.npy"),
    ];
    for (name, prepare, expected) in cases {
        let (dir, pellucid) = setup(name);
        prepare(&dir);
        pellucid.line("explain --pixels pixels.npy --model").args([TINY]).fails().warns(&[expected]);
        assert!(!dir.exists("maps"), "{name}: something was written");
    }
}

/// A header for terabytes in front of nothing.
fn claims_more_than_it_holds() -> Vec<u8> {
    let header = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 1000000, 1000000), }");
    [&b"\x93NUMPY\x01\0"[..], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat()
}
