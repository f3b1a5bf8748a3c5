//! Which format a file is of.

use image::ImageFormat;

use crate::Undecodable;

/// What people have beside the formats that are read: where its mark is, the mark, and what it is.
const OTHERS: [(usize, &[u8], &str); 22] = [
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"II+\0", "a TIFF picture"),
    (4, b"ftypheic", "a HEIC picture (an iPhone's)"),
    (4, b"ftypheix", "a HEIC picture (an iPhone's)"),
    (4, b"ftypmif1", "a HEIF picture"),
    (4, b"ftypmsf1", "a HEIF picture"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftypavis", "an AVIF picture"),
    (4, b"ftyp", "a film"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (128, b"DICM", "a DICOM file"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\0\0\x01\0", "an icon"),
    (0, b"\x1f\x8b", "a file packed by gzip"),
];

/// What text may be in a picture's place.
const TEXTS: [(&[u8], &str); 6] = [
    (
        b"version https://git-lfs",
        "a pointer of Git LFS and not the file itself (`git lfs pull` fetches it)",
    ),
    (
        b"<!doctype html",
        "a web page, as a download without a login or permission gives",
    ),
    (
        b"<html",
        "a web page, as a download without a login or permission gives",
    ),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file"),
    (b"{", "a JSON file"),
];

/// The format, by the first bytes.
pub(super) fn of(bytes: &[u8]) -> Result<ImageFormat, Undecodable> {
    if bytes.is_empty() {
        return Err(Undecodable::Empty);
    }
    match image::guess_format(bytes) {
        Ok(
            format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP | ImageFormat::Gif | ImageFormat::Bmp),
        ) => Ok(format),
        _ => Err(other(bytes)),
    }
}

fn other(bytes: &[u8]) -> Undecodable {
    let is_marked = |at: usize, mark: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
    if let Some(&(_, _, what)) = OTHERS.iter().find(|(at, mark, _)| is_marked(*at, mark)) {
        return Undecodable::Format { what };
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let begins = |with: &[u8]| {
        text.get(..with.len())
            .is_some_and(|first| first.eq_ignore_ascii_case(with))
    };
    match TEXTS.iter().find(|(start, _)| begins(start)) {
        Some(&(_, what)) => Undecodable::Text { what },
        None => Undecodable::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_are_not_read_are_named() {
        for (bytes, expected) in [
            (&b"II*\0\x08\0\0\0"[..], "it is a TIFF picture, expected JPEG, PNG"),
            (b"\0\0\0\x18ftypheic\0\0", "a HEIC picture"),
            (b"\0\0\0\x18ftypmp42\0\0", "a film"),
            (b"\n<!DOCTYPE html><html>", "a web page"),
            (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
            (b"name,label\n", "no known format"),
            (b"", "empty (0 bytes)"),
            (&[0; 30], "no known format"),
        ] {
            let message = of(bytes).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
