//! The heartbeats of this client, and whether its claims survived.
//!
//! A holder that could not write a heartbeat for three quarters of a lease may be taken for dead by others. From then on
//! this client has another id: its earlier claims of mode `call` are lost, whatever others saw.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Inner, lock};
use crate::documents::{heartbeat_bytes, random_text};
use crate::error::SharedError;
use crate::objects::{ObjectsError, ObjectsErrorKind};
use crate::paths::holder_id;

/// The heartbeats of a client.
#[derive(Debug)]
pub(super) struct Holder {
    label: String,
    state: Mutex<HolderState>,
    /// Only one heartbeat is written at a time, and none while this client leaves.
    writing: tokio::sync::Mutex<()>,
    /// How often this client has left.
    departures: AtomicU64,
}

#[derive(Debug, Clone)]
struct HolderState {
    id: String,
    /// The number of the next heartbeat.
    next: u64,
    /// When the call of the newest heartbeat that is in the store began.
    newest: Option<Duration>,
}

impl HolderState {
    fn new(label: &str) -> Result<Self, SharedError> {
        Ok(Self {
            id: holder_id(label, &random_text()?),
            next: 1,
            newest: None,
        })
    }
}

impl Holder {
    pub(super) fn new(label: &str) -> Result<Self, SharedError> {
        Ok(Self {
            label: label.to_owned(),
            state: Mutex::new(HolderState::new(label)?),
            writing: tokio::sync::Mutex::default(),
            departures: AtomicU64::new(0),
        })
    }
}

impl Inner {
    /// Returns whether this client has a heartbeat that nobody can take for the last of a dead holder.
    fn is_fresh(&self, newest: Option<Duration>) -> bool {
        let lasts = self.settings.lease / 4 * 3;
        newest.is_some_and(|newest| self.clock.now().saturating_sub(newest) < lasts)
    }

    /// Returns whether this client is the holder `id`, and had no gap.
    pub(super) fn holds_as(&self, id: &str) -> bool {
        let state = lock(&self.holder.state);
        state.id == id && self.is_fresh(state.newest)
    }

    /// Returns the id of this client, which may have no heartbeat.
    pub(super) fn holder_id(&self) -> String {
        lock(&self.holder.state).id.clone()
    }

    /// Returns the id of this client, after it wrote a heartbeat if there was no fresh one.
    pub(super) async fn live_holder(&self) -> Result<String, SharedError> {
        let fresh = || {
            let state = lock(&self.holder.state);
            self.is_fresh(state.newest).then(|| state.id.clone())
        };
        if let Some(id) = fresh() {
            return Ok(id);
        }
        let _writing = self.holder.writing.lock().await;
        if let Some(id) = fresh() {
            return Ok(id);
        }
        self.write_heartbeat().await
    }

    /// Writes one heartbeat and returns the id of the holder.
    async fn write_heartbeat(&self) -> Result<String, SharedError> {
        let began = self.clock.now();
        let (id, number) = {
            let mut state = lock(&self.holder.state);
            if state.newest.is_some() && !self.is_fresh(state.newest) {
                *state = HolderState::new(&self.holder.label)?;
            }
            let number = state.next;
            state.next += 1;
            (state.id.clone(), number)
        };
        // The id is ours alone, so an object that exists was created by a call whose reply was lost.
        let path = self.paths.heartbeat(&id, number);
        self.create(&path, heartbeat_bytes(&id)).await?;
        let has_gap = {
            let mut state = lock(&self.holder.state);
            let has_gap = state.newest.is_some() && !self.is_fresh(state.newest);
            if !has_gap {
                state.newest = Some(began);
            }
            has_gap
        };
        if has_gap {
            // It was perhaps too late for those who waited for it. The next call starts as another holder.
            return Err(self.late_heartbeat(path));
        }
        self.delete_earlier_heartbeats(&id, number).await;
        Ok(id)
    }

    fn late_heartbeat(&self, path: String) -> SharedError {
        self.failed(ObjectsError {
            kind: ObjectsErrorKind::Unavailable,
            operation: "create",
            path,
            advice: None,
            source: Some("the reply came too late".into()),
        })
    }

    /// Deletes what a new heartbeat replaces. What remains after an error is deleted after the next one.
    async fn delete_earlier_heartbeats(&self, id: &str, number: u64) {
        let Ok(infos) = self.list(&self.paths.heartbeats(id)).await else {
            return;
        };
        for info in infos {
            let parsed = self.paths.parse_heartbeat(&info.path);
            if parsed.is_some_and(|(_, earlier)| earlier < number)
                && self.delete(&info.path).await.is_err()
            {
                return;
            }
        }
    }

    pub(super) async fn keep_alive(&self) {
        let lease = self.settings.lease;
        if self.settings.read_only {
            return std::future::pending().await;
        }
        let departures = || self.holder.departures.load(Ordering::Acquire);
        let before = departures();
        loop {
            let began = self.clock.now();
            let written = {
                let _writing = self.holder.writing.lock().await;
                if departures() != before {
                    return;
                }
                self.write_heartbeat().await
            };
            let pause = if written.is_ok() {
                self.settle_claims().await;
                lease / 3
            } else {
                lease / 12
            };
            let spent = self.clock.now().saturating_sub(began);
            self.clock.sleep(pause.saturating_sub(spent)).await;
        }
    }

    pub(super) async fn leave(&self) -> Result<(), SharedError> {
        if self.settings.read_only {
            return Ok(());
        }
        self.settle_claims().await;
        let _writing = self.holder.writing.lock().await;
        self.holder.departures.fetch_add(1, Ordering::Release);
        let id = {
            // Whoever continues after this is another holder.
            let next = HolderState::new(&self.holder.label)?;
            std::mem::replace(&mut *lock(&self.holder.state), next).id
        };
        for info in self.list(&self.paths.heartbeats(&id)).await? {
            self.delete(&info.path).await?;
        }
        Ok(())
    }
}
