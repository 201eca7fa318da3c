//! Converts the source layers of a pipeline file.

use super::error::Finding;
use super::error_kind::PipelineErrorKind;
use super::glob::SourceGlob;
use super::layers::{TRANSFORM_KEYS, Table};
use super::manifest::{GlobsEntry, LayerEntry};
use super::position::child;
use super::resolve::Draft;
use super::{LayerBody, Read, ReaderLayer, SourceLayer};
use synix_core::ids::Kind;

/// The keys that are only allowed in sources.
pub(super) const SOURCE_KEYS: [&str; 3] = ["kind", "read", "on_duplicate"];

/// The keys of a source that are only allowed with a reader.
const READER_KEYS: [&str; 3] = ["config", "limits", "on_duplicate"];

/// The value of `read` for texts, which the host reads itself.
const TEXT: &str = "text";

/// The default kind of the artifacts of texts.
const DEFAULT_SOURCE_KIND: &str = "source";

impl Table<'_> {
    pub(super) fn source(&self, draft: &mut Draft<'_>, entry: LayerEntry) -> Option<LayerBody> {
        self.refuse(draft, &TRANSFORM_KEYS, "transforms");
        let is_list = matches!(&entry.source, Some(GlobsEntry::Several(_)));
        let globs = entry.source?.into_list();
        for (position, glob) in globs.iter().enumerate() {
            if let Err(invalid) = SourceGlob::parse(glob) {
                let mut pointer = self.pointer_to("source");
                if is_list {
                    pointer = child(&pointer, &position.to_string());
                }
                draft.report(Finding::at_value(pointer, PipelineErrorKind::Glob(invalid)));
            }
        }
        let read = if entry.read.as_deref().is_none_or(|read| read == TEXT) {
            self.refuse(draft, &READER_KEYS, "sources whose `read` names a reader");
            Read::Texts(self.kind(draft, entry.kind.as_deref())?)
        } else {
            self.refuse(draft, &["kind"], "sources that read texts");
            let limits = self.pointer_to("limits");
            for key in ["requests", "tokens"] {
                if draft.has(&child(&limits, key)) {
                    let kind = PipelineErrorKind::Misplaced {
                        key: key.to_owned(),
                        what: "the limits of transforms",
                    };
                    draft.report(Finding::at_key(child(&limits, key), kind));
                }
            }
            Read::Plugin(ReaderLayer {
                plugin: self.plugin(draft, "read", &entry.read?)?,
                config: entry.config.unwrap_or_default(),
                limits: entry.limits.unwrap_or_default().into(),
                on_duplicate: entry.on_duplicate.unwrap_or_default(),
            })
        };
        Some(LayerBody::Source(Box::new(SourceLayer {
            globs,
            read,
            allow_hidden: entry.allow_hidden.unwrap_or_default(),
        })))
    }

    fn kind(&self, draft: &mut Draft<'_>, kind: Option<&str>) -> Option<Kind> {
        match Kind::parse(kind.unwrap_or(DEFAULT_SOURCE_KIND)) {
            Ok(kind) => Some(kind),
            Err(invalid) => {
                let kind = PipelineErrorKind::Name(invalid);
                draft.report(Finding::at_value(self.pointer_to("kind"), kind));
                None
            }
        }
    }
}
