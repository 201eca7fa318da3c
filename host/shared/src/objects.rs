//! The operations that shared answers need of an object store.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use synix_core::clock::Timestamp;

/// The future of an operation. It is boxed so that [`Objects`] can be a trait object.
pub type Operation<'a, T> = Pin<Box<dyn Future<Output = Result<T, ObjectsError>> + Send + 'a>>;

/// An object store with strong consistency: an operation sees every operation that ended before it began.
///
/// A path has segments of ASCII letters, digits, `-`, `_` and `.`, separated by `/`.
pub trait Objects: Send + Sync + fmt::Debug {
    /// Returns the bytes of the object, or `None` if there is none.
    ///
    /// An object of more than `max_bytes` is an error of the kind [`ObjectsErrorKind::TooLarge`].
    fn get<'a>(&'a self, path: &'a str, max_bytes: u64) -> Operation<'a, Option<Vec<u8>>>;

    /// Creates the object; never overwrites one.
    ///
    /// After an error the object may exist nevertheless. An implementation that repeats the call after a lost reply may
    /// report [`Creation::Exists`] for an object that it created itself, so the caller compares the contents.
    fn create<'a>(&'a self, path: &'a str, bytes: Vec<u8>) -> Operation<'a, Creation>;

    /// Returns all objects whose path begins with `prefix`, which ends with `/`.
    fn list<'a>(&'a self, prefix: &'a str) -> Operation<'a, Vec<ObjectInfo>>;

    /// Deletes the object. It is no error if there is none.
    fn delete<'a>(&'a self, path: &'a str) -> Operation<'a, ()>;
}

/// The outcome of a call that creates an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// The object was created.
    Created,
    /// There is an object at this path already. It is unchanged.
    Exists,
}

/// An object in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// The complete path.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The time of the last change, by the clock of the store.
    pub modified: Timestamp,
}

/// The kind of an error of an object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectsErrorKind {
    /// The store did not reply, or replied that it cannot answer now. A retry may succeed.
    Unavailable,
    /// The store refused the credentials, or the credentials do not permit the operation.
    Denied,
    /// The store or its settings do not permit what synix needs, such as a bucket that does not exist.
    Unusable,
    /// The object exceeds the permitted size.
    TooLarge,
}

/// An operation of an object store failed. Contains no credential.
#[derive(Debug)]
pub struct ObjectsError {
    /// The kind of the error.
    pub kind: ObjectsErrorKind,
    /// What was attempted, such as `read`.
    pub operation: &'static str,
    /// The path of the object, or the prefix of the list.
    pub path: String,
    /// What the user can do about it, if more is known than the source says.
    pub advice: Option<&'static str>,
    /// The cause.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl ObjectsError {
    /// Returns whether a retry may succeed.
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, ObjectsErrorKind::Unavailable)
    }
}

impl fmt::Display for ObjectsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.kind {
            ObjectsErrorKind::Unavailable => "the store is unavailable",
            ObjectsErrorKind::Denied => "the store denied access",
            ObjectsErrorKind::Unusable => "the store is unusable",
            ObjectsErrorKind::TooLarge => "the object is too large",
        };
        write!(f, "cannot {} `{}`: {reason}", self.operation, self.path)?;
        self.advice.map_or(Ok(()), |advice| write!(f, "; {advice}"))
    }
}

impl Error for ObjectsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
