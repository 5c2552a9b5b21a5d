//! A map over a picture; bytes may differ by one where rounding falls the other way.

use std::ffi::c_void;

use kernels::blend::{self, Shape, Strength, Style};
use kernels::check::seeded;

use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Storage};
use crate::mutants::{Mutant, assert_caught, under_all_schedules};

const FILE: &str = "blend/cuda.cu";

#[repr(C)]
struct Blend {
    map: *const c_void,
    picture: *const u8,
    colours: *const u8,
    out: *mut u8,
    rows: i32,
    cols: i32,
    height: i32,
    width: i32,
    low: f32,
    high: f32,
    opacity: f32,
    strength: i32,
}

fn case(library: &Library, shape: Shape, schedule: Schedule) -> Result<(), String> {
    let map = Array::new(Storage::F32, &seeded(1, shape.rows * shape.cols));
    let picture: Vec<u8> = (0..3 * shape.height * shape.width).map(|i| (i * 31 % 256) as u8).collect();
    let colours: Vec<u8> = (0..256u32).flat_map(|i| [i as u8, (255 - i) as u8, (i / 2) as u8]).collect();
    for (code, strength) in [Strength::Even, Strength::Value, Strength::FromMiddle].into_iter().enumerate() {
        for ends in [None, Some((-0.5, 0.5))] {
            let style = Style { ends, colours: &colours, opacity: 0.6, strength };
            let mut exact = vec![0; 4 * shape.height * shape.width];
            blend::blend(shape, &map.values(), style, &picture, &mut exact).expect("the shapes fit");
            let (low, high) = ends.unwrap_or((1.0, 0.0));
            let [rows, cols, height, width] = [shape.rows, shape.cols, shape.height, shape.width].map(|side| side as i32);
            let mut out = vec![77u8; exact.len() + 64];
            let arguments = Blend {
                map: map.at(),
                picture: picture.as_ptr(),
                colours: colours.as_ptr(),
                out: out.as_mut_ptr(),
                rows,
                cols,
                height,
                width,
                low: low as f32,
                high: high as f32,
                opacity: 0.6,
                strength: code as i32,
            };
            let blocks = (shape.height * shape.width).div_ceil(256);
            library.run("blend", Launched::new([blocks, 1, 1], 256), &arguments, schedule)?;
            let (out, fence) = out.split_at(exact.len());
            if fence.iter().any(|&byte| byte != 77) {
                return Err("the picture is written beyond its end".into());
            }
            let wrong = out.iter().zip(&exact).position(|(a, b)| a.abs_diff(*b) > 1);
            if let Some(at) = wrong {
                return Err(format!("{strength:?}, {ends:?}: byte {at} is {}, expected {}", out[at], exact[at]));
            }
        }
    }
    Ok(())
}

#[test]
fn pictures_of_every_shape() {
    let Some(library) = Library::of(FILE, Storage::F32) else { return };
    for (rows, cols, height, width) in [(1, 1, 1, 1), (12, 12, 37, 41), (24, 17, 17, 64), (37, 37, 65, 65), (3, 2, 1, 577)] {
        let shape = Shape { rows, cols, height, width };
        under_all_schedules(|schedule| case(&library, shape, schedule)).unwrap_or_else(|error| panic!("{shape:?}: {error}"));
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the warps", from: "__syncthreads();  // every warp's ends are there", to: "" },
        Mutant { what: "one pixel too many", from: "pixel >= a.height * a.width", to: "pixel > a.height * a.width" },
        Mutant { what: "rows are taken for columns", from: "a.map[below * a.cols + left]", to: "a.map[below * a.rows + left]" },
    ];
    let shape = Shape { rows: 24, cols: 17, height: 17, width: 64 };
    assert_caught(FILE, Storage::F32, &mutants, |library, schedule| case(library, shape, schedule));
}
