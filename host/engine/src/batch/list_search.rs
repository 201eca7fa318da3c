//! Searches a provider's list of batches for the one whose create reply was lost.

use std::collections::HashSet;

use super::machine::{SearchResult, may_be_ours};
use super::{BatchContext, BatchError};
use synix_core::clock::Timestamp;
use synix_providers::{BatchState, BatchTraits, Provider, ProviderError};
use synix_store::{BatchOwner, Submission};

/// In milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// Where a search ends.
#[derive(Debug)]
pub(super) struct SearchBounds {
    /// The newest batch in the list before the create call, if it was read.
    pub(super) newest: Option<String>,
    /// When the submission was recorded: a batch that is a day older cannot be its batch.
    pub(super) opened: Timestamp,
}

/// Lists the batches that may have been created within `bounds`.
///
/// A second create call relies on a complete result: what is not in it is not at the provider. So a list
/// that cannot be read far enough is an error.
pub(super) async fn search(
    provider: &Provider,
    bounds: &SearchBounds,
) -> Result<Vec<BatchState>, ProviderError> {
    let mut search = Search::default();
    let mut after: Option<String> = None;
    loop {
        let page = provider.list_batches(after.as_deref()).await?;
        let endless = |reason: &str| provider.endless_list(reason);
        search
            .on_page(page.batches, after.as_deref(), bounds)
            .map_err(endless)?;
        if search.repeats > 0 && !provider.has_shifting_pages() {
            return Err(endless("a page repeats what was on others"));
        }
        match page.next {
            Some(next) if !search.is_over => {
                search.add_cursor(&next).map_err(endless)?;
                after = Some(next);
            }
            _ => return Ok(search.found),
        }
    }
}

/// The maximum number of pages that are read.
const MAX_PAGES: usize = 1000;

/// The state of a search.
#[derive(Debug, Default)]
struct Search {
    found: Vec<BatchState>,
    seen: HashSet<String>,
    cursors: HashSet<String>,
    /// Batches that were on earlier pages already, except the cursor of the page.
    repeats: usize,
    /// When the last batch with a time was created.
    last: Option<Timestamp>,
    /// Whether a batch came after an older one. Such a list is unordered and must be read to its last page.
    is_unordered: bool,
    /// Whether all further batches are too old.
    is_over: bool,
}

impl Search {
    fn on_page(
        &mut self,
        batches: Vec<BatchState>,
        after: Option<&str>,
        bounds: &SearchBounds,
    ) -> Result<(), &'static str> {
        let newest = bounds.newest.as_deref();
        let is_first = self.seen.is_empty();
        let (mut new, mut ends) = (0, false);
        for batch in batches {
            if !self.seen.insert(batch.id.clone()) {
                self.repeats += usize::from(after != Some(batch.id.as_str()));
                continue;
            }
            new += 1;
            if let (Some(last), Some(created)) = (self.last, batch.created) {
                self.is_unordered |= created > last;
            }
            self.last = batch.created.or(self.last);
            // Clocks differ, but not by a day.
            let created = batch.created.map(|created| created.0.saturating_add(DAY));
            let is_older = created.is_some_and(|created| created < bounds.opened.0);
            let is_mark = newest == Some(batch.id.as_str());
            ends |= is_older || is_mark;
            // The batches behind the mark existed before the call.
            let is_behind = ends && !self.is_unordered && batch.created.is_some();
            let is_before = is_older || is_mark || (is_behind && newest.is_some());
            if !is_before {
                self.found.push(batch);
            }
        }
        self.is_over = ends && !self.is_unordered;
        if !is_first && new == 0 {
            return Err("a page brings nothing new");
        }
        Ok(())
    }

    fn add_cursor(&mut self, next: &str) -> Result<(), &'static str> {
        if !self.cursors.insert(next.to_owned()) {
            return Err("it leads in a circle");
        }
        if self.cursors.len() > MAX_PAGES {
            return Err("it has more than 1,000 pages");
        }
        Ok(())
    }
}

