//! `--reset-state`: replaces a damaged state by a new one, and abandons its live batches (M7).

use super::execute::{LockedBuild, runtime};
use super::{Project, ProjectError};
use synix_engine::batch::BatchEvent;
use synix_engine::build::{Event, Observer};
use synix_providers::{BatchState, Provider};
use synix_store::{Damage, LostBatch, Store};

impl Project {
    /// Opens the state for a build. With `reset`, a damaged state is replaced by a new one.
    pub(super) fn state(&self, reset: bool) -> Result<(Store, Option<Box<Damage>>), ProjectError> {
        let store = if reset {
            self.context.check_file_system()?;
            self.context.claim_state();
            Store::open_with_reset(&self.context.state())?
        } else {
            (self.context.store()?, None)
        };
        Ok(store)
    }

    /// Reports what was lost, and asks each provider to cancel the batches of the old state.
    pub(super) fn abandon(
        &self,
        build: &LockedBuild<'_>,
        lost: &Damage,
        observer: Observer<'_>,
    ) -> Result<(), ProjectError> {
        observer(&Event::StateReset {
            lost: lost.to_string(),
        });
        let (providers, _) = if build.cassette.is_none() {
            self.providers()?
        } else {
            Default::default()
        };
        let runtime = runtime()?;
        for batch in &lost.salvaged.live {
            let message = match (&batch.batch, providers.get(&batch.provider)) {
                (None, _) => format!(
                    "a create call to {} may have created a batch with token {}; look for it there",
                    batch.provider, batch.token
                ),
                (Some(_), _) if batch.is_doubtful() => format!(
                    "its owner was not known yet, so {} was not asked to cancel it; check there whether it is yours",
                    batch.provider
                ),
                (Some(_), None) => format!(
                    "{} could not be asked to cancel it, so it may continue and be billed",
                    batch.provider
                ),
                (Some(id), Some(provider)) => runtime.block_on(cancel(provider, id, batch)),
            };
            if let Some(id) = &batch.batch {
                let note = format!("it belongs to the state that was reset; {message}");
                build.store.write(|tx| tx.note_abandoned(id, &note))?;
            }
            observer(&Event::Batch(BatchEvent::Abandoned {
                batch: batch.batch.clone(),
                message: format!(
                    "it belongs to the state that was reset in {}; {message}",
                    build.id
                ),
            }));
        }
        Ok(())
    }
}

/// Cancels a batch of the old state if the provider confirms that it is the recorded one. Returns the result as text.
///
/// The file that names it may come from an attacker, and the user's key could cancel any batch of the user.
async fn cancel(provider: &Provider, id: &str, lost: &LostBatch) -> String {
    let name = &lost.provider;
    let found = match provider.poll_batch(id).await {
        Ok(found) => found,
        Err(error) => {
            return format!(
                "{name} does not return it ({error}), so it may continue and be billed"
            );
        }
    };
    if !is_same_batch(lost, &found, provider.batch_traits().carries_token) {
        return format!("{name} has another batch under this id, so it was not asked to cancel it");
    }
    match provider.cancel_batch(id).await {
        Ok(_) => format!("{name} was asked to cancel it"),
        Err(error) => {
            format!("{name} does not cancel it ({error}), so it may continue and be billed")
        }
    }
}

/// Returns whether a batch is the recorded one: by its token or, if the provider stores no token, by its size.
fn is_same_batch(lost: &LostBatch, found: &BatchState, carries_token: bool) -> bool {
    if carries_token {
        return found.token.as_deref() == Some(lost.token.as_str());
    }
    let total = found.counts.as_ref().map_or(0, |counts| counts.total);
    total == 0 || total == lost.requests
}
