/// Where the Snappy stream `packed` can be entered: positions in it and in what it unpacks to, both ascending, from the
/// first element to the end of the stream. `None` when it is no Snappy stream.
///
/// A stream is a length and a run of elements, literals and copies of what was unpacked before. Every encoder in use
/// works on 64 KiB at a time and copies from within them only, so that a stream can be unpacked from any multiple of
/// 64 KiB on. The format does not promise it; therefore a cut is kept only if no later copy reaches behind it.
/// (google/snappy, `format_description.txt`.)
pub(crate) fn cuts(packed: &[u8]) -> Option<Vec<Cut>> {
    const BLOCK: usize = 1 << 16;
    let (length, mut at) = varint(packed)?;
    let mut out = 0;
    let mut cuts = vec![Cut {
        packed: at,
        unpacked: 0,
    }];
    while at < packed.len() {
        let tag = usize::from(packed[at]);
        let little_endian = |bytes: usize| -> Option<usize> {
            let bytes = packed.get(at + 1..at + 1 + bytes)?;
            Some(
                bytes
                    .iter()
                    .rev()
                    .fold(0, |value, &byte| value << 8 | usize::from(byte)),
            )
        };
        // (bytes of the element, bytes it unpacks to, how far back it reaches)
        let (size, produced, back) = match tag & 3 {
            0 => {
                let (extra, length) = match tag >> 2 {
                    length @ 0..60 => (0, length + 1),
                    code => (code - 59, little_endian(code - 59)? + 1),
                };
                ((1 + extra).checked_add(length)?, length, None)
            }
            1 => (2, 4 + (tag >> 2 & 7), Some((tag & 0xe0) << 3 | little_endian(1)?)),
            2 => (3, 1 + (tag >> 2), Some(little_endian(2)?)),
            _ => (5, 1 + (tag >> 2), Some(little_endian(4)?)),
        };
        if let Some(back) = back {
            let from = usize::checked_sub(out, back)?;
            while cuts.last().is_some_and(|cut| cut.unpacked > from) {
                cuts.pop();
            }
        }
        at = at.checked_add(size)?;
        out += produced;
        if at > packed.len() || out > length {
            return None;
        }
        if out % BLOCK == 0 && out < length {
            cuts.push(Cut {
                packed: at,
                unpacked: out,
            });
        }
    }
    if out != length {
        return None;
    }
    cuts.push(Cut {
        packed: at,
        unpacked: out,
    });
    Some(cuts)
}

/// A position in a Snappy stream, and in what it unpacks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) packed: usize,
    pub(crate) unpacked: usize,
}

/// The stream that unpacks to `unpacked` bytes by these elements.
pub(crate) fn stream(elements: &[u8], unpacked: usize) -> Vec<u8> {
    let mut stream = Vec::with_capacity(elements.len() + 5);
    let mut rest = unpacked;
    while rest >= 0x80 {
        stream.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    stream.push(rest as u8);
    stream.extend_from_slice(elements);
    stream
}

/// A number of seven bits a byte, and where it ends.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use polars_parquet::parquet::compression::{
        Compression, CompressionOptions, DecompressionContext, compress, decompress,
    };
    use proptest::prelude::*;

    use super::*;

    fn unpack(stream: &[u8], length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        decompress(Compression::Snappy, stream, &mut out, &mut DecompressionContext::Unset).unwrap();
        out
    }

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        compress(CompressionOptions::Snappy, bytes, &mut packed).unwrap();
        packed
    }

    /// Bytes that pack badly, as those of images do, with some repetition.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & if i % 5000 < 300 { 3 } else { 255 })
            .collect()
    }

    #[test]
    fn a_stream_unpacks_from_any_cut() {
        let bytes = bytes(400_000);
        let packed = pack(&bytes);
        let cuts = cuts(&packed).unwrap();
        assert_eq!(
            cuts.len(),
            1 + 400_000 / 65_536 + 1,
            "one cut every 64 KiB, and the ends"
        );
        for pair in cuts.windows(2) {
            let elements = &packed[pair[0].packed..pair[1].packed];
            let part = &bytes[pair[0].unpacked..pair[1].unpacked];
            assert!(unpack(&stream(elements, part.len()), part.len()) == part);
        }
    }

    #[test]
    fn a_copy_from_before_a_cut_removes_it() {
        // A literal of 64 KiB, then a copy of 4 bytes from 8 back, which no encoder of blocks would write.
        let mut packed = stream(&[61 << 2, 0xff, 0xff], 65_540);
        packed.extend(bytes(65_536));
        packed.extend([2 | 3 << 2, 8, 0]);
        assert_eq!(unpack(&packed, 65_540)[65_536..], bytes(65_536)[65_528..65_532]);
        let ends: Vec<usize> = cuts(&packed).unwrap().iter().map(|cut| cut.unpacked).collect();
        assert_eq!(ends, [0, 65_540]);
    }

    #[test]
    fn a_stream_cut_off_is_none() {
        let packed = pack(&bytes(70_000));
        for end in (0..packed.len()).step_by(997) {
            assert_eq!(cuts(&packed[..end]), None, "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(cuts) = cuts(&bytes) {
                prop_assert!(cuts.windows(2).all(|pair| pair[0].unpacked <= pair[1].unpacked));
            }
        }
    }
}
