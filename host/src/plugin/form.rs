//! What is known of a file before it is compiled: that it is a component, and no bomb of components in components.

use super::error::Fault;

/// The largest component that is compiled.
pub(super) const COMPONENT_BYTES: usize = 64 << 20;
/// How deep components may stand in components; the compiler itself goes on until the memory is full.
const NESTING: usize = 32;
const PREAMBLE_BYTES: usize = 8;
const COMPONENT_SECTION: u8 = 4;

/// Tells a component from a core module and from anything else by its first eight bytes.
pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.len() > COMPONENT_BYTES {
        return Err(Fault::TooLarge {
            bytes: bytes.len(),
            limit: COMPONENT_BYTES,
        });
    }
    let corrupt = |detail: &str| {
        Err(Fault::Corrupt {
            detail: detail.to_owned(),
        })
    };
    match bytes {
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] if is_nested_too_deep(bytes) => {
            corrupt("components are nested too deeply")
        }
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', _, _, 0, 0, ..] => Err(Fault::CoreModule),
        [b'\0', b'a', b's', b'm', ..] => corrupt("unknown kind of wasm file"),
        _ => Err(Fault::NotWasm),
    }
}

/// Walks the sections; what else is wrong with them is for the compiler to say.
fn is_nested_too_deep(bytes: &[u8]) -> bool {
    let mut ends = vec![bytes.len()];
    let mut at = PREAMBLE_BYTES;
    while let Some(end) = ends.last().copied() {
        if at >= end {
            ends.pop();
            continue;
        }
        let Some((size, body)) = size_at(bytes, at + 1) else {
            return false;
        };
        if bytes[at] == COMPONENT_SECTION {
            if ends.len() > NESTING {
                return true;
            }
            ends.push(body.saturating_add(size).min(bytes.len()));
            at = body + PREAMBLE_BYTES;
        } else {
            at = body.saturating_add(size);
        }
    }
    false
}

/// Reads a section's size; returns it and where the section's body starts.
fn size_at(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut size = 0_usize;
    for (position, byte) in bytes.get(start..)?.iter().take(5).enumerate() {
        size |= usize::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Some((size, start + position + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        assert!(matches!(check(b""), Err(Fault::NotWasm)));
        assert!(matches!(check(b"(component)"), Err(Fault::NotWasm)));
        assert!(matches!(check(b"\0asm\x01\0\0\0"), Err(Fault::CoreModule)));
        assert!(matches!(check(b"\0asm\x0d\0\x01\0"), Ok(())));
        assert!(matches!(
            check(&vec![0; COMPONENT_BYTES + 1]),
            Err(Fault::TooLarge { .. })
        ));
    }

    #[test]
    fn components_may_stand_in_components_so_deep_and_no_deeper() {
        let nested = |depth: usize| {
            let text = format!("{}{}", "(component ".repeat(depth), ")".repeat(depth));
            is_nested_too_deep(&wat::parse_str(text).unwrap())
        };
        assert!(!nested(NESTING + 1) && nested(NESTING + 2));
        let beside = format!("(component {})", "(component)".repeat(100));
        assert!(!is_nested_too_deep(&wat::parse_str(beside).unwrap()));
    }
}
