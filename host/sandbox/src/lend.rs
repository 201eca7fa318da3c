//! Lends a borrowed model to a store, which can hold only owned values.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use super::model::{Model, Verdict};
use synix_core::request::Ask;

/// A model that is borrowed for the time of a loan.
struct Borrowed(&'static mut dyn Model);

#[expect(unsafe_code, reason = "WASI asks of a store's data that it may move")]
// SAFETY: the reference is followed only by `Lent::complete`, after it has
// found itself on the thread that lent the model. Dropping it elsewhere does
// nothing.
unsafe impl Send for Borrowed {}

type Slot = Arc<Mutex<Option<Borrowed>>>;

/// A model on loan. It answers only while [`lend`] runs, and on its thread.
#[derive(Clone)]
pub(super) struct Lent {
    slot: Slot,
    home: ThreadId,
}

impl Lent {
    /// Asks the model, or returns `None` when the loan is over or the model is in use.
    pub(super) fn complete(&self, asked: Vec<Ask>) -> Option<Verdict> {
        if thread::current().id() != self.home {
            return None;
        }
        let mut slot = self.slot.try_lock().ok()?;
        slot.as_mut().map(|model| model.0.complete(asked))
    }
}

/// Empties the slot on every way out, a panic included.
struct Loan(Slot);

impl Drop for Loan {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Runs `act` with `model` on loan.
pub(super) fn lend<R>(model: &mut dyn Model, act: impl FnOnce(Lent) -> R) -> R {
    #[expect(
        unsafe_code,
        reason = "a store's data must be 'static; the loan ends before the borrow does"
    )]
    // SAFETY: only the lifetime changes. The reference stands in the slot alone:
    // `Lent` never hands it out, and `Loan` removes it before this function
    // returns or unwinds, while `model` is still borrowed. A `Lent` that is
    // kept longer finds the slot empty.
    let model: &'static mut dyn Model = unsafe { std::mem::transmute(model) };
    let loan = Loan(Arc::new(Mutex::new(Some(Borrowed(model)))));
    act(Lent {
        slot: Arc::clone(&loan.0),
        home: thread::current().id(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Suspends;

    impl Model for Suspends {
        fn complete(&mut self, _: Vec<Ask>) -> Verdict {
            Verdict::Suspend
        }
    }

    #[test]
    fn a_model_answers_until_the_loan_is_over() {
        let kept = lend(&mut Suspends, |lent| {
            assert_eq!(lent.complete(Vec::new()), Some(Verdict::Suspend));
            lent
        });
        assert_eq!(kept.complete(Vec::new()), None);
    }

    #[test]
    fn a_model_answers_on_the_thread_that_lent_it_alone() {
        lend(&mut Suspends, |lent| {
            let elsewhere = lent.clone();
            let asked = thread::spawn(move || elsewhere.complete(Vec::new()));
            assert_eq!(asked.join().ok(), Some(None));
        });
    }
}
