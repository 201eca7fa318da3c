//! Makes archives and streams that are small on the disk and large when they are unpacked.

use synix_reading::testing::gzip;

/// The length of the record at the end of a zip.
const END_BYTES: usize = 22;
/// A block of zstd.
const BLOCK_BYTES: u32 = 128 << 10;

/// Repeats the only entry of a zip in its list, so that all have the same bytes.
pub(super) fn repeated(zip: &[u8], count: u64) -> Vec<u8> {
    let (body, end) = zip.split_at(zip.len() - END_BYTES);
    let start = u32::from_le_bytes(end[16..20].try_into().unwrap());
    let (mut file, entry) = (body[..start as usize].to_vec(), &body[start as usize..]);
    let length = entry.len() as u64 * count;
    for _ in 0..count {
        file.extend(entry);
    }
    let wide_at = file.len() as u64;
    // The record with 64 bits, the pointer to it, and the record that says to look there.
    file.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
    for number in [count, count, length, start.into()] {
        file.extend(number.to_le_bytes());
    }
    file.extend(b"PK\x06\x07\0\0\0\0");
    file.extend(wide_at.to_le_bytes());
    file.extend(1_u32.to_le_bytes());
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([0xff; 12]);
    file.extend([0, 0]);
    file
}

/// Replaces a number of 32 bits wherever it is.
pub(super) fn patched(mut zip: Vec<u8>, from: u32, to: u32) -> Vec<u8> {
    let (from, to) = (from.to_le_bytes(), to.to_le_bytes());
    let mut count = 0;
    for at in 0..zip.len() - 4 {
        if zip[at..at + 4] == from {
            zip[at..at + 4].copy_from_slice(&to);
            count += 1;
        }
    }
    assert_eq!(count, 2, "the local header and the list");
    zip
}

/// A zstd frame: a text, and `x` in so many blocks of 128 KiB that have 4 bytes each.
pub(super) fn zstd_bomb(start: &[u8], blocks: u32) -> Vec<u8> {
    // A frame without its size, and with a window of 2 MiB.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    let length = u32::try_from(start.len()).unwrap();
    frame.extend(&(length << 3).to_le_bytes()[..3]);
    frame.extend(start);
    for block in 1..=blocks {
        let is_last = u32::from(block == blocks);
        frame.extend(&(BLOCK_BYTES << 3 | 1 << 1 | is_last).to_le_bytes()[..3]);
        frame.push(b'x');
    }
    frame
}

/// Members of gzip: a text, and 16 MiB of `x` so many times.
pub(super) fn gzip_bomb(start: &[u8], members: usize) -> Vec<u8> {
    let member = gzip(&vec![b'x'; 16 << 20]);
    [gzip(start), member.repeat(members)].concat()
}

/// Packs bytes as the filter `FlateDecode` unpacks them.
pub(super) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let packed = gzip(bytes);
    let (mut a, mut b) = (1_u32, 0_u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    // gzip puts 10 bytes before the packed ones and 8 after them.
    let packed = &packed[10..packed.len() - 8];
    [&[0x78, 0x9c], packed, &(b << 16 | a).to_be_bytes()].concat()
}
