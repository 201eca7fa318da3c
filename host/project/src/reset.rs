//! `--reset-state`: a new state in the place of a damaged one, with its live batches abandoned (M7).

use super::execute::runtime;
use super::{Project, ProjectError};
use synix_engine::batch::BatchEvent;
use synix_engine::build::{Event, Observer};
use synix_providers::{BatchState, Provider};
use synix_store::{BuildId, Damage, LostBatch, Store};

impl Project {
    /// Opens the state for a build; where the user said so, a damaged one gives way to a new one.
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

    /// Tells what was lost, and asks each provider to cancel what it still has of it.
    pub(super) fn abandon(
        &self,
        store: &Store,
        build: BuildId,
        lost: &Damage,
        live: bool,
        observer: Observer<'_>,
    ) -> Result<(), ProjectError> {
        observer(&Event::StateReset {
            lost: lost.to_string(),
        });
        let (providers, _) = if live {
            self.providers()?
        } else {
            Default::default()
        };
        let runtime = runtime()?;
        for batch in &lost.salvaged.live {
            let message = match (&batch.batch, providers.get(&batch.provider)) {
                (None, _) => format!(
                    "a create call to {} may have made a batch with token {}; look for it there",
                    batch.provider, batch.token
                ),
                (Some(_), _) if batch.is_doubtful() => format!(
                    "whether it is ours was not known yet, so {} was not asked to cancel it; look there whose it is",
                    batch.provider
                ),
                (Some(_), None) => format!(
                    "{} could not be asked to cancel it: it may go on and be billed",
                    batch.provider
                ),
                (Some(id), Some(provider)) => runtime.block_on(cancel(provider, id, batch)),
            };
            if let Some(id) = &batch.batch {
                let note = format!("of the state that was reset; {message}");
                store.write(|tx| tx.note_abandoned(id, &note))?;
            }
            observer(&Event::Batch(BatchEvent::Abandoned {
                batch: batch.batch.clone(),
                message: format!("it is of the state that was reset in {build}; {message}"),
            }));
        }
        Ok(())
    }
}

/// Cancels a batch of the old state, if its provider knows it as that, and says what came of it.
///
/// The file that names it may be a stranger's, and a key of the user's could cancel any batch of the user's.
async fn cancel(provider: &Provider, id: &str, lost: &LostBatch) -> String {
    let name = &lost.provider;
    let found = match provider.poll_batch(id).await {
        Ok(found) => found,
        Err(error) => {
            return format!("{name} does not show it ({error}): it may go on and be billed");
        }
    };
    if !is_of(lost, &found, provider.batch_traits().carries_token) {
        return format!("{name} knows it as another one, so it was not asked to cancel it");
    }
    match provider.cancel_batch(id).await {
        Ok(_) => format!("{name} was asked to cancel it"),
        Err(error) => {
            format!("{name} does not cancel it ({error}): it may go on and be billed")
        }
    }
}

/// Says whether a batch is the one on record: by the token in it, or where there is none, by its size.
fn is_of(lost: &LostBatch, found: &BatchState, labelled: bool) -> bool {
    if labelled {
        return found.token.as_deref() == Some(lost.token.as_str());
    }
    let total = found.counts.as_ref().map_or(0, |counts| counts.total);
    total == 0 || total == lost.requests
}
