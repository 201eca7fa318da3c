//! Names that Windows reserves for devices. A file with such a name cannot be created there, whatever its extension is.

/// Returns whether Windows takes a file name for that of a device: `con`, `AUX.md`, `com1.tar.gz`.
///
/// ```
/// use synix_core::device_name::is_device_name;
///
/// assert!(is_device_name("Con") && is_device_name("aux.md") && is_device_name("lpt1 .x"));
/// assert!(!is_device_name("console") && !is_device_name("com10"));
/// ```
pub fn is_device_name(name: &str) -> bool {
    // Blanks at the end of the first part do not count.
    let stem = name.split(['.', ':']).next().unwrap_or_default();
    let stem = stem.trim_end().to_lowercase();
    let numbered = ["com", "lpt"]
        .iter()
        .find_map(|port| stem.strip_prefix(port));
    let is_port = numbered.is_some_and(|number| {
        let mut digits = number.chars();
        let digit = digits.next();
        // Windows also reserves the superscript digits of Latin-1.
        digits.next().is_none()
            && digit
                .is_some_and(|digit| matches!(digit, '0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'))
    });
    is_port
        || matches!(
            stem.as_str(),
            "con" | "prn" | "aux" | "nul" | "conin$" | "conout$"
        )
}
