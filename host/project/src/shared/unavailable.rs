//! The store in a folder that does not exist now, such as a network share that is not mounted.

#![cfg_attr(
    not(feature = "shared"),
    allow(dead_code, reason = "only `open` uses it")
)]

use std::error::Error;

use synix_core::causes::with_causes;
use synix_shared::{Creation, ObjectInfo, Objects, ObjectsError, ObjectsErrorKind, Operation};

/// Objects whose every operation fails with the same reason.
#[derive(Debug)]
pub(super) struct UnavailableObjects {
    reason: String,
}

impl UnavailableObjects {
    pub(super) fn new(error: &dyn Error) -> Self {
        Self {
            reason: with_causes(error),
        }
    }

    fn fail<T>(&self, operation: &'static str, path: &str) -> Operation<'_, T>
    where
        T: Send + 'static,
    {
        let error = ObjectsError {
            kind: ObjectsErrorKind::Unavailable,
            operation,
            path: path.to_owned(),
            advice: None,
            source: Some(self.reason.clone().into()),
        };
        Box::pin(std::future::ready(Err(error)))
    }
}

impl Objects for UnavailableObjects {
    fn get<'a>(&'a self, path: &'a str, _: u64) -> Operation<'a, Option<Vec<u8>>> {
        self.fail("read", path)
    }

    fn create<'a>(&'a self, path: &'a str, _: Vec<u8>) -> Operation<'a, Creation> {
        self.fail("create", path)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>> {
        self.fail("list", prefix)
    }

    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()> {
        self.fail("delete", path)
    }
}
