//! Checks a file before it is compiled: it must be a component, and compiling it must not be too expensive.
//!
//! The size of a file does not bound the cost of compiling it: a few bytes can instantiate a component 2³⁰ times, or
//! make a jump table whose entries carry hundreds of values each. [`check_header`] reads only the header.
//! [`check_complexity`] counts everything that can multiply. Both return the same result on every machine.

mod component;
mod function;
mod module;

use wasmparser::{BinaryReaderError, Parser, Payload};

use self::component::Scope;
use self::module::Module;
use super::fault::Fault;

/// The largest component that is compiled.
pub(super) const COMPONENT_BYTES: usize = 64 << 20;
/// The maximum depth of nested components.
const NESTING: usize = 32;

/// The limit that a component exceeds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot be compiled: it has {found} {what}; {limit} are allowed")]
pub struct TooComplex {
    /// The counted thing, in the plural.
    pub what: &'static str,
    /// The count when the check ended.
    pub found: u64,
    /// The limit.
    pub limit: u64,
}

/// Adds to a count, and fails if it exceeds its limit.
fn count(total: &mut u64, more: u64, limit: u64, what: &'static str) -> Result<(), CountError> {
    *total = total.saturating_add(more);
    if *total <= limit {
        return Ok(());
    }
    Err(CountError::Complex(TooComplex {
        what,
        found: *total,
        limit,
    }))
}

/// Why the count ended early.
enum CountError {
    Complex(TooComplex),
    TooDeep,
    Malformed(BinaryReaderError),
}

impl From<BinaryReaderError> for CountError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error)
    }
}

impl From<CountError> for Fault {
    fn from(stop: CountError) -> Self {
        match stop {
            CountError::Complex(complex) => Self::TooComplex(complex),
            CountError::TooDeep => Self::Corrupt {
                detail: "components are nested too deeply".to_owned(),
            },
            CountError::Malformed(error) => Self::Corrupt {
                detail: error.to_string(),
            },
        }
    }
}

/// Checks by its first eight bytes that a file is a component.
pub(super) fn check_header(bytes: &[u8]) -> Result<(), Fault> {
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

/// Refuses a component that would be far too expensive to compile. The compiler reports all other errors in it.
pub(super) fn check_complexity(bytes: &[u8]) -> Result<(), Fault> {
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
fn walk(bytes: &[u8]) -> Result<(), CountError> {
    let mut totals = Totals::default();
    let mut frames: Vec<Frame> = Vec::new();
    let mut next = Frame::Component(Box::default());
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        match &payload {
            Payload::Version { .. } => {
                let opened = std::mem::replace(&mut next, Frame::Component(Box::default()));
                frames.push(opened);
                // The file itself is the outermost frame.
                if frames.len() > NESTING + 1 {
                    return Err(CountError::TooDeep);
                }
            }
            Payload::ModuleSection { .. } => next = Frame::Module(Box::default()),
            Payload::ComponentSection { .. } => next = Frame::Component(Box::default()),
            Payload::End(_) => match frames.pop() {
                Some(Frame::Module(module)) => {
                    if let Some(Frame::Component(outer)) = frames.last_mut() {
                        outer.add_module(module.resources());
                    }
                }
                Some(Frame::Component(scope)) => {
                    let cost = scope.cost();
                    if let Some(Frame::Component(outer)) = frames.last_mut() {
                        outer.add_component(cost);
                    }
                }
                None => {}
            },
            other => match frames.last_mut() {
                Some(Frame::Module(module)) => module.count_section(other, &mut totals)?,
                Some(Frame::Component(_)) => {
                    // An outer alias refers to an enclosing scope.
                    component::count_section(&mut frames, other)?;
                }
                None => {}
            },
        }
    }
    Ok(())
}

/// The totals of all modules of a file, instantiated or not: all of them are compiled.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Totals {
    functions: u64,
    /// Imports, exports and globals.
    items: u64,
    memories: u64,
    tables: u64,
    /// Entries of element segments.
    elements: u64,
    /// Instructions plus the values that they carry.
    weight: u64,
    /// Locals times loops.
    local_loops: u64,
    /// Locals times branches.
    local_branches: u64,
}

#[cfg(test)]
mod tests;
