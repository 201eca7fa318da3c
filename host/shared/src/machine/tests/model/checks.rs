//! What must never happen.

use super::{LASTS, Mode, Model};

impl Model {
    pub(super) fn send(&mut self, at: usize) -> Result<(), String> {
        for (other, process) in self.processes.iter().enumerate() {
            // A batch goes on without its process.
            let goes_on = process.is_alive || process.has_published || self.mode != Mode::Call;
            if other == at || !(process.has_sent && goes_on) {
                continue;
            }
            if !process.is_beyond {
                return Err(format!("{at} sent beside a live claim of {other}"));
            }
            self.beyond += 1;
        }
        if self.mode != Mode::Call && self.processes[at].has_sent {
            return Err(format!("{at} sent twice"));
        }
        self.sends += 1;
        self.processes[at].has_sent = true;
        Ok(())
    }

    /// Notes that `at` created a claim of this generation.
    pub(super) fn took(&mut self, at: usize, generation: u64) -> Result<(), String> {
        let own = &mut self.processes[at];
        (own.last_sign, own.longest_silence, own.is_beyond) = (self.tick, 0, false);
        let Some(before) = self.claims.get(&(generation - 1)) else {
            return Ok(());
        };
        let other = before.holder.0;
        if before.is_released || other == at || self.answer.is_some() {
            return Ok(());
        }
        let rate = self.rates.0[other];
        let overtaken = &mut self.processes[other];
        // A sign may arrive between the judgement and the takeover. Only the holder's own clock tells it to stop.
        let silence = self.tick - overtaken.last_sign;
        let silent = overtaken.longest_silence.max(silence) * rate;
        if overtaken.is_alive && silent < LASTS {
            return Err(format!("{at} took over a live claim of {other}"));
        }
        overtaken.is_beyond = true;
        Ok(())
    }
}
