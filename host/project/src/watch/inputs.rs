//! The files that a project is built from.

use std::collections::BTreeSet;
use std::path::Path;

use synix_engine::build::ReadyBody;
use synix_manifest::{LayerBody, PluginRef, Read, SourceGlob};
use synix_watch::Subject;

use crate::Project;

/// The files that decide what a build makes.
#[derive(Debug)]
pub(super) struct Inputs {
    /// The pipeline file, the lock file, the keys, plugins and the files that configs name, relative to the project.
    named: BTreeSet<String>,
    /// The globs of all sources.
    globs: Vec<SourceGlob>,
}

impl Inputs {
    pub(super) fn of(project: &Project) -> Self {
        let context = &project.context;
        let lock = Path::new(&context.file).with_extension("lock");
        let mut named = BTreeSet::from([
            context.file.clone(),
            lock.to_string_lossy().into_owned(),
            ".env".to_owned(),
        ]);
        let mut globs = Vec::new();
        for layer in &project.pipeline.layers {
            let plugin = match &layer.body {
                LayerBody::Source(source) => {
                    globs.extend(
                        source
                            .globs
                            .iter()
                            .filter_map(|glob| SourceGlob::parse(glob).ok()),
                    );
                    match &source.read {
                        Read::Texts(_) => None,
                        Read::Plugin(reader) => Some(&reader.plugin),
                    }
                }
                LayerBody::Transform(transform) => Some(&transform.transform),
            };
            if let Some(PluginRef::File(path)) = plugin {
                named.insert(normal(path));
            }
        }
        for layer in &project.ready.layers {
            let parts = match &layer.body {
                ReadyBody::Texts { .. } => continue,
                ReadyBody::Reader(reader) => &reader.parts,
                ReadyBody::Transform(transform) => &transform.parts,
            };
            named.extend(parts.files.values().map(|file| normal(&file.path)));
        }
        Self { named, globs }
    }

    /// Returns whether a change below the project folder can change what is built.
    pub(super) fn matter(&self, path: &Path, subject: Subject) -> bool {
        let path = normal(&path.to_string_lossy());
        let is_input =
            || self.named.contains(&path) || self.globs.iter().any(|glob| is_source(glob, &path));
        // Inputs may have come and gone with their folder.
        let may_contain_inputs = || {
            let named = self.named.iter().any(|named| is_below(named, &path));
            named || self.globs.iter().any(|glob| may_match_below(glob, &path))
        };
        match subject {
            Subject::File => is_input(),
            Subject::Folder | Subject::Everything => may_contain_inputs(),
            Subject::Unknown => is_input() || may_contain_inputs(),
        }
    }
}

/// Returns whether a file is a source. A hidden file that matches is an error of the build, so it matters as well.
fn is_source(glob: &SourceGlob, path: &str) -> bool {
    let variable = match glob.folder() {
        "" => Some(path),
        folder => path
            .strip_prefix(folder)
            .and_then(|rest| rest.strip_prefix('/')),
    };
    glob.is_match(path)
        && variable.is_some_and(|rest| rest.split('/').all(|name| glob.may_match_name(name)))
}

/// Returns whether files in this folder, or in one below it, can match.
fn may_match_below(glob: &SourceGlob, folder: &str) -> bool {
    if glob.folder() == folder || is_below(glob.folder(), folder) {
        return true;
    }
    let rest = match glob.folder() {
        "" => Some(folder),
        fixed => folder
            .strip_prefix(fixed)
            .and_then(|rest| rest.strip_prefix('/')),
    };
    rest.is_some_and(|rest| {
        let names = rest.split('/');
        let depth = names.clone().count();
        glob.depth().is_none_or(|max| depth < max) && { names }
            .all(|name| glob.may_match_name(name))
    })
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Returns a path with `/` as the separator and without `./`.
fn normal(path: &str) -> String {
    let path = if cfg!(windows) {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    };
    path.split('/')
        .filter(|part| *part != ".")
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(globs: &[&str]) -> Inputs {
        Inputs {
            named: ["synix.toml", "prompts/day.md"].map(str::to_owned).into(),
            globs: globs
                .iter()
                .map(|glob| SourceGlob::parse(glob).unwrap())
                .collect(),
        }
    }

    #[test]
    fn files_that_nothing_is_built_from_do_not_matter() {
        let inputs = inputs(&["notes/**/*.md", "data/*.csv"]);
        let matters = |path: &str| inputs.matter(Path::new(path), Subject::File);
        for path in [
            "synix.toml",
            "prompts/day.md",
            "notes/monday.md",
            "notes/2026/may/a.md",
            "data/a.csv",
        ] {
            assert!(matters(path), "{path}");
        }
        for path in [
            "notes/monday.md~",
            "notes/.monday.md.swp",
            "notes/.hidden/a.md",
            "data/old/a.csv",
            "target/debug/notes/a.md",
            "prompts/night.md",
            "synix.toml.bak",
        ] {
            assert!(!matters(path), "{path}");
        }
    }

    #[test]
    fn a_folder_matters_if_inputs_can_be_in_it() {
        let inputs = inputs(&["notes/**/*.md", "data/*.csv"]);
        let matters = |path: &str| inputs.matter(Path::new(path), Subject::Folder);
        for path in ["notes", "notes/2026", "data", "prompts"] {
            assert!(matters(path), "{path}");
        }
        for path in ["target", "data/old", "notes/.git", "synix.toml"] {
            assert!(!matters(path), "{path}");
        }
    }

    #[test]
    fn what_disappeared_matters_as_a_file_or_as_a_folder() {
        let inputs = inputs(&["notes/**/*.md"]);
        let matters = |path: &str| inputs.matter(Path::new(path), Subject::Unknown);
        assert!(matters("notes/a.md") && matters("notes/2026"));
        assert!(!matters("target"));
    }
}
