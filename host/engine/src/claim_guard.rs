//! The claims of this process on requests, for a last check before a request is sent.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use synix_core::request::RequestKey;
use synix_shared::{SharedAnswers, SharedClaim};

/// Knows which requests this process has claimed, and whether the claims still hold. A clone shares them.
#[derive(Clone)]
pub(crate) struct ClaimGuard {
    client: SharedAnswers,
    claims: Rc<RefCell<HashMap<RequestKey, SharedClaim>>>,
}

impl fmt::Debug for ClaimGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimGuard").finish_non_exhaustive()
    }
}

impl ClaimGuard {
    pub(crate) fn new(client: SharedAnswers) -> Self {
        Self {
            client,
            claims: Rc::default(),
        }
    }

    pub(crate) fn insert(&self, claim: SharedClaim) {
        self.claims.borrow_mut().insert(claim.key, claim);
    }

    pub(crate) fn remove(&self, key: &RequestKey) {
        self.claims.borrow_mut().remove(key);
    }

    /// Returns whether a request may be sent: it has no claim, or its claim still holds.
    pub(crate) fn may_send(&self, key: &RequestKey) -> bool {
        let claims = self.claims.borrow();
        claims
            .get(key)
            .is_none_or(|claim| self.client.still_holds(claim))
    }
}
