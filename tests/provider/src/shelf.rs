//! Things kept by id in the order of their making, and pages of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Things by id, oldest first.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    things: BTreeMap<u64, Arc<T>>,
    places: HashMap<String, u64>,
    next: u64,
}

/// Which things a page holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Span<'a> {
    pub(crate) after: Option<&'a str>,
    pub(crate) before: Option<&'a str>,
    pub(crate) oldest_first: bool,
    pub(crate) skip_newest: usize,
    pub(crate) limit: usize,
}

/// Some things, and whether more follow in the same direction.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) things: Vec<Arc<T>>,
    pub(crate) has_more: bool,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            things: BTreeMap::new(),
            places: HashMap::new(),
            next: 0,
        }
    }
}

impl<T> Shelf<T> {
    pub(crate) fn insert(&mut self, id: String, thing: T) -> Arc<T> {
        let thing = Arc::new(thing);
        self.things.insert(self.next, Arc::clone(&thing));
        self.places.insert(id, self.next);
        self.next += 1;
        thing
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<T>> {
        self.things.get(self.places.get(id)?).cloned()
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<Arc<T>> {
        self.things.remove(&self.places.remove(id)?)
    }

    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        self.things.values().cloned().collect()
    }

    /// Returns one page of the things that `keep` keeps; `None` where the cursor is unknown.
    pub(crate) fn page(&self, span: &Span<'_>, keep: impl Fn(&T) -> bool) -> Option<Page<T>> {
        let newest = self
            .things
            .keys()
            .rev()
            .nth(span.skip_newest)
            .map_or(0, |place| place + 1);
        let place = |id: &str| self.places.get(id).copied();
        // In list order `after` continues the page and `before` goes back to what precedes it.
        let towards_newer = span.oldest_first != span.before.is_some();
        let range = match span.before.or(span.after) {
            None => 0..newest,
            Some(cursor) if towards_newer => place(cursor)? + 1..newest,
            Some(cursor) => 0..place(cursor)?.min(newest),
        };
        if range.start >= range.end {
            return Some(Page {
                things: Vec::new(),
                has_more: false,
            });
        }
        let kept = self
            .things
            .range(range)
            .map(|(_, thing)| thing)
            .filter(|thing| keep(thing))
            .cloned();
        let wanted = span.limit.saturating_add(1);
        let mut things: Vec<_> = if towards_newer {
            kept.take(wanted).collect()
        } else {
            kept.rev().take(wanted).collect()
        };
        let has_more = things.len() > span.limit;
        things.truncate(span.limit);
        if span.before.is_some() {
            things.reverse();
        }
        Some(Page { things, has_more })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(span: &Span<'_>) -> (Vec<u32>, bool) {
        let mut shelf = Shelf::default();
        for number in 1..=5 {
            shelf.insert(number.to_string(), number);
        }
        let page = shelf.page(span, |_| true).unwrap();
        (
            page.things.iter().map(|number| **number).collect(),
            page.has_more,
        )
    }

    #[test]
    fn a_page_starts_with_the_newest() {
        assert_eq!(
            page(&Span {
                limit: 2,
                ..Span::default()
            }),
            (vec![5, 4], true)
        );
    }

    #[test]
    fn after_goes_on_below_the_cursor() {
        assert_eq!(
            page(&Span {
                limit: 9,
                after: Some("3"),
                ..Span::default()
            }),
            (vec![2, 1], false)
        );
    }

    #[test]
    fn before_is_the_page_just_above_the_cursor() {
        assert_eq!(
            page(&Span {
                limit: 2,
                before: Some("2"),
                ..Span::default()
            }),
            (vec![4, 3], true)
        );
    }

    #[test]
    fn oldest_first_turns_the_list_round() {
        let span = Span {
            limit: 2,
            after: Some("1"),
            oldest_first: true,
            ..Span::default()
        };
        assert_eq!(page(&span), (vec![2, 3], true));
    }

    #[test]
    fn the_newest_can_be_left_out() {
        assert_eq!(
            page(&Span {
                limit: 9,
                skip_newest: 2,
                ..Span::default()
            }),
            (vec![3, 2, 1], false)
        );
    }

    #[test]
    fn an_unknown_cursor_is_none() {
        let shelf: Shelf<u32> = Shelf::default();
        assert!(
            shelf
                .page(
                    &Span {
                        after: Some("x"),
                        ..Span::default()
                    },
                    |_| true
                )
                .is_none()
        );
    }
}