/// The search for the batch of a submission.
#[derive(Debug)]
pub(super) struct Recovery<'c> {
    pub(super) context: &'c BatchContext<'c>,
    pub(super) submission: &'c Submission,
    pub(super) traits: BatchTraits,
}

impl Recovery<'_> {
    /// Compares a list with the state: a batch that certainly belongs to another submission is not the lost one.
    pub(super) fn findings(&self, list: Vec<BatchState>) -> Result<SearchResult, BatchError> {
        let mut findings = SearchResult::default();
        for batch in list {
            if !may_be_ours(self.submission, &batch, self.traits) {
                continue;
            }
            match self.context.store.batch_owner(&batch.id)? {
                BatchOwner::Unknown => findings.candidates.push(batch),
                BatchOwner::Provisional => findings.adopted_by_others += 1,
                BatchOwner::Confirmed => {}
            }
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: Timestamp = Timestamp(1_000 * DAY);

    fn back_to(newest: Option<&str>) -> SearchBounds {
        SearchBounds {
            newest: newest.map(str::to_owned),
            opened: OPENED,
        }
    }

    fn batch(id: &str, created: Option<u64>) -> BatchState {
        BatchState {
            created: created.map(Timestamp),
            ..BatchState::from_id(id.to_owned())
        }
    }

    fn found(search: &Search) -> Vec<&str> {
        search.found.iter().map(|batch| batch.id.as_str()).collect()
    }

    const OLD: u64 = 990 * DAY;
    const NEW: u64 = 1_000 * DAY + 1;

    #[test]
    fn a_search_ends_when_the_list_is_too_old() {
        let mut search = Search::default();
        let page = vec![batch("new", Some(NEW)), batch("old", Some(OLD))];
        search.on_page(page, None, &back_to(None)).unwrap();
        assert_eq!((found(&search), search.is_over), (vec!["new"], true));
    }

    /// X1: a list in another order is read to its end.
    #[test]
    fn an_old_batch_does_not_end_an_unordered_list() {
        let mut search = Search::default();
        let page = vec![batch("old", Some(OLD)), batch("new", Some(NEW))];
        search.on_page(page, None, &back_to(None)).unwrap();
        assert_eq!((found(&search), search.is_over), (vec!["new"], false));
        let page = vec![batch("newer", None)];
        search.on_page(page, Some("new"), &back_to(None)).unwrap();
        assert_eq!(found(&search), ["new", "newer"]);
    }

    #[test]
    fn batches_behind_the_mark_are_not_found() {
        let mut search = Search::default();
        let page = ["c", "b", "a"].map(|id| batch(id, Some(NEW)));
        search
            .on_page(page.into(), None, &back_to(Some("b")))
            .unwrap();
        assert_eq!((found(&search), search.is_over), (vec!["c"], true));
    }

    /// X1
    #[test]
    fn a_circular_list_is_an_error() {
        let mut search = Search::default();
        let page = || vec![batch("a", None), batch("b", None)];
        search.on_page(page(), None, &back_to(None)).unwrap();
        search.add_cursor("b").unwrap();
        assert!(search.on_page(page(), Some("b"), &back_to(None)).is_err());
        assert!(search.add_cursor("b").is_err());
    }

    /// X1: the batch after which a page starts may be on it, no other.
    #[test]
    fn a_page_that_repeats_others_is_detected() {
        let mut search = Search::default();
        let page = vec![batch("a", None), batch("b", None)];
        search.on_page(page, None, &back_to(None)).unwrap();
        let page = vec![batch("b", None), batch("c", None)];
        search.on_page(page, Some("b"), &back_to(None)).unwrap();
        assert_eq!(search.repeats, 0);
        let page = vec![batch("a", None), batch("d", None)];
        search.on_page(page, Some("c"), &back_to(None)).unwrap();
        assert_eq!(search.repeats, 1);
    }

    #[test]
    fn an_endless_list_is_an_error() {
        let mut search = Search::default();
        let given_up = (0..=MAX_PAGES).try_for_each(|page| search.add_cursor(&page.to_string()));
        assert!(given_up.is_err());
    }
}
