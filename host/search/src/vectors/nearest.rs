//! The exact search for the nearest vectors.

use rusqlite::{Connection, OptionalExtension as _};
use synix_core::digest::Digest;
use synix_store::ArtifactId;

use super::quantize::exact_dot;
use super::{RoundedQuery, Space};
use crate::update::{Problem, digest};

/// The number of candidates that are ordered at first, for each wanted neighbour, and how it grows if they do not suffice.
const FIRST_CANDIDATES: usize = 32;
const GROWTH: usize = 8;

/// A vector near a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Neighbour {
    /// The embedding: its number and digest.
    pub(crate) artifact: ArtifactId,
    pub(crate) digest: Digest,
    /// What it is about.
    pub(crate) about_layer: String,
    pub(crate) about_label: String,
    pub(crate) about: ArtifactId,
    pub(crate) cosine: f64,
}

/// What is known about a candidate outside of the index.
pub(crate) trait Candidates {
    /// Returns the exact vector; `None` if it cannot be read.
    fn vector(&mut self, candidate: &Neighbour) -> Result<Option<Vec<f32>>, Problem>;

    /// Returns whether a candidate may be a result. Only those that are near enough are asked about.
    fn admits(&mut self, candidate: &Neighbour) -> Result<bool, Problem>;
}

/// Returns the spaces of an index, in order.
pub(crate) fn spaces(connection: &Connection) -> Result<Vec<Space>, Problem> {
    let mut statement = connection.prepare_cached(
        "SELECT layer, model, dimensions FROM space ORDER BY layer, model, dimensions",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Space {
            layer: row.get(0)?,
            model: row.get(1)?,
            dimensions: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the `max` nearest vectors of a space that may be results, the nearest first. `query` has the length 1.
pub(crate) fn nearest(
    connection: &Connection,
    space: &Space,
    query: &[f32],
    max: usize,
    candidates: &mut dyn Candidates,
) -> Result<Vec<Neighbour>, Problem> {
    let mut bounds = bounds(connection, space, &RoundedQuery::of(query))?;
    let mut best: Vec<Neighbour> = Vec::new();
    let (mut done, mut wanted) = (0, max.saturating_mul(FIRST_CANDIDATES));
    while done < bounds.len() && max > 0 {
        let end = wanted.max(done + 1).min(bounds.len());
        let rest = &mut bounds[done..];
        if end - done < rest.len() {
            rest.select_nth_unstable_by(end - done, |one, other| other.0.total_cmp(&one.0));
        }
        rest[..end - done]
            .sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        for (bound, place) in &bounds[done..end] {
            // Nothing that follows can be nearer than the last of the best. One that is as near may precede it by name.
            if best.len() >= max
                && best
                    .last()
                    .is_some_and(|last| last.cosine > f64::from(*bound))
            {
                return Ok(best);
            }
            let mut candidate = candidate(connection, *place)?;
            let Some(vector) = candidates.vector(&candidate)? else {
                continue;
            };
            if vector.len() != query.len() {
                return Err(Problem::Disagrees);
            }
            candidate.cosine = exact_dot(query, &vector);
            let at = best.partition_point(|other| order(other, &candidate).is_lt());
            if at < max && candidates.admits(&candidate)? {
                best.insert(at, candidate);
                best.truncate(max);
            }
        }
        done = end;
        wanted = wanted.saturating_mul(GROWTH);
    }
    Ok(best)
}

fn order(one: &Neighbour, other: &Neighbour) -> std::cmp::Ordering {
    let name = |of: &Neighbour| (of.about_layer.clone(), of.about_label.clone());
    other
        .cosine
        .total_cmp(&one.cosine)
        .then_with(|| name(one).cmp(&name(other)))
}

/// Returns the greatest cosine that each vector of a space can have, with its place.
fn bounds(
    connection: &Connection,
    space: &Space,
    query: &RoundedQuery,
) -> Result<Vec<(f32, i64)>, Problem> {
    let mut statement = connection.prepare_cached(
        "SELECT places, bounds, vectors FROM space JOIN chunk ON chunk.space = space.id
         JOIN chunk_vectors v ON v.chunk = chunk.id
         WHERE layer = ?1 AND model = ?2 AND dimensions = ?3 ORDER BY chunk.id",
    )?;
    let mut rows = statement.query((&space.layer, &space.model, space.dimensions))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let blob = |index| row.get_ref(index)?.as_blob().map_err(rusqlite::Error::from);
        let (places, bounds, vectors) = (blob(0)?, blob(1)?, blob(2)?);
        let (places, bounds) = (places.as_chunks::<8>().0, bounds.as_chunks::<8>().0);
        let is_whole = bounds.len() == places.len()
            && vectors.len() == places.len() * query.dimensions()
            && query.dimensions() > 0;
        if !is_whole {
            return Err(Problem::Disagrees);
        }
        let slots = places
            .iter()
            .zip(bounds)
            .zip(vectors.chunks_exact(query.dimensions()));
        for ((place, [a, b, c, d, e, f, g, h]), numbers) in slots {
            let place = i64::from_le_bytes(*place);
            if place != 0 {
                let scale = f32::from_le_bytes([*a, *b, *c, *d]);
                let error = f32::from_le_bytes([*e, *f, *g, *h]);
                found.push((query.upper_bound(numbers, scale, error), place));
            }
        }
    }
    Ok(found)
}

fn candidate(connection: &Connection, place: i64) -> Result<Neighbour, Problem> {
    let found = connection
        .prepare_cached(
            "SELECT artifact, digest, about_layer, about_label, about FROM place WHERE id = ?1",
        )?
        .query_row([place], |row| {
            let bytes: Vec<u8> = row.get(1)?;
            let neighbour = Neighbour {
                artifact: ArtifactId(row.get(0)?),
                digest: Digest::of(&[]),
                about_layer: row.get(2)?,
                about_label: row.get(3)?,
                about: ArtifactId(row.get(4)?),
                cosine: 0.0,
            };
            Ok((neighbour, bytes))
        })
        .optional()?;
    let (neighbour, bytes) = found.ok_or(Problem::Disagrees)?;
    Ok(Neighbour {
        digest: digest(&bytes).ok_or(Problem::Disagrees)?,
        ..neighbour
    })
}
