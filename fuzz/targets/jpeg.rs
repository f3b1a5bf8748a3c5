//! JPEG: the check that a file is whole, and the decoder.
#![no_main]

use dataset::{decode, decode_upright};
use fuzz::{begin, bounded, is_slow};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: begin(Vec::new), |bytes: &[u8]| {
    if is_slow(bytes) {
        return;
    }
    bounded(|| {
        let (stored, upright) = (decode(bytes, "image".as_ref()), decode_upright(bytes, "image".as_ref()));
        assert_eq!(stored.is_ok(), upright.is_ok());
        if let (Ok(stored), Ok(upright)) = (stored, upright) {
            let (width, height) = stored.dimensions();
            assert!([(width, height), (height, width)].contains(&upright.dimensions()));
        }
    });
});
