//! Contact sheets of the procedural faces, to look at.
//!
//!     cargo run --release -p synthetic --example contact_sheet -- FOLDER [SEED [FIRST]]
//!
//! `FOLDER/faces.png`: random faces. `FOLDER/large.png`: eight of them from FIRST on, three times as large.
//! `FOLDER/attributes-K.png`: eight attributes each, a row per attribute, its trait from clearly negative to clearly positive
//! (beyond, at and between the means of the two classes) with everything else equal, for a woman and a man.
//! `*-small.png`: the same at half the size, as networks see them.

use std::path::Path;
use std::time::Instant;

use image::imageops::{FilterType, overlay, resize};
use image::{Rgb, RgbImage};
use synthetic::faces::{Attribute, FacePlan, Traits, render};

/// Traits in units of the mean of the positive class.
const STEPS: [f32; 5] = [-1.5, -1.0, 0.0, 1.0, 1.5];

/// Attributes that hide others, off unless they are the one to show.
const HIDING: [Attribute; 6] = [
    Attribute::Bald,
    Attribute::Bangs,
    Attribute::Blurry,
    Attribute::Eyeglasses,
    Attribute::NoBeard,
    Attribute::WearingHat,
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: contact_sheet FOLDER [SEED [FIRST]]")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (seed, first) = (number(1)?, number(0)?);
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;

    let start = Instant::now();
    let faces: Vec<RgbImage> = (0..60).map(|index| render(seed, index).image).collect();
    println!(
        "{:.2} ms a face",
        start.elapsed().as_secs_f64() * 1e3 / faces.len() as f64
    );
    save(folder, "faces", &faces, 10)?;
    let enlarged = |index| {
        let image = render(seed, index).image;
        resize(&image, 3 * image.width(), 3 * image.height(), FilterType::Triangle)
    };
    save(
        folder,
        "large",
        &(first..first + 8).map(enlarged).collect::<Vec<_>>(),
        4,
    )?;

    for (sheet, attributes) in Attribute::ALL.chunks(8).enumerate() {
        let mut cells = Vec::new();
        for (row, &attribute) in attributes.iter().enumerate() {
            for male in [-1.0, 1.0] {
                let index = 1000 + 16 * sheet as u64 + 2 * row as u64 + u64::from(male > 0.0);
                for step in STEPS {
                    cells.push(subject(seed, index, male).with(attribute, step).draw().image);
                }
            }
        }
        save(folder, &format!("attributes-{sheet}"), &cells, 2 * STEPS.len())?;
    }
    Ok(())
}

/// A face on which an attribute can be shown.
struct Subject(FacePlan);

fn subject(seed: u64, index: u64, male: f32) -> Subject {
    let mut subject = Subject(FacePlan::new(seed, index)).with(Attribute::Male, male);
    for attribute in HIDING {
        let off = if attribute == Attribute::NoBeard { 1.0 } else { -1.0 };
        subject = subject.with(attribute, off);
    }
    subject
}

impl Subject {
    /// Sets a trait, in units of the mean of its positive class.
    fn with(mut self, attribute: Attribute, step: f32) -> Self {
        self.0.traits = self.0.traits.with(attribute, step * Traits::mean(attribute));
        self
    }

    fn draw(&self) -> synthetic::faces::Face {
        self.0.draw()
    }
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
