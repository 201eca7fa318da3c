//! Shared answers: takes answers that others have, and claims a request before it is sent.
//!
//! A request is looked up in a task of its own, at most 64 at a time. Its answer may be there; otherwise it is claimed and
//! then sent like any request. A request that another holder has claimed is looked up again after a pause, and keeps no
//! other request from being sent: two builds that wait for each other would otherwise never end.
//!
//! The intent to claim a request is recorded in the state before it is claimed. [`settle`] publishes the answer or releases
//! the claim. While the store is unavailable, requests are sent without a claim, and their answers are published later.

mod intents;
mod queue;
mod settle;
mod work;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::build::BuildError;
use crate::build::event::{Event, Observer};
use crate::claim_guard::ClaimGuard;
use crate::pending::{PendingRequest, SettledRequest};
use synix_core::causes::with_causes;
use synix_core::clock::Clock;
use synix_core::request::RequestKey;
use synix_shared::{ClaimIntent, SharedAnswers, SharedClaim, SharedError};
use synix_store::{BuildId, LayerMode, RequestId, Store};

use settle::Settlement;
use work::Finished;

/// The maximum number of operations of the store at a time.
const MAX_OPERATIONS: usize = 64;

/// The first and the longest pause before a request that another holder has claimed is looked up again.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A request adds this to the pause of those that wait with it, so that many of them do not flood the store.
const PAUSE_PER_REQUEST: Duration = Duration::from_millis(2);

/// How long a store that was unavailable is left alone.
const AWAY_PAUSE: Duration = Duration::from_secs(10);

/// A request with the mode in which it is sent.
pub(super) type ModedRequest = (PendingRequest<RequestId>, LayerMode);

/// A request to look up.
#[derive(Debug)]
struct LookUp {
    queued: PendingRequest<RequestId>,
    mode: LayerMode,
    /// What it claims, as soon as that is recorded.
    intent: Option<ClaimIntent>,
    /// Whether the store may have the claim.
    may_be_claimed: bool,
    /// How long to wait if another holder has claimed the request.
    pause: Duration,
    /// Whether the requests of its layer wait for the result.
    is_first: bool,
}

/// A request that another holder has claimed.
#[derive(Debug)]
struct HeldRequest {
    look_up: LookUp,
    due: Instant,
}

/// A request whose claim or answer is not settled in the store.
#[derive(Debug)]
struct Kept {
    request: RequestId,
    claim: Option<KeptClaim>,
}

/// A claim that is to be settled.
#[derive(Debug)]
enum KeptClaim {
    /// It may be in the store.
    Intended(ClaimIntent),
    /// This build holds it.
    Granted(SharedClaim),
}

impl KeptClaim {
    fn nonce(&self) -> &str {
        match self {
            Self::Intended(intent) => &intent.nonce,
            Self::Granted(claim) => &claim.nonce,
        }
    }
}

/// The shared answers of a build.
pub(super) struct SharedStage<'a> {
    client: SharedAnswers,
    /// The name of the store in rows.
    name: String,
    store: &'a Store,
    build: BuildId,
    clock: &'a Clock,
    observer: Observer<'a>,
    look_ups: VecDeque<LookUp>,
    settlements: VecDeque<Settlement>,
    in_flight: usize,
    /// The number of first look-ups, by layer.
    looking: BTreeMap<usize, usize>,
    held: Vec<HeldRequest>,
    /// What this build has claimed, or sent while the store was unavailable.
    kept: HashMap<RequestKey, Kept>,
    /// Requests that are being published or released.
    settling: HashSet<RequestId>,
    /// Look-ups of such requests, which wait for the end of that.
    parked: Vec<LookUp>,
    guard: ClaimGuard,
    granted: Vec<ModedRequest>,
    settled: Vec<SettledRequest>,
    /// Until when the store is left alone.
    away_until: Option<Instant>,
    reported_away: bool,
    reported_held: bool,
    /// Answers that another holder paid for, too.
    doubles: u64,
    is_finishing: bool,
    /// Whether anything was asked of the store.
    is_used: bool,
    heartbeats: Option<AbortHandle>,
    sender: UnboundedSender<Finished>,
    finished: UnboundedReceiver<Finished>,
}

impl Drop for SharedStage<'_> {
    fn drop(&mut self) {
        if let Some(heartbeats) = &self.heartbeats {
            heartbeats.abort();
        }
    }
}

