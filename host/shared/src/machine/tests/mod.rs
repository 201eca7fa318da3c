//! Tests of the machine.

use super::{Claimant, Effect, End, Event};

#[test]
fn a_claimant_ends_without_sending_on_an_event_that_does_not_belong_to_its_state() {
    let (claimant, _) = Claimant::obtain(None, false).step(Event::Begun);
    let (_, effect) = claimant.step(Event::Created);
    assert_eq!(effect, Effect::End(End::Failed));
}
