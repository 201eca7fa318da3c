//! The files of this crate, which `synix plugin new` copies into plugins.

macro_rules! files {
    ($($path:literal)*) => {
        &[
            ("Cargo.toml", include_str!("../Cargo.toml")),
            $((concat!("src/", $path), include_str!($path))),*
        ]
    };
}

/// Each file by its path in the crate.
pub const FILES: &[(&str, &str)] = files!(
    "arena.rs" "bindings.rs" "content.rs" "embedding.rs" "export.rs" "generated.rs" "generated_reader.rs" "label.rs" "lib.rs" "llm.rs"
    "log.rs" "outputs/elements.rs" "outputs/item_labels.rs" "outputs/metadata.rs" "outputs/mod.rs" "outputs/names.rs"
    "outputs/tests/explode.rs" "outputs/tests/fields.rs" "outputs/tests/mod.rs" "prompt.schema.json" "prompt/mod.rs"
    "prompt/question.rs" "prompt/tests.rs" "reader.rs" "reading.rs" "schema.rs" "sources.rs" "template/fault.rs"
    "template/filters.rs" "template/mod.rs" "template/tests.rs" "testing/mod.rs" "testing/reading.rs" "transform.rs"
);

#[cfg(test)]
mod tests {
    use super::*;

    use std::path::Path;

    #[test]
    fn every_file_of_the_crate_is_listed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = vec!["Cargo.toml".to_owned()];
        let mut pending = vec![root.join("src")];
        while let Some(folder) = pending.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    pending.push(path);
                } else {
                    let path = path.strip_prefix(root).unwrap();
                    found.push(path.to_str().unwrap().replace('\\', "/"));
                }
            }
        }
        found[1..].sort();
        let listed: Vec<_> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(listed, found);
    }
}
