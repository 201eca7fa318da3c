//! The plugin contract: its WIT files, as text, and the types and calls that wasmtime generates from them for the host.
//!
//! The files are in this folder because `synix plugin new` and `synix plugin wit` write them out, and the sandbox runs
//! what was built against them.
//!
//! ```
//! let world = synix_contract::FILES.iter().find(|(name, _)| *name == "world.wit");
//! assert!(world.is_some_and(|(_, text)| text.contains("world transform")));
//! ```

#![forbid(unsafe_code)]

/// The files of the contract, by name.
pub const FILES: [(&str, &str); 6] = [
    ("embedding.wit", include_str!("embedding.wit")),
    ("llm.wit", include_str!("llm.wit")),
    ("log.wit", include_str!("log.wit")),
    ("reading.wit", include_str!("reading.wit")),
    ("types.wit", include_str!("types.wit")),
    ("world.wit", include_str!("world.wit")),
];

/// What wasmtime generates from the files: the host implements the imports and calls the exports.
#[expect(missing_docs, reason = "the files say what each item is")]
pub mod bindings {
    wasmtime::component::bindgen!({
        world: "transform",
        path: ".",
        imports: { default: trappable },
    });

    /// The world `reader`. It shares its types and the log with transforms.
    pub mod reader {
        /// The file that a reader reads. A call has one, so a handle holds nothing.
        #[derive(Debug)]
        pub struct FileHandle;

        wasmtime::component::bindgen!({
            world: "reader",
            path: ".",
            imports: { default: trappable },
            with: {
                "synix:plugin/types@0.1.1": super::synix::plugin::types,
                "synix:plugin/log@0.1.1": super::synix::plugin::log,
                "synix:plugin/reading@0.1.1.file": FileHandle,
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed() {
        let mut found: Vec<_> = std::fs::read_dir(env!("CARGO_MANIFEST_DIR"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".wit"))
            .collect();
        found.sort();
        assert_eq!(found, FILES.map(|(name, _)| name));
    }
}
