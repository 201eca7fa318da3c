//! Status and garbage collection.

use std::collections::BTreeMap;
use std::time::Duration;

use synix_core::causes::with_causes;
use synix_core::clock::Timestamp;
use synix_core::request::{Ending, RequestKey};

use super::operations::Read;
use super::{GcReport, HeldBy, Inner, Lease, SharedStatus, lock};
use crate::documents::ClaimMode;
use crate::error::SharedError;
use crate::objects::ObjectInfo;

/// The heartbeats of a holder are deleted after this time by the store's clock. Any lease is much shorter.
const HOLDER_IS_GONE: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest number of claims that a status reads.
const MAX_LEASES: usize = 1000;

/// The last claim on a request.
#[derive(Clone, Copy)]
struct LastClaim {
    generation: u64,
    modified: Timestamp,
}

impl Inner {
    pub(super) async fn status(&self) -> SharedStatus {
        let (leases, unreachable) = match self.leases().await {
            Ok(leases) => (leases, None),
            Err(SharedError::Store { source, .. }) => (Vec::new(), Some(with_causes(&source))),
            Err(error) => (Vec::new(), Some(with_causes(&error))),
        };
        SharedStatus {
            url: self.settings.name.clone(),
            namespace: self.settings.namespace.clone(),
            unreachable,
            leases,
            damaged: std::mem::take(&mut *lock(&self.damaged)),
        }
    }

    async fn leases(&self) -> Result<Vec<Lease>, SharedError> {
        let mut claims: Vec<_> = self.last_claims().await?.into_iter().collect();
        claims.sort_unstable_by_key(|(key, last)| (last.modified, *key));
        let heartbeats = self.newest_heartbeats(&self.list(&self.paths.all_holders()).await?);
        let mut leases = Vec::new();
        for (key, last) in claims {
            if leases.len() == MAX_LEASES {
                break;
            }
            let held_by = match self.read_claim(key, last.generation).await? {
                Read::Absent => continue,
                Read::Found(document) if document.released => continue,
                Read::Found(document) => HeldBy {
                    holder: document.holder,
                    mode: document.mode,
                    since: last.modified,
                },
                Read::Damaged => HeldBy {
                    holder: "unknown".to_owned(),
                    mode: ClaimMode::Batch,
                    since: last.modified,
                },
            };
            if self.is_answered(key).await? {
                continue;
            }
            let last_heartbeat = heartbeats.get(&held_by.holder).copied();
            leases.push(Lease {
                key,
                held_by,
                last_heartbeat,
            });
        }
        Ok(leases)
    }

    /// Returns the time of the newest heartbeat of each holder.
    fn newest_heartbeats(&self, infos: &[ObjectInfo]) -> BTreeMap<String, Timestamp> {
        let mut newest: BTreeMap<String, Timestamp> = BTreeMap::new();
        for info in infos {
            if let Some((holder, _)) = self.paths.parse_heartbeat(&info.path) {
                let time = newest.entry(holder.to_owned()).or_insert(info.modified);
                *time = info.modified.max(*time);
            }
        }
        newest
    }

    async fn last_claims(&self) -> Result<BTreeMap<RequestKey, LastClaim>, SharedError> {
        let mut last: BTreeMap<RequestKey, LastClaim> = BTreeMap::new();
        for info in self.list(&self.paths.all_claims()).await? {
            let Some((key, generation)) = self.paths.parse_claim(&info.path) else {
                continue;
            };
            let found = LastClaim {
                generation,
                modified: info.modified,
            };
            let known = last.entry(key).or_insert(found);
            if known.generation < generation {
                *known = found;
            }
        }
        Ok(last)
    }

    pub(super) async fn is_answered(&self, key: RequestKey) -> Result<bool, SharedError> {
        let read = self.read_answer_object(key, Ending::Complete).await?;
        Ok(matches!(read, Read::Found(_)))
    }

    pub(super) async fn collect_garbage(&self) -> Result<GcReport, SharedError> {
        let mut report = GcReport::default();
        if self.settings.read_only {
            return Ok(report);
        }
        // The claims are listed before the answers are read: claims of a request are never in use after its answer.
        let mut claims: BTreeMap<RequestKey, Vec<String>> = BTreeMap::new();
        for info in self.list(&self.paths.all_claims()).await? {
            if let Some((key, _)) = self.paths.parse_claim(&info.path) {
                claims.entry(key).or_default().push(info.path);
            }
        }
        for (key, paths) in claims {
            if !self.is_answered(key).await? {
                report.retained += paths.len() as u64;
                continue;
            }
            for path in paths {
                self.delete(&path).await?;
                report.claims += 1;
            }
        }
        report.heartbeats = self.delete_gone_holders().await?;
        Ok(report)
    }

    async fn delete_gone_holders(&self) -> Result<u64, SharedError> {
        // The own heartbeat is in the list, so the time of the store is known.
        self.live_holder().await?;
        let infos = self.list(&self.paths.all_holders()).await?;
        let newest = self.newest_heartbeats(&infos);
        let mut deleted = 0;
        for info in infos {
            let holder = self
                .paths
                .parse_heartbeat(&info.path)
                .map(|(holder, _)| holder);
            let last = holder.and_then(|holder| newest.get(holder));
            if last.is_some_and(|last| self.is_older(*last, HOLDER_IS_GONE)) {
                self.delete(&info.path).await?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}
