//! The calls of the state machine: each a task that knows a provider and no state.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use synix_core::clock::Moment;
use synix_providers::{BatchInput, BatchState, CreateError, FileId, Provider, ProviderError};
use synix_store::SubmissionId;

/// In milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// A call to a provider.
#[derive(Debug)]
pub(super) enum Call {
    Upload {
        path: PathBuf,
        name: String,
    },
    /// Names the newest batch in the list.
    Mark,
    Create {
        input: Input,
        token: String,
    },
    /// Reads the list back to `newest`, or to a day before `opened`.
    Find {
        newest: Option<String>,
        opened: Moment,
    },
    Poll {
        batch: String,
    },
    Fetch {
        batch: Box<BatchState>,
        /// How many requests it has, which bounds its files.
        requests: u64,
        files: Vec<(FileId, PathBuf)>,
    },
    Cancel {
        batch: String,
    },
}

/// What a batch is created from.
#[derive(Debug)]
pub(super) enum Input {
    Uploaded { file: FileId, model: String },
    Lines(PathBuf),
}

/// What a call brought.
#[derive(Debug)]
pub(super) enum CallResult {
    Uploaded(Result<FileId, ProviderError>),
    Marked(Result<Option<String>, ProviderError>),
    Created(Result<Box<BatchState>, CreateError>),
    Found(Result<Vec<BatchState>, ProviderError>),
    Polled(Result<Box<BatchState>, ProviderError>),
    Fetched(Box<BatchState>, Result<(), ProviderError>),
    Cancelled(String, Result<Box<BatchState>, ProviderError>),
    /// The task broke off; what it did is not known.
    Broken,
}

/// A call that has come to its end.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) submission: SubmissionId,
    pub(super) brought: CallResult,
}

/// Makes one call.
pub(super) async fn make(provider: Arc<Provider>, call: Call) -> CallResult {
    match call {
        Call::Upload { path, name } => {
            CallResult::Uploaded(provider.upload_batch(&path, &name).await)
        }
        Call::Mark => {
            let page = provider.list_batches(None).await;
            CallResult::Marked(
                page.map(|page| page.batches.into_iter().next().map(|batch| batch.id)),
            )
        }
        Call::Create { input, token } => {
            let input = match &input {
                Input::Uploaded { file, model } => BatchInput::Uploaded { file, model },
                Input::Lines(path) => BatchInput::Lines(path),
            };
            CallResult::Created(provider.create_batch(input, &token).await.map(Box::new))
        }
        Call::Find { newest, opened } => {
            CallResult::Found(find(&provider, newest.as_deref(), opened).await)
        }
        Call::Poll { batch } => CallResult::Polled(provider.poll_batch(&batch).await.map(Box::new)),
        Call::Fetch {
            batch,
            requests,
            files,
        } => {
            let fetched = fetch(&provider, requests, &files).await;
            CallResult::Fetched(batch, fetched)
        }
        Call::Cancel { batch } => {
            let cancelled = provider.cancel_batch(&batch).await.map(Box::new);
            CallResult::Cancelled(batch, cancelled)
        }
    }
}

/// Lists what may have been created since `newest`, or since a day before `opened`.
///
/// What is not in the result is not at the provider: that is what a second create call rests on.
/// So a list that cannot be read to where this is sure is an error.
async fn find(
    provider: &Provider,
    newest: Option<&str>,
    opened: Moment,
) -> Result<Vec<BatchState>, ProviderError> {
    let mut search = Search::default();
    let mut after: Option<String> = None;
    loop {
        let page = provider.list_batches(after.as_deref()).await?;
        let endless = |reason: &str| provider.endless_list(reason);
        search
            .take(page.batches, after.as_deref(), newest, opened)
            .map_err(endless)?;
        if search.repeats > 0 && !provider.pages_shift() {
            return Err(endless("a page repeats what was on others"));
        }
        match page.next {
            Some(next) if !search.is_over => {
                search.go_on(&next).map_err(endless)?;
                after = Some(next);
            }
            _ => return Ok(search.found),
        }
    }
}

/// Pages of a list that are read, at most.
const MOST_PAGES: usize = 1000;

/// A walk through a list, page by page.
#[derive(Debug, Default)]
struct Search {
    found: Vec<BatchState>,
    seen: HashSet<String>,
    cursors: HashSet<String>,
    /// Batches that were on earlier pages, but for the one after which a page starts.
    repeats: usize,
    /// When the last batch with a time was created.
    last: Option<Moment>,
    /// A batch came after an older one: this list is not ordered, and has no end but its last page.
    is_unordered: bool,
    /// All that follows is older than what is looked for.
    is_over: bool,
}

