//! Compiles and packs the first-party components.

use std::io;
use std::path::Path;

use super::{DIGESTS, FOLDER, NAMES, READERS, component, component_path, line};
use crate::BuildError;
use crate::compile::{Compiler, Goal, Selection, target_dir_around};
use crate::component::encode;
use crate::files::write;
use crate::toolchain::Toolchain;

/// Compiles and packs every component, and writes the components and the digests.
///
/// Returns the names of the components whose bytes changed.
pub fn build(root: &Path) -> Result<Vec<&'static str>, BuildError> {
    let toolchain = Toolchain::from_environment();
    let standard_library = toolchain.standard_library()?;
    let compiler = |goal| Compiler {
        standard_library,
        toolchain: toolchain.clone(),
        root: root.to_owned(),
        target_dir: target_dir_around(&root.join("target")),
        locked: true,
        goal,
    };
    let (small, fast) = (compiler(Goal::SmallModules), compiler(Goal::FastModules));
    let mut changed = Vec::new();
    let mut digests = String::new();
    for name in NAMES {
        let manifest = root.join("plugins").join(name).join("Cargo.toml");
        let compiler = if READERS.contains(&name) {
            &fast
        } else {
            &small
        };
        let modules = compiler.compile(&manifest, Selection::Library)?;
        let compiled = encode(&modules.join(format!("synix_{name}.wasm")))?;
        // Packing takes longer than compiling.
        if component(root, name).ok().as_deref() != Some(&compiled) {
            changed.push(name);
            let path = component_path(root, name);
            let packed = pack(&compiled).map_err(|source| BuildError::Write {
                path: path.clone(),
                source,
            })?;
            write(&path, &packed)?;
        }
        digests.push_str(&line(root, name, &compiled)?);
    }
    write(&root.join(FOLDER).join(DIGESTS), digests.as_bytes())?;
    Ok(changed)
}

/// Compresses a component, the same way on every machine.
fn pack(mut component: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 24,
        size_hint: component.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut component, &mut packed, &parameters)?;
    Ok(packed)
}
