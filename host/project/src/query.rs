//! The vector of one text, such as the query of a search, requested with the models of a project.

use synix_core::request::Vector;
use synix_engine::build::{BuildError, Observer, Query};
use synix_engine::view::ErrorView;
use synix_providers::Cassette;
use synix_store::{BuildKind, Store};

use super::context::CassetteMode;
use super::execute::runtime;
use super::interrupt::stop_on_interrupt;
use super::{Project, ProjectError, RunOptions};
use tokio_util::sync::CancellationToken;

impl Project {
    /// Returns the model role with which the current pipeline makes the artifacts of a layer.
    pub fn role_of(&self, layer: &str) -> Option<&str> {
        let mut layers = self.ready.layers.iter();
        let layer = layers.find(|one| one.name.as_str() == layer)?;
        let transform = layer.body.transform()?;
        Some(&transform.role)
    }

    /// Returns the vector of `text` from the model of `role`.
    ///
    /// The answer is kept like any other: the same text is never paid for again, by no process. If it is not known yet, a
    /// build of its own records the request and its cost, and the budget of `run` or of the pipeline file applies. A
    /// replay takes it from the cassette, and a recording adds it there.
    pub fn embed_query(
        &self,
        role: &str,
        text: &str,
        run: &RunOptions,
        observer: Observer<'_>,
    ) -> Result<Vector, ProjectError> {
        self.check_recording()?;
        let query = Query::new(&self.ready.roles, role, text)?;
        let cassette = self.replay()?;
        let context = self.build_context(cassette.as_ref(), None);
        if cassette.is_some() {
            let known = query.known_vector(&context, None)?;
            return known.ok_or_else(|| BuildError::NoBuild.into());
        }
        self.require_permissions()?;
        let (store, _) = self.state(run.reset_state)?;
        let vector = match query.known_vector(&context, Some(&store))? {
            Some(vector) => vector,
            None => self.send_query(&query, &store, run, observer)?,
        };
        if self.context.cassette_mode == CassetteMode::Record {
            self.record_query(&query, &store)?;
        }
        Ok(vector)
    }

    fn send_query(
        &self,
        query: &Query,
        store: &Store,
        run: &RunOptions,
        observer: Observer<'_>,
    ) -> Result<Vector, ProjectError> {
        let context = self.build_context(None, None);
        let (providers, missing_keys) = self.providers()?;
        let mut options = self.build_options(BuildKind::Build, run, &providers, &missing_keys);
        options.shared = self.shared_answers()?;
        let new = context.new_build(BuildKind::Build);
        let (build, lock) = store.write(|tx| {
            let build = tx.open_build(&new)?;
            Ok::<_, ProjectError>((build, self.lock(store, build)?))
        })?;
        let runtime = runtime()?;
        runtime.spawn(stop_on_interrupt(
            self.context.stop.clone(),
            self.interruption.clone(),
            Some(options.interrupt.clone()),
            CancellationToken::new(),
        ));
        let sent = runtime.block_on(query.send(&context, &options, (store, build), observer));
        drop(runtime);
        self.interruption.resume();
        let error = sent.as_ref().err();
        let error = error.map(|error| ErrorView::of(error.kind(), error.hint(), error).to_json());
        store.write(|tx| {
            tx.set_build_error(build, error.as_deref())?;
            tx.close_build(build, Some(self.context.clock.now()))
        })?;
        drop(lock);
        Ok(sent?)
    }

    /// Adds the answer to the cassette.
    fn record_query(&self, query: &Query, store: &Store) -> Result<(), ProjectError> {
        let path = self.cassette_path()?;
        let mut cassette = Cassette::load_if_exists(&path)?.unwrap_or_default();
        if let Some(answer) = query.answer(store)? {
            cassette.insert(query.request().clone(), answer)?;
        }
        Ok(cassette.save(&path)?)
    }
}
