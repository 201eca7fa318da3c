//! Runs a reader as a native function.

use std::cell::RefCell;

use crate::reading::{File, Reason};
use crate::{Error, ExportedReader, Output, Reader};

/// The bytes of a file, in memory or elsewhere.
pub trait FileBytes {
    /// Returns the size in bytes.
    fn size(&self) -> u64;
    /// Reads up to `length` bytes from `offset`; the result is shorter at the end of the file.
    fn read(&self, offset: u64, length: u32) -> Vec<u8>;
}

impl<B: AsRef<[u8]>> FileBytes for B {
    fn size(&self) -> u64 {
        self.as_ref().len() as u64
    }

    fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        let bytes = self.as_ref();
        let start = usize::try_from(offset).map_or(bytes.len(), |start| start.min(bytes.len()));
        let rest = bytes.get(start..).unwrap_or_default();
        let length = usize::try_from(length).map_or(rest.len(), |length| length.min(rest.len()));
        rest.get(..length).unwrap_or_default().to_vec()
    }
}

/// Something that a reader left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Skipped {
    /// The place that the reader last named.
    pub place: String,
    /// What it left out.
    pub what: String,
    /// Why.
    pub reason: Reason,
}

/// What a reader did with a file.
#[derive(Debug)]
pub struct ReaderRun {
    /// The artifacts, in order.
    pub outputs: Vec<Output>,
    /// What it left out, in order.
    pub skipped: Vec<Skipped>,
    /// What it returned.
    pub result: Result<(), Error>,
}

type Receiver = Box<dyn FnMut(&str, Output)>;

#[derive(Default)]
struct Scene {
    place: String,
    receiver: Option<Receiver>,
    outputs: Vec<Output>,
    skipped: Vec<Skipped>,
}

thread_local! {
    static SCENE: RefCell<Scene> = RefCell::default();
}

/// Runs the reader `R` on a file; `config` is JSON text.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a test hands bytes over as it has them, owned or not"
)]
pub fn read<R: Reader>(name: &str, file: impl FileBytes, config: &str) -> ReaderRun {
    run::<R>(&File::new(name, &file), config, None)
}

/// Runs the reader `R` on a file and passes each artifact on, with the place that it comes from, instead of keeping it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a test hands bytes over as it has them, owned or not"
)]
pub fn read_each<R: Reader>(
    name: &str,
    file: impl FileBytes,
    config: &str,
    receiver: impl FnMut(&str, Output) + 'static,
) -> ReaderRun {
    run::<R>(&File::new(name, &file), config, Some(Box::new(receiver)))
}

fn run<R: Reader>(file: &File<'_>, config: &str, receiver: Option<Receiver>) -> ReaderRun {
    SCENE.replace(Scene {
        receiver,
        ..Scene::default()
    });
    let result = ExportedReader::<R>::run(file, config);
    let scene = SCENE.take();
    ReaderRun {
        outputs: scene.outputs,
        skipped: scene.skipped,
        result,
    }
}

pub(crate) fn at(place: &str) {
    SCENE.with_borrow_mut(|scene| place.clone_into(&mut scene.place));
}

pub(crate) fn emit(output: Output) {
    SCENE.with_borrow_mut(|scene| match &mut scene.receiver {
        Some(receiver) => receiver(&scene.place, output),
        None => scene.outputs.push(output),
    });
}

pub(crate) fn skip(what: &str, reason: Reason) {
    SCENE.with_borrow_mut(|scene| {
        let place = scene.place.clone();
        scene.skipped.push(Skipped {
            place,
            what: what.to_owned(),
            reason,
        });
    });
}
