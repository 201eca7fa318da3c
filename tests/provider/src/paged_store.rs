//! Items by id, in the order in which they were created, and pages of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Items by id, oldest first.
#[derive(Debug)]
pub(crate) struct PagedStore<T> {
    items: BTreeMap<u64, Arc<T>>,
    positions: HashMap<String, u64>,
    next: u64,
}

/// The items to return as a page.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageQuery<'a> {
    pub(crate) after: Option<&'a str>,
    pub(crate) before: Option<&'a str>,
    pub(crate) oldest_first: bool,
    pub(crate) skip_newest: usize,
    pub(crate) limit: usize,
}

/// Some items, and whether more follow in the same direction.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<Arc<T>>,
    pub(crate) has_more: bool,
}

impl<T> Default for PagedStore<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            positions: HashMap::new(),
            next: 0,
        }
    }
}

impl<T> PagedStore<T> {
    pub(crate) fn insert(&mut self, id: String, item: T) -> Arc<T> {
        let item = Arc::new(item);
        self.items.insert(self.next, Arc::clone(&item));
        self.positions.insert(id, self.next);
        self.next += 1;
        item
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<T>> {
        self.items.get(self.positions.get(id)?).cloned()
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Arc<T>> {
        self.items.remove(&self.positions.remove(id)?)
    }

    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        self.items.values().cloned().collect()
    }

    /// Returns one page of the items that `keep` keeps; `None` if the cursor is unknown.
    pub(crate) fn page(&self, query: &PageQuery<'_>, keep: impl Fn(&T) -> bool) -> Option<Page<T>> {
        let newest = self
            .items
            .keys()
            .rev()
            .nth(query.skip_newest)
            .map_or(0, |position| position + 1);
        let position = |id: &str| self.positions.get(id).copied();
        // In list order `after` continues the page and `before` goes back to what precedes it.
        let towards_newer = query.oldest_first != query.before.is_some();
        let range = match query.before.or(query.after) {
            None => 0..newest,
            Some(cursor) if towards_newer => position(cursor)? + 1..newest,
            Some(cursor) => 0..position(cursor)?.min(newest),
        };
        if range.start >= range.end {
            return Some(Page {
                items: Vec::new(),
                has_more: false,
            });
        }
        let kept = self
            .items
            .range(range)
            .map(|(_, item)| item)
            .filter(|item| keep(item))
            .cloned();
        let wanted = query.limit.saturating_add(1);
        let mut items: Vec<_> = if towards_newer {
            kept.take(wanted).collect()
        } else {
            kept.rev().take(wanted).collect()
        };
        let has_more = items.len() > query.limit;
        items.truncate(query.limit);
        if query.before.is_some() {
            items.reverse();
        }
        Some(Page { items, has_more })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &PageQuery<'_>) -> (Vec<u32>, bool) {
        let mut store = PagedStore::default();
        for number in 1..=5 {
            store.insert(number.to_string(), number);
        }
        let page = store.page(query, |_| true).unwrap();
        (
            page.items.iter().map(|number| **number).collect(),
            page.has_more,
        )
    }

    #[test]
    fn a_page_starts_with_the_newest() {
        assert_eq!(
            page(&PageQuery {
                limit: 2,
                ..PageQuery::default()
            }),
            (vec![5, 4], true)
        );
    }

    #[test]
    fn after_goes_on_below_the_cursor() {
        assert_eq!(
            page(&PageQuery {
                limit: 9,
                after: Some("3"),
                ..PageQuery::default()
            }),
            (vec![2, 1], false)
        );
    }

    #[test]
    fn before_is_the_page_just_above_the_cursor() {
        assert_eq!(
            page(&PageQuery {
                limit: 2,
                before: Some("2"),
                ..PageQuery::default()
            }),
            (vec![4, 3], true)
        );
    }

    #[test]
    fn oldest_first_turns_the_list_round() {
        let query = PageQuery {
            limit: 2,
            after: Some("1"),
            oldest_first: true,
            ..PageQuery::default()
        };
        assert_eq!(page(&query), (vec![2, 3], true));
    }

    #[test]
    fn the_newest_can_be_left_out() {
        assert_eq!(
            page(&PageQuery {
                limit: 9,
                skip_newest: 2,
                ..PageQuery::default()
            }),
            (vec![3, 2, 1], false)
        );
    }

    #[test]
    fn an_unknown_cursor_is_none() {
        let store: PagedStore<u32> = PagedStore::default();
        assert!(
            store
                .page(
                    &PageQuery {
                        after: Some("x"),
                        ..PageQuery::default()
                    },
                    |_| true
                )
                .is_none()
        );
    }
}
