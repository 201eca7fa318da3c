//! Follows the record of a build: finds what has settled since it last looked, a page at a time.
//!
//! Calls that are in flight are at most as many as the build makes at once, so their numbers are kept. The rows of a
//! batch may be a million, so they are read when the batch is settled.

use std::collections::{BTreeMap, BTreeSet};

use synix_store::{
    AttemptId, BuildId, Reader, SendOutcome, SendSelection, StoreError, Submission, SubmissionId,
    TimedSend, TimedUnit,
};

use crate::queue::{Queue, SettledUnit};

/// The maximum number of sends or units in a page.
pub(crate) const PAGE: usize = 256;

/// Something that settled.
#[derive(Debug)]
pub(crate) enum Settled {
    Send(Box<TimedSend>),
    /// A unit of the layer at this position.
    Unit(SettledUnit, TimedUnit),
    Submission(Box<Submission>),
}

/// How far the record of a build was read.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) reader: Reader,
    build: BuildId,
    /// No later sync call was seen.
    newest: AttemptId,
    /// Earlier sync calls that were in flight.
    open: BTreeSet<AttemptId>,
    /// Submissions that are not reported, with the last row that was.
    submissions: BTreeMap<SubmissionId, AttemptId>,
    /// No later submission was seen.
    newest_submission: Option<SubmissionId>,
}

impl Follower {
    /// Starts after what has settled by now. The process that saw it settle has reported it.
    pub(crate) fn new(reader: Reader, build: BuildId) -> Result<Self, StoreError> {
        let newest = reader.newest_attempt()?;
        let mut open = BTreeSet::new();
        if let Some(oldest) = reader.oldest_open_call(build)? {
            let mut after = AttemptId(oldest.0 - 1);
            loop {
                let page = sync_calls(&reader, build, after)?;
                let Some(last) = page.last() else { break };
                after = last.attempt;
                open.extend(
                    page.iter()
                        .filter(|send| is_open(send))
                        .map(|send| send.attempt),
                );
            }
        }
        let all = reader.submissions_of(build)?;
        let unsettled = all
            .iter()
            .filter(|submission| submission.state.is_unsettled());
        Ok(Self {
            submissions: unsettled.map(|one| (one.id, AttemptId(0))).collect(),
            newest_submission: all.last().map(|last| last.id),
            reader,
            build,
            newest,
            open,
        })
    }

    /// Returns the next page; an empty one if nothing else has settled yet.
    pub(crate) fn next_page(
        &mut self,
        queue: &Queue,
        layers: &[String],
    ) -> Result<Vec<Settled>, StoreError> {
        let mut page = self.settled_calls()?;
        if page.is_empty() {
            page = self.new_calls()?;
        }
        if page.is_empty() {
            page = self.settled_submission()?;
        }
        if page.is_empty() {
            page = self.settled_units(queue, layers)?;
        }
        Ok(page)
    }

    /// Returns calls that were in flight and are not any more.
    fn settled_calls(&mut self) -> Result<Vec<Settled>, StoreError> {
        let selection = SendSelection::SyncCallsOf(self.build);
        let mut page = Vec::new();
        for attempt in self.open.clone() {
            let found = self
                .reader
                .timed_sends(selection, AttemptId(attempt.0 - 1), 1)?
                .pop()
                .filter(|send| send.attempt == attempt);
            match found {
                Some(send) if is_open(&send) => continue,
                Some(send) => page.push(Settled::Send(Box::new(send))),
                None => {}
            }
            self.open.remove(&attempt);
        }
        Ok(page)
    }

    fn new_calls(&mut self) -> Result<Vec<Settled>, StoreError> {
        loop {
            // Read before the page: a call that is added in between is in the next one.
            let newest = self.reader.newest_attempt()?;
            let sends = sync_calls(&self.reader, self.build, self.newest)?;
            let is_last = sends.len() < PAGE;
            if let Some(last) = sends.last() {
                self.newest = last.attempt;
            }
            if is_last {
                // Rows of batches are not read again and again.
                self.newest = self.newest.max(newest);
            }
            let (open, settled): (Vec<_>, Vec<_>) = sends.into_iter().partition(is_open);
            self.open.extend(open.iter().map(|send| send.attempt));
            if !settled.is_empty() || is_last {
                let sends = settled.into_iter();
                return Ok(sends.map(|send| Settled::Send(Box::new(send))).collect());
            }
        }
    }

    /// Returns rows of a submission that is settled, and at last the submission.
    fn settled_submission(&mut self) -> Result<Vec<Settled>, StoreError> {
        for submission in self.reader.submissions_of(self.build)? {
            if self.newest_submission < Some(submission.id) {
                self.newest_submission = Some(submission.id);
                self.submissions.insert(submission.id, AttemptId(0));
            }
            let Some(after) = self.submissions.get_mut(&submission.id) else {
                continue;
            };
            if submission.state.is_unsettled() {
                continue;
            }
            let rows = SendSelection::RowsOf(submission.id);
            let sends = self.reader.timed_sends(rows, *after, PAGE as u64)?;
            let is_last = sends.len() < PAGE;
            if let Some(last) = sends.last() {
                *after = last.attempt;
            }
            let settled = sends.into_iter().filter(|send| !is_open(send));
            let mut page: Vec<Settled> =
                settled.map(|send| Settled::Send(Box::new(send))).collect();
            if is_last {
                self.submissions.remove(&submission.id);
                page.push(Settled::Submission(Box::new(submission)));
            }
            return Ok(page);
        }
        Ok(Vec::new())
    }

    fn settled_units(&self, queue: &Queue, layers: &[String]) -> Result<Vec<Settled>, StoreError> {
        let mut page = Vec::new();
        let mut early = Vec::new();
        for unit in queue.take(PAGE) {
            if unit.0 >= layers.len() {
                continue;
            }
            match self.reader.timed_unit(self.build, unit.0, &unit.1)? {
                Some(times) => page.push(Settled::Unit(unit, times)),
                // Its transaction is not committed yet.
                None => early.push(unit),
            }
        }
        for unit in early.into_iter().rev() {
            queue.give_back(unit);
        }
        Ok(page)
    }
}

fn sync_calls(
    reader: &Reader,
    build: BuildId,
    after: AttemptId,
) -> Result<Vec<TimedSend>, StoreError> {
    reader.timed_sends(SendSelection::SyncCallsOf(build), after, PAGE as u64)
}

fn is_open(send: &TimedSend) -> bool {
    send.outcome == SendOutcome::Open
}
