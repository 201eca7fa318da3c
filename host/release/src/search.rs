//! The search file: texts that can be searched, and the vectors of embeddings.

use std::collections::BTreeMap;
use std::path::Path;

use super::ReleaseError;
use super::columns::Members;
use super::export::Export;
use super::folder::OutputFolder;
use super::rows::Row;
use synix_search::{About, Document, DocumentVector, Embedding, ReleaseFileWriter, SearchError};

pub(super) fn write(
    export: &Export<'_>,
    folder: &mut OutputFolder,
    path: &str,
) -> Result<u64, ReleaseError> {
    let members: Vec<String> = Members::of(export.rows)?
        .iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    let about = About {
        snapshot: export.about.snapshot.clone(),
        pipeline: export.about.pipeline.clone(),
    };
    folder.write_at(path, |file| write_file(export, file, &about, &members))
}

fn write_file(
    export: &Export<'_>,
    file: &Path,
    about: &About,
    members: &[String],
) -> Result<u64, ReleaseError> {
    let mut writer = ReleaseFileWriter::create(file, about, members)?;
    let mut vectors: BTreeMap<String, u64> = BTreeMap::new();
    export.rows.for_each(|row| {
        if embedding(&row).is_some() {
            *vectors.entry(row.layer).or_default() += 1;
            return Ok(());
        }
        add_document(export, &mut writer, &row)
    })?;
    // A vector is about a document, so the documents of all layers come first.
    for layer in vectors.keys() {
        let mut added = 0;
        export
            .rows
            .for_each_of(std::slice::from_ref(layer), |row| {
                let Some(embedding) = embedding(&row) else {
                    return Ok(());
                };
                let provenance = export.rows.provenance(&row)?;
                let [input] = provenance.inputs.as_slice() else {
                    return Ok(());
                };
                let vector = DocumentVector {
                    layer,
                    document: (&input.layer, &input.label),
                    model: &embedding.model,
                    vector: &embedding.vector,
                };
                added += u64::from(writer.add_vector(&vector)?);
                Ok(())
            })?;
        if added == 0 {
            return Err(ReleaseError::VectorsWithoutTexts {
                layer: layer.clone(),
            });
        }
    }
    Ok(vectors.values().sum::<u64>() + writer.finish()?)
}

fn add_document(
    export: &Export<'_>,
    writer: &mut ReleaseFileWriter,
    row: &Row,
) -> Result<(), ReleaseError> {
    let sources = export.rows.sources(row)?;
    writer.add(&Document {
        layer: &row.layer,
        label: &row.label,
        kind: &row.kind,
        id: &row.id.to_string(),
        content: row.text(),
        data: row.data.as_ref(),
        metadata: &row.metadata,
        sources: &sources.labels,
        has_more_sources: sources.has_more,
    })?;
    Ok(())
}

fn embedding(row: &Row) -> Option<Embedding> {
    Embedding::of(row.kind.as_str(), &row.content, &row.metadata)
}

impl From<SearchError> for ReleaseError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Store(error) => Self::Store(error),
            SearchError::Disk(error) => Self::Disk(error),
            error @ (SearchError::Full { .. }
            | SearchError::Busy { .. }
            | SearchError::Database { .. }
            | SearchError::NoSearchFile { .. }
            | SearchError::NoEmbeddings { .. }
            | SearchError::Embed(_)) => Self::Search(Box::new(error)),
        }
    }
}
