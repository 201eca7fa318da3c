//! Lends a borrowed model to a store, which can hold only owned values.

use std::cell::RefCell;
use std::rc::Rc;

use super::model::{Model, Verdict};
use crate::request::Ask;

type Slot = Rc<RefCell<Option<&'static mut dyn Model>>>;

/// A model on loan. It answers only while [`lend`] runs.
#[derive(Clone)]
pub(super) struct Lent(Slot);

impl Lent {
    /// Asks the model, or returns `None` when the loan is over.
    pub(super) fn complete(&self, asked: Vec<Ask>) -> Option<Verdict> {
        self.0
            .try_borrow_mut()
            .ok()?
            .as_mut()
            .map(|model| model.complete(asked))
    }
}

/// Empties the slot on every way out, a panic included.
struct Loan(Slot);

impl Drop for Loan {
    fn drop(&mut self) {
        *self.0.borrow_mut() = None;
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
    let loan = Loan(Rc::new(RefCell::new(Some(model))));
    act(Lent(Rc::clone(&loan.0)))
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
}
