//! Pictures of any format, as images and as masks.
#![no_main]

use dataset::{AttributeMasks, MaskPicture, decode, decode_upright};
use fuzz::{begin, bounded, is_slow};
use libfuzzer_sys::fuzz_target;

fn masks() -> Vec<u8> {
    let mut masks = AttributeMasks::new(12, 9, 11);
    masks.insert(10, 3, 4);
    masks.to_png("m.png".as_ref()).expect("a PNG")
}

fuzz_target!(init: begin(|| vec![masks()]), |bytes: &[u8]| {
    if is_slow(bytes) {
        return;
    }
    let read = || {
        let path = "image".as_ref();
        let (stored, upright) = (decode(bytes, path), decode_upright(bytes, path));
        assert_eq!(stored.is_ok(), upright.is_ok());
        if let (Ok(mask), Ok(upright)) = (MaskPicture::read(bytes, path), upright) {
            assert_eq!(mask.size(), upright.dimensions());
        }
        if let Ok(masks) = AttributeMasks::from_png(bytes, 11, path) {
            assert_eq!(masks.attributes(), 11);
        }
    };
    // A picture of the other formats may have hundreds of megabytes in a few bytes, which libFuzzer bounds.
    if bytes.starts_with(b"RIFF") || bytes.starts_with(b"GIF") || bytes.starts_with(b"BM") {
        read();
    } else {
        bounded(read);
    }
});
