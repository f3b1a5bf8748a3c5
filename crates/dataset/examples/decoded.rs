//! Writes the pixels of an image as this crate decodes it to standard output, three bytes each, row by row: `benches/alignment/crops.py` compares
//! them with those of another decoder.
//!
//!     cargo run --release -p dataset --example decoded -- FILE > FILE.rgb

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let path: PathBuf = std::env::args_os().nth(1).ok_or("name an image")?.into();
    let image = dataset::decode(&std::fs::read(&path)?, &path)?;
    std::io::stdout().write_all(&image.into_raw())?;
    Ok(())
}
