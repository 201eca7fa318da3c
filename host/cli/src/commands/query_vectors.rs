//! The vectors of queries, requested with the models of the project at hand.

use std::cell::OnceCell;
use std::error::Error;

use synix_project::{Options, Project, ProjectError, RunOptions};
use synix_search::Space;

use super::build::WAIT_FOR_OTHERS;

/// A layer whose model is not known.
#[derive(Debug, thiserror::Error)]
#[error("the pipeline file has no layer `{layer}`, so the model of its embeddings is not known")]
struct NoLayer {
    layer: String,
}

/// Requests the vectors of queries. The project is opened for the first one.
pub(super) struct QueryVectors {
    options: Options,
    project: OnceCell<Project>,
}

impl QueryVectors {
    /// The plugins are those that are on this machine: a search downloads nothing and leaves the lock file alone.
    pub(super) fn new(options: Options) -> Self {
        Self {
            options: Options {
                offline: true,
                ..options
            },
            project: OnceCell::new(),
        }
    }

    /// Returns the vector of a query from the model of a layer.
    pub(super) fn embed(
        &self,
        space: &Space,
        query: &str,
    ) -> Result<Vec<f32>, Box<dyn Error + Send + Sync>> {
        let project = self.project()?;
        let role = project.role_of(&space.layer).ok_or_else(|| NoLayer {
            layer: space.layer.clone(),
        })?;
        let run = RunOptions::new(WAIT_FOR_OTHERS);
        let vector = project.embed_query(role, query, &run, &|_| {})?;
        Ok(vector.into_numbers())
    }

    fn project(&self) -> Result<&Project, ProjectError> {
        if let Some(project) = self.project.get() {
            return Ok(project);
        }
        let project = Project::open(&self.options)?;
        Ok(self.project.get_or_init(|| project))
    }
}
