//! What is known of a file before it is compiled: that it is a component, and that compiling it is bounded.
//!
//! The compiler's cost does not follow from the size of a file: a few bytes can
//! instantiate a component 2³⁰ times, or ask for a table of jumps that carry
//! hundreds of values each. [`check`] reads the header alone, [`measure`] counts
//! everything that multiplies. Both give the same answer on every machine.

mod component;
mod function;
mod module;

use wasmparser::{BinaryReaderError, Parser, Payload};

use self::component::Scope;
use self::module::Module;
use super::error::Fault;

/// The largest component that is compiled.
pub(super) const COMPONENT_BYTES: usize = 64 << 20;
/// How deep components may stand in components.
const NESTING: usize = 32;

/// A rule of size that a component breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot be compiled: it has {found} {what}; {limit} are allowed")]
pub struct TooComplex {
    /// What there is too much of.
    pub what: &'static str,
    /// How much was counted when the check ended.
    pub found: u64,
    /// The limit.
    pub limit: u64,
}

/// Adds to a count and refuses what goes beyond its limit.
fn count(so_far: &mut u64, more: u64, limit: u64, what: &'static str) -> Result<(), Stop> {
    *so_far = so_far.saturating_add(more);
    if *so_far <= limit {
        return Ok(());
    }
    Err(Stop::Complex(TooComplex {
        what,
        found: *so_far,
        limit,
    }))
}

/// Why the count ends early.
enum Stop {
    Complex(TooComplex),
    TooDeep,
    Broken(BinaryReaderError),
}

impl From<BinaryReaderError> for Stop {
    fn from(error: BinaryReaderError) -> Self {
        Self::Broken(error)
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Complex(complex) => Self::TooComplex(complex),
            Stop::TooDeep => Self::Corrupt {
                detail: "components are nested too deeply".to_owned(),
            },
            Stop::Broken(error) => Self::Corrupt {
                detail: error.to_string(),
            },
        }
    }
}

/// Tells a component from a core module and from anything else by its first eight bytes.
pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    if bytes.len() > COMPONENT_BYTES {
        return Err(Fault::TooLarge {
            bytes: bytes.len(),
            limit: COMPONENT_BYTES,
        });
    }
    match bytes {
        [b'\0', b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [b'\0', b'a', b's', b'm', _, _, 0, 0, ..] => Err(Fault::CoreModule),
        [b'\0', b'a', b's', b'm', ..] => Err(Fault::Corrupt {
            detail: "unknown kind of wasm file".to_owned(),
        }),
        _ => Err(Fault::NotWasm),
    }
}

/// Counts what compiling the component would have to deal with, and refuses what is beyond all reason.
///
/// What is wrong with the component otherwise is for the compiler to say.
pub(super) fn measure(bytes: &[u8]) -> Result<(), Fault> {
    Ok(walk(bytes)?)
}

/// A component or module that is being read.
enum Frame {
    Component(Box<Scope>),
    Module(Box<Module>),
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other section belongs to the module or component that is being read"
)]
fn walk(bytes: &[u8]) -> Result<(), Stop> {
    let mut totals = Totals::default();
    let mut frames: Vec<Frame> = Vec::new();
    let mut next = Frame::Component(Box::default());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version { .. } => {
                let opened = std::mem::replace(&mut next, Frame::Component(Box::default()));
                frames.push(opened);
                // The file itself is the first.
                if frames.len() > NESTING + 1 {
                    return Err(Stop::TooDeep);
                }
            }
            Payload::ModuleSection { .. } => next = Frame::Module(Box::default()),
            Payload::ComponentSection { .. } => next = Frame::Component(Box::default()),
            Payload::End(_) => match frames.pop() {
                Some(Frame::Module(module)) => {
                    if let Some(Frame::Component(around)) = frames.last_mut() {
                        around.add_module(module.needs());
                    }
                }
                Some(Frame::Component(scope)) => {
                    let cost = scope.cost();
                    if let Some(Frame::Component(around)) = frames.last_mut() {
                        around.add_component(cost);
                    }
                }
                None => {}
            },
            other => match frames.last_mut() {
                Some(Frame::Module(module)) => module.take(other, &mut totals)?,
                Some(Frame::Component(_)) => {
                    // Outer aliases look into the scopes around.
                    component::take(&mut frames, other)?;
                }
                None => {}
            },
        }
    }
    Ok(())
}

/// What all modules of a file have together, whether they are instantiated or not: all are compiled.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Totals {
    functions: u64,
    /// Imports, exports and globals.
    items: u64,
    memories: u64,
    tables: u64,
    /// Entries of element segments.
    elements: u64,
    /// Instructions and the values that they pass on.
    weight: u64,
    /// Locals times loops.
    spread: u64,
    /// Locals times branches.
    pairs: u64,
}

#[cfg(test)]
mod tests;