impl Search {
    fn take(
        &mut self,
        batches: Vec<BatchState>,
        after: Option<&str>,
        newest: Option<&str>,
        opened: Moment,
    ) -> Result<(), &'static str> {
        let first = self.seen.is_empty();
        let (mut news, mut ends) = (0, false);
        for batch in batches {
            if !self.seen.insert(batch.id.clone()) {
                self.repeats += usize::from(after != Some(batch.id.as_str()));
                continue;
            }
            news += 1;
            if let (Some(last), Some(created)) = (self.last, batch.created) {
                self.is_unordered |= created > last;
            }
            self.last = batch.created.or(self.last);
            // Clocks differ, but not by a day.
            let created = batch.created.map(|created| created.0.saturating_add(DAY));
            let is_older = created.is_some_and(|created| created < opened.0);
            let is_mark = newest == Some(batch.id.as_str());
            ends |= is_older || is_mark;
            // Behind the mark stands what was there before the call.
            let is_behind = ends && !self.is_unordered && batch.created.is_some();
            let is_before = is_older || is_mark || (is_behind && newest.is_some());
            if !is_before {
                self.found.push(batch);
            }
        }
        self.is_over = ends && !self.is_unordered;
        if !first && news == 0 {
            return Err("a page brings nothing new");
        }
        Ok(())
    }

    fn go_on(&mut self, next: &str) -> Result<(), &'static str> {
        if !self.cursors.insert(next.to_owned()) {
            return Err("it leads in a circle");
        }
        if self.cursors.len() > MOST_PAGES {
            return Err("it has more than 1,000 pages");
        }
        Ok(())
    }
}

/// Downloads files so that each is there whole or not at all, whoever else does the same.
async fn fetch(
    provider: &Provider,
    requests: u64,
    files: &[(FileId, PathBuf)],
) -> Result<(), ProviderError> {
    for (file, path) in files {
        let partial = path.with_extension(format!("{}.part", std::process::id()));
        provider.download(file, requests, &partial).await?;
        synix_disk::rename(&partial, path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: Moment = Moment(1_000 * DAY);

    fn batch(id: &str, created: Option<u64>) -> BatchState {
        BatchState {
            created: created.map(Moment),
            ..BatchState::unseen(id.to_owned())
        }
    }

    fn found(search: &Search) -> Vec<&str> {
        search.found.iter().map(|batch| batch.id.as_str()).collect()
    }

    const OLD: u64 = 990 * DAY;
    const NEW: u64 = 1_000 * DAY + 1;

    #[test]
    fn a_search_ends_where_a_list_is_older_than_what_is_looked_for() {
        let mut search = Search::default();
        let page = vec![batch("new", Some(NEW)), batch("old", Some(OLD))];
        search.take(page, None, None, OPENED).unwrap();
        assert_eq!((found(&search), search.is_over), (vec!["new"], true));
    }

    /// X1: a list in another order is read to its end.
    #[test]
    fn an_old_batch_is_no_end_of_a_list_without_order() {
        let mut search = Search::default();
        let page = vec![batch("old", Some(OLD)), batch("new", Some(NEW))];
        search.take(page, None, None, OPENED).unwrap();
        assert_eq!((found(&search), search.is_over), (vec!["new"], false));
        let page = vec![batch("newer", None)];
        search.take(page, Some("new"), None, OPENED).unwrap();
        assert_eq!(found(&search), ["new", "newer"]);
    }

    #[test]
    fn what_stands_behind_the_mark_was_there_before() {
        let mut search = Search::default();
        let page = ["c", "b", "a"].map(|id| batch(id, Some(NEW)));
        search.take(page.into(), None, Some("b"), OPENED).unwrap();
        assert_eq!((found(&search), search.is_over), (vec!["c"], true));
    }

    /// X1
    #[test]
    fn a_list_that_leads_in_a_circle_has_no_end() {
        let mut search = Search::default();
        let page = || vec![batch("a", None), batch("b", None)];
        search.take(page(), None, None, OPENED).unwrap();
        search.go_on("b").unwrap();
        assert!(search.take(page(), Some("b"), None, OPENED).is_err());
        assert!(search.go_on("b").is_err());
    }

    /// X1: the batch after which a page starts may be on it, no other.
    #[test]
    fn a_page_that_repeats_others_is_noticed() {
        let mut search = Search::default();
        let page = vec![batch("a", None), batch("b", None)];
        search.take(page, None, None, OPENED).unwrap();
        let page = vec![batch("b", None), batch("c", None)];
        search.take(page, Some("b"), None, OPENED).unwrap();
        assert_eq!(search.repeats, 0);
        let page = vec![batch("a", None), batch("d", None)];
        search.take(page, Some("c"), None, OPENED).unwrap();
        assert_eq!(search.repeats, 1);
    }

    #[test]
    fn a_list_without_end_is_given_up() {
        let mut search = Search::default();
        let given_up = (0..=MOST_PAGES).try_for_each(|page| search.go_on(&page.to_string()));
        assert!(given_up.is_err());
    }
}
