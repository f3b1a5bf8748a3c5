//! Contact sheets of the procedural faces, to look at.
//!
//!     cargo run --release -p dataset --example contact_sheet -- FOLDER [SEED]
//!
//! `FOLDER/faces.png`: random faces. `FOLDER/attributes-K.png`: eight attributes each, a row per attribute, its trait from
//! clearly negative to clearly positive (the mean of either class, and beyond) with everything else equal, for two people.
//! The same at half the size, as networks see them: `*-small.png`.

use std::path::Path;

use dataset::procedural::{Attribute, Plan, Traits, render};
use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};

const STEPS: [f32; 5] = [-1.5, -0.75, 0.0, 0.75, 1.5];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: contact_sheet FOLDER [SEED]")?;
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;

    let faces: Vec<RgbImage> = (0..50).map(|index| render(seed, index).image).collect();
    save(folder, "faces", &faces, 10)?;
    for (sheet, attributes) in Attribute::ALL.chunks(8).enumerate() {
        let mut cells = Vec::new();
        for (row, &attribute) in attributes.iter().enumerate() {
            // Two people who differ in every other trait; the same two for every attribute would hide what one covers.
            for person in [0, 1] {
                let index = (8 * sheet + row) as u64 * 2 + person;
                for step in STEPS {
                    let mut plan = Plan::new(seed, 1000 + index);
                    plan.traits = plan.traits.with(attribute, step * Traits::mean(attribute).max(1.3));
                    cells.push(plan.draw().image);
                }
            }
        }
        save(folder, &format!("attributes-{sheet}"), &cells, 2 * STEPS.len())?;
    }
    Ok(())
}

/// Saves a grid of pictures, at full and at half size.
fn save(folder: &Path, name: &str, cells: &[RgbImage], columns: usize) -> image::ImageResult<()> {
    let (width, height) = (cells[0].width() + 2, cells[0].height() + 2);
    let rows = cells.len().div_ceil(columns);
    let mut sheet = RgbImage::from_pixel(width * columns as u32, height * rows as u32, Rgb([255; 3]));
    for (index, cell) in cells.iter().enumerate() {
        let (column, row) = (index % columns, index / columns);
        overlay(
            &mut sheet,
            cell,
            i64::from(width) * column as i64,
            i64::from(height) * row as i64,
        );
    }
    sheet.save(folder.join(format!("{name}.png")))?;
    let small = resize(&sheet, sheet.width() / 2, sheet.height() / 2, FilterType::Triangle);
    small.save(folder.join(format!("{name}-small.png")))
}
