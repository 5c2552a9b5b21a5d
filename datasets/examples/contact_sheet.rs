//! Writes a contact sheet of drawn lesions: a row a class.
//!
//! `cargo run --release -p datasets --example contact_sheet -- sheet.png [columns] [size] [first seed]`

use std::error::Error;

use datasets::LesionClass;
use datasets::synthetic::draw;
use image::{RgbImage, imageops};

const GAP: u32 = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("give the PNG to write as the first argument")?;
    let number = |position: usize, default: u32| arguments.get(position).map_or(Ok(default), |text| text.parse::<u32>());
    let (columns, size, first) = (number(1, 8)?, number(2, 224)?, number(3, 1)?);

    let step = size + GAP;
    let mut sheet = RgbImage::new(columns * step, LesionClass::ALL.len() as u32 * step);
    for (row, class) in LesionClass::ALL.into_iter().enumerate() {
        for column in 0..columns {
            // Another seed in every cell: the same seed would show the same skin in each row.
            let seed = u64::from(first) + row as u64 * 1_000 + u64::from(column);
            let drawn = draw(class, seed, size);
            imageops::replace(&mut sheet, &drawn.image, i64::from(column * step), i64::from(row as u32 * step));
        }
    }
    sheet.save(path)?;
    assert_eq!(sheet.height(), 7 * step, "a row for each class");
    Ok(())
}
