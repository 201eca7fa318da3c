//! The end of the heartbeats, while one is being written.

use super::*;
use crate::objects::{Creation, ObjectInfo, Operation};

/// A store in which each call that creates an object waits once before its effect.
#[derive(Debug)]
struct SlowToCreate(Arc<MemoryObjects>);

impl Objects for SlowToCreate {
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64) -> Operation<'a, Option<Vec<u8>>> {
        self.0.get(path, max_bytes)
    }

    fn create<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> Operation<'a, Creation> {
        Box::pin(async move {
            let mut has_waited = false;
            std::future::poll_fn(|_| {
                if std::mem::replace(&mut has_waited, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            self.0.create(path, bytes).await
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>> {
        self.0.list(prefix)
    }

    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()> {
        self.0.delete(path)
    }
}

/// The store creates an object although the caller stopped waiting for it, so the caller must not stop.
#[test]
fn a_client_that_leaves_deletes_the_heartbeat_that_it_is_writing() {
    let bench = Bench::new();
    let settings = bench.client("a").settings().clone();
    let store = Arc::new(SlowToCreate(Arc::clone(&bench.store)));
    let a = SharedAnswers::with_clock(store, settings, bench.clock.clone()).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let mut beats = Box::pin(a.keep_alive());
    assert!(beats.as_mut().poll(&mut context).is_pending());
    let mut leave = Box::pin(a.leave());
    assert!(leave.as_mut().poll(&mut context).is_pending());
    let mut late_beats = Box::pin(a.keep_alive());
    assert!(late_beats.as_mut().poll(&mut context).is_pending());
    // The sleep until the next heartbeat never ends.
    assert!(beats.as_mut().poll(&mut context).is_pending());
    assert_eq!(bench.paths().len(), 1);
    assert!(leave.as_mut().poll(&mut context).is_ready());
    assert_eq!(bench.paths(), [] as [String; 0]);
    assert!(late_beats.as_mut().poll(&mut context).is_ready());
    assert_eq!(bench.paths(), [] as [String; 0]);
}
