//! Waits on a thread without an async runtime.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for `time`, or until `cancelled`.
pub(super) fn wait(time: Duration, cancelled: &CancellationToken) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut is_cancelled = pin!(cancelled.cancelled());
    let start = Instant::now();
    while is_cancelled.as_mut().poll(&mut context).is_pending() {
        let Some(left) = time.checked_sub(start.elapsed()) else {
            return;
        };
        if left.is_zero() {
            return;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_it_is_cancelled() {
        let cancelled = CancellationToken::new();
        thread::scope(|scope| {
            let waits = scope.spawn(|| wait(Duration::MAX, &cancelled));
            cancelled.cancel();
            waits.join().unwrap();
        });
        wait(Duration::ZERO, &CancellationToken::new());
    }
}