impl<'a> SharedStage<'a> {
    /// Opens the shared answers of a build that has no sync call in flight, and settles what earlier commands left.
    pub(super) fn open(
        client: SharedAnswers,
        store: &'a Store,
        build: BuildId,
        clock: &'a Clock,
        observer: Observer<'a>,
    ) -> Result<Self, BuildError> {
        let (sender, finished) = unbounded_channel();
        let mut stage = Self {
            name: client.settings().name.clone(),
            guard: ClaimGuard::new(client.clone()),
            client,
            store,
            build,
            clock,
            observer,
            look_ups: VecDeque::new(),
            settlements: VecDeque::new(),
            in_flight: 0,
            looking: BTreeMap::new(),
            held: Vec::new(),
            kept: HashMap::new(),
            settling: HashSet::new(),
            parked: Vec::new(),
            granted: Vec::new(),
            settled: Vec::new(),
            away_until: None,
            reported_away: false,
            reported_held: false,
            doubles: 0,
            is_finishing: false,
            is_used: false,
            heartbeats: None,
            sender,
            finished,
        };
        stage.sweep()?;
        Ok(stage)
    }

    /// Returns what decides whether a request may still be sent.
    pub(super) fn guard(&self) -> ClaimGuard {
        self.guard.clone()
    }

    /// Takes requests, and returns those that may be sent at once.
    pub(super) fn admit(
        &mut self,
        requests: Vec<ModedRequest>,
    ) -> Result<Vec<ModedRequest>, BuildError> {
        let is_away = self.is_away();
        let (mut ready, mut unclaimed) = (Vec::new(), Vec::new());
        for (queued, mode) in requests {
            // It may be claimed again because an earlier claim was lost.
            self.guard.remove(&queued.key);
            // Another command of this project, or a batch of an earlier one, has claimed it.
            if self.store.in_flight(queued.request)?.is_some() {
                ready.push((queued, mode));
                continue;
            }
            if is_away {
                unclaimed.push((queued.key, queued.request));
                ready.push((queued, mode));
                continue;
            }
            *self.looking.entry(queued.layer).or_default() += 1;
            self.queue_look_up(LookUp {
                intent: None,
                may_be_claimed: false,
                queued,
                mode,
                pause: FIRST_PAUSE,
                is_first: true,
            });
        }
        self.keep_unclaimed(unclaimed)?;
        self.start()?;
        Ok(ready)
    }

    /// Returns the layers that wait for first look-ups. Claims of others are not waited for.
    pub(super) fn looking_layers(&self) -> BTreeSet<usize> {
        self.looking.keys().copied().collect()
    }

    /// Returns whether requests are being looked up, or wait for others.
    pub(super) fn has_pending(&self) -> bool {
        !self.looking.is_empty() || !self.held.is_empty() || self.is_working()
    }

    /// Returns whether operations of the store are in flight.
    pub(super) const fn is_working(&self) -> bool {
        self.in_flight > 0
    }

    /// Returns when requests that others have claimed are looked up again.
    pub(super) fn next_poll(&self) -> Option<Instant> {
        self.held.iter().map(|held| held.due).min()
    }

    /// Returns the requests that were claimed since the last call, or that are sent without a claim.
    pub(super) fn take_granted(&mut self) -> Vec<ModedRequest> {
        std::mem::take(&mut self.granted)
    }

    /// Returns the requests that settled since the last call, because others have their answers.
    pub(super) fn take_settled(&mut self) -> Vec<SettledRequest> {
        std::mem::take(&mut self.settled)
    }

    /// Reports once that the build waits for claims of others.
    pub(super) fn report_waiting(&mut self, holder: String) {
        if self.reported_held {
            return;
        }
        self.reported_held = true;
        (self.observer)(&Event::WaitingForShared {
            url: self.client.settings().name.clone(),
            holder,
        });
    }

    fn is_away(&self) -> bool {
        self.away_until.is_some_and(|until| Instant::now() < until)
    }

    /// Leaves the store alone for a while after an error, and reports it once.
    fn on_error(&mut self, error: &SharedError) {
        self.away_until = Instant::now().checked_add(AWAY_PAUSE);
        if self.reported_away {
            tracing::debug!(error = with_causes(error), "shared answers");
            return;
        }
        self.reported_away = true;
        (self.observer)(&Event::Warning {
            message: format!(
                "shared answers: the build continues without them: {}",
                with_causes(error)
            ),
        });
    }
}
