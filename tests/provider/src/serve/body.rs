//! The body of a reply: sent in pieces, truncated if the script says so, and recorded as delivered at its end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::ledger::Receipt;
use crate::state::State;

/// Bytes taken at once; what lies between the socket and a receipt is a few of these.
const PIECE: usize = 64 << 10;

/// The body of a reply.
pub(super) struct ReplyBody {
    rest: Bytes,
    /// Bytes that are announced but never sent.
    withheld: usize,
    /// Whether what was sent had a chance to leave before the connection closes.
    flushed: bool,
    receipt: Option<(Receipt, Arc<State>)>,
}

/// A connection that is closed on purpose.
#[derive(Debug, thiserror::Error)]
#[error("the script closes this connection")]
pub(super) struct HangUp;

impl ReplyBody {
    /// Returns a body that is sent completely and then delivers the receipt.
    pub(super) fn whole(bytes: Bytes, receipt: Option<(Receipt, Arc<State>)>) -> Self {
        Self {
            rest: bytes,
            withheld: 0,
            flushed: false,
            receipt,
        }
    }

    /// Returns a body without its last `drop` bytes, announced or not.
    pub(super) fn cut(mut bytes: Bytes, drop: usize, hidden: bool) -> Self {
        let drop = drop.min(bytes.len());
        bytes.truncate(bytes.len() - drop);
        Self {
            rest: bytes,
            withheld: if hidden { 0 } else { drop },
            flushed: false,
            receipt: None,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = HangUp;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HangUp>>> {
        if self.rest.is_empty() {
            if self.withheld == 0 {
                return Poll::Ready(None);
            }
            // An error at once would also throw away what is still in hyper's buffer.
            if !std::mem::replace(&mut self.flushed, true) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(HangUp)));
        }
        let size = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(size);
        if self.rest.is_empty()
            && let Some((receipt, state)) = self.receipt.take()
        {
            state.recorder.deliver(&receipt);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.withheld == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.rest.len() + self.withheld) as u64)
    }
}
