//! The settings of shared answers, and the clock that leases are measured by.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How shared answers are used.
#[derive(Debug, Clone)]
pub struct SharedSettings {
    /// The URL of the store for messages, without credentials.
    pub name: String,
    /// The namespace; see [`crate::is_namespace`].
    pub namespace: String,
    /// Whether answers are only read: nothing is claimed, written or deleted.
    pub read_only: bool,
    /// How long a claim lives after the last heartbeat of its holder.
    pub lease: Duration,
    /// A text that tells people who holds a claim, such as the host and process. It is stored in claims.
    pub holder_label: String,
}

/// A monotonic clock. Leases never depend on the time of day.
pub trait Monotonic: Send + Sync + fmt::Debug {
    /// Returns the time since an arbitrary start.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The monotonic clock of the system, with the timers of tokio.
#[derive(Debug)]
pub struct SystemMonotonic {
    start: Instant,
    /// How much the clock advances in 8 units of the system's.
    eighths: u32,
}

impl SystemMonotonic {
    /// Returns a clock that starts now.
    pub fn new() -> Arc<Self> {
        Self::at_rate(8)
    }

    /// Returns a clock that is too fast or too slow, for tests: it advances by so many eighths of the time.
    pub fn at_rate(eighths: u32) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            eighths: eighths.max(1),
        })
    }
}

impl Monotonic for SystemMonotonic {
    fn now(&self) -> Duration {
        self.start.elapsed() * self.eighths / 8
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration * 8 / self.eighths))
    }
}
