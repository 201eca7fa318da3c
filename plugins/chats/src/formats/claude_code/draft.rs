//! A turn of a session, whose blocks are spread over lines.

use super::line::{Fragment, Kind, Line};
use crate::conversation::{Turn, Who};
use crate::when::Moment;

/// Blocks of a message that may still grow; a bound, so that many blocks are not slow.
const MAX_LOOKED_BACK: usize = 32;

/// A turn that several lines make.
pub(super) struct Draft {
    who: Who,
    at: Option<Moment>,
    fragments: Vec<Fragment>,
}

impl Draft {
    pub(super) fn of(line: &Line) -> Self {
        let who = match line.kind {
            Kind::Assistant => Who::Assistant,
            Kind::Result => Who::Tool,
            Kind::User | Kind::Link => Who::User,
        };
        Draft {
            who,
            at: line.at,
            fragments: Vec::new(),
        }
    }

    /// Adds a block. Writers repeat blocks, and write growing ones again with each line.
    pub(super) fn merge(&mut self, new: Fragment) {
        let known = self
            .fragments
            .iter_mut()
            .rev()
            .take(MAX_LOOKED_BACK)
            .find(|old| {
                let is_same = old.id.is_some() && old.id == new.id;
                let grew =
                    old.id.is_none() && old.kind == new.kind && new.text.starts_with(&old.text);
                is_same || grew
            });
        match known {
            Some(old) => *old = new,
            None => self.fragments.push(new),
        }
    }

    pub(super) fn finish(self) -> Option<Turn> {
        let texts: Vec<_> = self
            .fragments
            .into_iter()
            .map(|fragment| fragment.text)
            .collect();
        let text = texts.join("\n\n");
        (!text.is_empty()).then_some(Turn {
            who: self.who,
            at: self.at,
            is_reply: false,
            text: text.into(),
        })
    }
}
