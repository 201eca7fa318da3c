//! Whether the linker can keep one copy of functions with the same machine code, which makes the command 4 % smaller.
//!
//! Generic code is compiled once for each type, often to the same instructions. LLD, which is Rust's own linker on Linux
//! for x86_64, folds such functions; the linker of GNU rejects the option. Nothing in the command relies on two
//! functions having two addresses.

use std::process::Command;

use synix_guest_build::toolchain::Toolchain;

use crate::probe::{target_folder, write};
use crate::shell::Failure;

/// What rustc is told after `-C`.
pub(super) const ARGUMENT: &str = "link-arg=-Wl,--icf=all";

/// Links an empty program for `target` to find out.
pub(super) fn works(toolchain: &Toolchain, target: &str) -> Result<bool, Failure> {
    let folder = target_folder("folding")?;
    let source = folder.join("empty.rs");
    write(&source, "fn main() {}\n")?;
    let linked = Command::new(&toolchain.rustc)
        .args(["--target", target, "-C", ARGUMENT, "--out-dir"])
        .arg(&folder)
        .arg(&source)
        .output();
    Ok(linked.is_ok_and(|output| output.status.success()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_cannot_be_linked_is_linked_without_folding() {
        let toolchain = Toolchain::from_environment();
        assert!(!works(&toolchain, "no-such-target").unwrap());
    }
}
