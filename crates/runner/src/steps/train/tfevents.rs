//! TensorBoard's event files, as far as curves need them.
//!
//! A file is a sequence of TFRecords, each with the length of its data, the data, and checksums of both (TensorFlow,
//! `core/lib/io/record_writer.cc`); the data is an `Event` in Protocol Buffers (`core/util/event.proto`): the file's version
//! first, then scalars with their step and time. Names of the fields are those of the `.proto` files.

/// A number of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scalar {
    /// The curve: what stands before a `/` groups curves.
    pub tag: &'static str,
    /// The value.
    pub value: f32,
}

/// The beginning of every file, written at `time` (seconds since 1970).
#[must_use]
pub fn head(time: f64) -> Vec<u8> {
    let mut event = wall_time(time);
    field(&mut event, 3, b"brain.Event:2"); // file_version
    record(&event)
}

/// The record of some curves' values after `step` steps.
#[must_use]
pub fn scalars(time: f64, step: u64, scalars: &[Scalar]) -> Vec<u8> {
    let mut summary = Vec::new();
    for scalar in scalars {
        let mut value = Vec::new();
        field(&mut value, 1, scalar.tag.as_bytes()); // tag
        value.push(key(2, 5)); // simple_value
        value.extend(scalar.value.to_le_bytes());
        field(&mut summary, 1, &value); // value
    }
    let mut event = wall_time(time);
    event.push(key(2, 0)); // step
    varint(&mut event, step);
    field(&mut event, 5, &summary); // summary
    record(&event)
}

fn wall_time(time: f64) -> Vec<u8> {
    let mut event = vec![key(1, 1)]; // wall_time
    event.extend(time.to_le_bytes());
    event
}

/// A field's key: its number, and how its value is encoded (0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes).
const fn key(number: u8, encoding: u8) -> u8 {
    number << 3 | encoding
}

fn field(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(key(number, 2));
    varint(message, bytes.len() as u64);
    message.extend(bytes);
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked(crc32c(&length)).to_le_bytes());
    record.extend(data);
    record.extend(masked(crc32c(data)).to_le_bytes());
    record
}

/// A checksum as TFRecords store it, so that a checksum over data with checksums in it stays one.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli), bit by bit: the records are a hundred bytes long, and there are some dozens of them.
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
    #[test]
    fn checksums_are_the_standard_s() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn numbers_take_seven_bits_a_byte() {
        let encoded = |value| {
            let mut bytes = Vec::new();
            varint(&mut bytes, value);
            bytes
        };
        assert_eq!(encoded(0), [0]);
        assert_eq!(encoded(127), [127]);
        assert_eq!(encoded(300), [0xac, 0x02]);
        assert_eq!(encoded(u64::MAX).len(), 10);
    }

    /// The bytes that `torch.utils.tensorboard.SummaryWriter` writes for the same record, but for its checksums, which the
    /// test above covers: `add_scalar("a/b", 1.5, 3, walltime=2.0)`.
    #[test]
    fn a_record_is_length_event_and_checksums() {
        let record = scalars(2.0, 3, &[Scalar { tag: "a/b", value: 1.5 }]);
        let event = b"\x09\x00\x00\x00\x00\x00\x00\x00\x40\x10\x03\x2a\x0c\x0a\x0a\x0a\x03a/b\x15\x00\x00\xc0\x3f";
        assert_eq!(record[..8], (event.len() as u64).to_le_bytes());
        assert_eq!(&record[12..12 + event.len()], event);
        assert_eq!(record.len(), 16 + event.len());
    }
}
