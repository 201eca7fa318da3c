//! Labels that several files of a source have.

use std::cmp::Ordering;

use super::FileOutput;
use crate::build::BuildError;
use crate::build::handle::Location;
use synix_core::ids::Label;
use synix_manifest::OnDuplicate;
use synix_store::Reader;

/// The metadata that decides which artifact is the newest.
const UPDATED: &str = "updated";

/// A label of two files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) label: Label,
    /// The positions of the files.
    pub(super) files: (usize, usize),
}

/// The artifacts of a layer, one for each label.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    /// The artifacts that are used, by file, then in the order in which each file made them.
    pub(super) used: Vec<FileOutput>,
    /// Those that newer ones replace, in the same order.
    pub(super) replaced: Vec<FileOutput>,
    /// Labels that several files have, unless the newest artifact is used.
    pub(super) duplicates: Vec<Duplicate>,
}

impl Distinct {
    /// Returns the files whose artifacts are all replaced by those of other files, in order.
    pub(super) fn superseded_files(&self) -> Vec<usize> {
        let is_used = |file: usize| {
            self.used
                .binary_search_by_key(&file, |one| one.file)
                .is_ok()
        };
        let mut files: Vec<usize> = self.replaced.iter().map(|one| one.file).collect();
        files.dedup();
        files.retain(|file| !is_used(*file));
        files
    }
}

/// Decides which of several artifacts with one label is used.
pub(super) fn resolve(
    mut outputs: Vec<FileOutput>,
    on_duplicate: OnDuplicate,
    reader: Option<&Reader>,
) -> Result<Distinct, BuildError> {
    outputs.sort_by_key(|output| output.file);
    // Sorted positions need a fraction of the memory of a map with lists.
    let mut by_label: Vec<usize> = (0..outputs.len()).collect();
    by_label.sort_by(|left, right| {
        outputs[*left]
            .handle
            .label
            .cmp(&outputs[*right].handle.label)
    });
    let mut is_replaced = vec![false; outputs.len()];
    let mut duplicates = Vec::new();
    for same in
        by_label.chunk_by(|left, right| outputs[*left].handle.label == outputs[*right].handle.label)
    {
        let [first, .., last] = same else { continue };
        match on_duplicate {
            OnDuplicate::Error => duplicates.push(Duplicate {
                label: outputs[*first].handle.label.clone(),
                files: (outputs[*first].file, outputs[*last].file),
            }),
            OnDuplicate::Newest => {
                let newest = newest(&outputs, same, reader)?;
                for position in same {
                    is_replaced[*position] = *position != newest;
                }
            }
        }
    }
    let mut distinct = Distinct {
        duplicates,
        ..Distinct::default()
    };
    for (output, is_replaced) in outputs.into_iter().zip(is_replaced) {
        if is_replaced {
            distinct.replaced.push(output);
        } else {
            distinct.used.push(output);
        }
    }
    Ok(distinct)
}

/// Returns the position of the artifact that was updated last; among equals the longest, then that of the last file.
fn newest(
    outputs: &[FileOutput],
    same: &[usize],
    reader: Option<&Reader>,
) -> Result<usize, BuildError> {
    let digest = |position: &usize| outputs[*position].handle.digest;
    let (mut best, rest) = (same[0], &same[1..]);
    if rest
        .iter()
        .all(|position| digest(position) == digest(&best))
    {
        return Ok(rest.last().copied().unwrap_or(best));
    }
    let mut best_age = age(&outputs[best], reader)?;
    for position in rest {
        let other = age(&outputs[*position], reader)?;
        if best_age.cmp(&other) != Ordering::Greater {
            (best, best_age) = (*position, other);
        }
    }
    Ok(best)
}

/// When an artifact was updated, and the size of its content. A time that is absent is before any other.
type Age = (Option<String>, u64);

fn age(output: &FileOutput, reader: Option<&Reader>) -> Result<Age, BuildError> {
    let (metadata, size) = match (&output.handle.location, reader) {
        (Location::Spooled(spool, range), _) => {
            let header = spool.header(*range).map_err(BuildError::spool_damaged)?;
            (header.metadata, range.content_bytes())
        }
        (Location::Stored(id), Some(reader)) => {
            (reader.artifact_header(*id)?.1, reader.artifact_size(*id)?)
        }
        // Readers make no others.
        (Location::Stored(_) | Location::File(_) | Location::Memory(_), _) => return Ok((None, 0)),
    };
    let updated = metadata.get(UPDATED).and_then(|updated| updated.as_str());
    Ok((updated.map(str::to_owned), size))
}
