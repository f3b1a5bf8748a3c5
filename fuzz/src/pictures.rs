//! Pictures that a fuzzer would spend its time on.

use std::io::Cursor;

use image::{ImageFormat, ImageReader};

/// More pixels than this take longer to decode than many small pictures.
const SLOW: u64 = 1 << 17;

/// Whether a file of a few kilobytes declares many pixels, and not so many that it is refused by its header alone: a JPEG is for more than
/// it can hold, any picture for more than 250 million.
pub fn is_slow(bytes: &[u8]) -> bool {
    let Ok(reader) = ImageReader::new(Cursor::new(bytes)).with_guessed_format() else {
        return false;
    };
    let most = match reader.format() {
        Some(ImageFormat::Jpeg) => 16 << 20,
        _ => 250_000_000,
    };
    let size = reader.into_dimensions();
    size.is_ok_and(|(width, height)| (SLOW..=most).contains(&(u64::from(width) * u64::from(height))))
}
