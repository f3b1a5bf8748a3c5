//! Whether a JPEG file holds all of its image.

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// Whether the image ends before the file does. What follows it does not matter: telephones append films and depth maps.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    // Neither marker occurs inside compressed data, so where nothing is appended the last ones decide, which is fast.
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    last(END_OF_IMAGE) > last(START_OF_SCAN) || has_end(bytes)
}

/// Goes through the segments and the scans, of which a progressive image has many, to the end of the image.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2; // Behind the start of the image.
    while let Some((marker, behind)) = next_marker(bytes, at) {
        match marker {
            END_OF_IMAGE => return true,
            // Markers without a segment: restarts inside a scan, and a stuffed byte.
            0x00 | 0x01 | 0xd0..=0xd8 => at = behind,
            _ => {
                let Some(&[high, low]) = bytes.get(behind..behind + 2) else {
                    return false;
                };
                at = behind + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
    false
}

/// The first marker at or behind a position, and where its segment begins.
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let start = at + bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
    // A marker may be padded with more of them.
    let behind = start + bytes.get(start..)?.iter().position(|&byte| byte != 0xff)?;
    Some((bytes[behind], behind + 1))
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb, RgbImage};

    use super::*;

    fn jpeg() -> Vec<u8> {
        let image = RgbImage::from_fn(40, 24, |x, y| Rgb([(5 * x) as u8, (9 * y) as u8, (x * y) as u8]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn what_follows_the_image_does_not_matter() {
        let whole = jpeg();
        // A film with both markers in it, a second image, text, and zeros.
        for more in [
            b"....ftypmp42\xff\xd9\xff\xda\0\x0c\xff\xda".as_slice(),
            &whole[..whole.len() - 9],
            b"<html>",
            &[0; 100],
        ] {
            assert!(is_complete(&[whole.as_slice(), more].concat()));
        }
    }

    #[test]
    fn an_image_that_is_cut_off_is_noticed_whatever_its_thumbnail() {
        let whole = jpeg();
        let mut with_thumbnail = whole[..2].to_vec();
        with_thumbnail.extend([0xff, 0xe1]);
        with_thumbnail.extend((whole.len() as u16 + 2).to_be_bytes());
        with_thumbnail.extend(&whole);
        with_thumbnail.extend(&whole[2..]);
        assert!(has_end(&with_thumbnail) && is_complete(&with_thumbnail));
        for cut in [2, 3, 10, 60] {
            assert!(!is_complete(&with_thumbnail[..with_thumbnail.len() - cut]), "{cut}");
            assert!(!is_complete(&whole[..whole.len() - cut]), "{cut}");
        }
        for bytes in [
            &b""[..],
            b"\xff\xd8",
            b"\xff\xd8\xff",
            b"\xff\xd8\xff\xe1\xff",
            b"\xff\xd8\xff\xff\xff",
        ] {
            assert!(!is_complete(bytes));
        }
    }
}
