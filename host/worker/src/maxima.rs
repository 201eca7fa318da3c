//! The limits that the owner of a worker sets for the units of all builds.

use std::time::Duration;

use synix_units::WireLimits;

/// The highest limits that a chunk may set for its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maxima {
    /// The time of a run.
    pub wall: Duration,
    /// The instructions of a run.
    pub fuel: u64,
    /// The memory of a run, and the size of its outputs.
    pub memory_bytes: u64,
}

impl Default for Maxima {
    /// Returns what a build on one machine allows, unless its user has set something else.
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(900),
            fuel: 1_000_000_000_000,
            memory_bytes: 1 << 30,
        }
    }
}

/// A chunk sets a higher limit than the worker allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a layer asks for {asked} as `{key}`, but this worker allows {allowed}; its owner can allow more with {variable}"
)]
pub struct MaximumExceeded {
    /// The key in `[layers.NAME.limits]`.
    pub key: &'static str,
    /// What the layer asks for.
    pub asked: u64,
    /// What the worker allows.
    pub allowed: u64,
    /// The variable with which the worker allows more.
    pub variable: &'static str,
}

impl Maxima {
    /// Refuses limits that are higher.
    pub(crate) fn check(&self, limits: &WireLimits) -> Result<(), MaximumExceeded> {
        let (memory, mebi) = (self.memory_bytes, |bytes: u64| bytes.div_ceil(1 << 20));
        let seconds = |millis: u64| millis.div_ceil(1000);
        let wall_ms = u64::try_from(self.wall.as_millis()).unwrap_or(u64::MAX);
        let checks = [
            (
                "wall_s",
                seconds(limits.wall_ms),
                seconds(wall_ms),
                "SYNIX_MAX_WALL",
            ),
            ("fuel", limits.fuel, self.fuel, "SYNIX_MAX_FUEL"),
            (
                "memory_mb",
                mebi(limits.memory_bytes),
                mebi(memory),
                "SYNIX_MAX_MEMORY",
            ),
            // No key sets what a guest may pass to the host; its default is 64 MiB.
            (
                "memory_mb",
                mebi(limits.hostcall_bytes),
                mebi(memory).max(64),
                "SYNIX_MAX_MEMORY",
            ),
            (
                "output_mb",
                mebi(limits.output_bytes),
                mebi(memory),
                "SYNIX_MAX_MEMORY",
            ),
        ];
        for (key, asked, allowed, variable) in checks {
            if asked > allowed {
                return Err(MaximumExceeded {
                    key,
                    asked,
                    allowed,
                    variable,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_a_maximum() {
        let maxima = Maxima {
            wall: Duration::from_secs(10),
            fuel: 1000,
            memory_bytes: 64 << 20,
        };
        let allowed = WireLimits {
            fuel: 1000,
            memory_bytes: 64 << 20,
            wall_ms: 10_000,
            hostcall_bytes: 64 << 20,
            output_bytes: 64 << 20,
            requests: u32::MAX,
            tokens: None,
        };
        assert_eq!(maxima.check(&allowed), Ok(()));
        let with = |change: fn(&mut WireLimits)| {
            let mut limits = allowed;
            change(&mut limits);
            maxima.check(&limits).unwrap_err().key
        };
        assert_eq!(with(|limits| limits.fuel += 1), "fuel");
        assert_eq!(with(|limits| limits.wall_ms += 1), "wall_s");
        assert_eq!(with(|limits| limits.memory_bytes += 1), "memory_mb");
        assert_eq!(with(|limits| limits.hostcall_bytes += 1), "memory_mb");
        assert_eq!(with(|limits| limits.output_bytes += 1), "output_mb");
    }
}
