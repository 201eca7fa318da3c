//! The entries of a file's access control list that allow others to write.
//!
//! If a file has such a list, the group bits of its mode are those of the list's mask. They say that somebody may write
//! the file, but not who. Linux stores the list in an extended attribute: a version, then an entry of 8 bytes for each
//! user and group.

use std::path::Path;

#[cfg(target_os = "linux")]
const ATTRIBUTE: &str = "system.posix_acl_access";
const VERSION: [u8; 4] = 2_u32.to_le_bytes();
const WRITE: u16 = 2;

/// A user or group that may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    User(u32),
    Group(u32),
}

/// Returns who may write a file according to its list, apart from the owner and everybody; `None` without a list.
///
/// `group` is the group of the file.
#[cfg(target_os = "linux")]
pub(super) fn writers(path: &Path, group: u32) -> Option<Vec<Writer>> {
    // The system stores at most 64 KiB.
    let mut bytes = vec![0; 64 << 10];
    let length = rustix::fs::getxattr(path, ATTRIBUTE, bytes.as_mut_slice()).ok()?;
    parse(bytes.get(..length)?, group)
}

/// Other systems store lists in other forms, which synix does not read.
#[cfg(not(target_os = "linux"))]
pub(super) const fn writers(_: &Path, _: u32) -> Option<Vec<Writer>> {
    None
}

#[cfg_attr(
    not(target_os = "linux"),
    allow(dead_code, reason = "only used on Linux")
)]
fn parse(list: &[u8], group: u32) -> Option<Vec<Writer>> {
    const USER: u16 = 0x02;
    const OWN_GROUP: u16 = 0x04;
    const GROUP: u16 = 0x08;
    const MASK: u16 = 0x10;
    let entries: Vec<(u16, u16, u32)> = list
        .strip_prefix(&VERSION)?
        .chunks_exact(8)
        .map(|entry| {
            let number = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
            let id = u32::from(number(4)) | u32::from(number(6)) << 16;
            (number(0), number(2), id)
        })
        .collect();
    let mask = entries.iter().find(|(tag, ..)| *tag == MASK);
    let masked = mask.map_or(u16::MAX, |(_, rights, _)| *rights);
    let writer = |(tag, rights, id): (u16, u16, u32)| {
        let writer = match tag {
            USER => Writer::User(id),
            OWN_GROUP => Writer::Group(group),
            GROUP => Writer::Group(id),
            _ => return None,
        };
        (rights & masked & WRITE != 0).then_some(writer)
    };
    Some(entries.into_iter().filter_map(writer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: u16 = 4;

    /// Encodes a list as the system stores it.
    fn list(entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let mut bytes = VERSION.to_vec();
        for (tag, rights, id) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend(rights.to_le_bytes());
            bytes.extend(id.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn the_mask_limits_the_rights_of_an_entry() {
        let both = READ | WRITE;
        let entries = |mask| {
            list(&[
                (0x01, both, u32::MAX),
                (0x02, both, 70_002),
                (0x02, READ, 1003),
                (0x04, both, u32::MAX),
                (0x08, both, 50),
                (0x10, mask, u32::MAX),
                (0x20, both, u32::MAX),
            ])
        };
        let all = [Writer::User(70_002), Writer::Group(7), Writer::Group(50)];
        assert_eq!(parse(&entries(both), 7).unwrap(), all);
        assert_eq!(parse(&entries(READ), 7).unwrap(), []);
        assert_eq!(parse(b"another version", 7), None);
    }
}
