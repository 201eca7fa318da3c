//! The requests of an artifact's unit: the prompt, the answer, and what it cost.

use maud::{Markup, html};
use synix_core::request::{Answer, Part, Request, RequestKind, Role};
use synix_prices::{Amount, Prices, Rate};
use synix_store::{AnswerOrigin, Reader, StoredUnit};

use super::super::Failure;
use crate::html;

/// The number of requests that are shown. A fold may have thousands.
const MAX_REQUESTS: usize = 50;
/// The part of a prompt or answer that is shown, in bytes.
const MAX_TEXT: usize = 32 * 1024;

pub(super) fn show(reader: &Reader, unit: &StoredUnit, prices: &Prices) -> Result<Markup, Failure> {
    let transcript = reader.transcript(unit.id)?;
    if transcript.is_empty() {
        return Ok(html! {});
    }
    let mut shown = Vec::new();
    for entry in transcript.iter().take(MAX_REQUESTS) {
        let request = reader.request(entry.request)?;
        let (answer, is_shared) = match entry.answer {
            Some(id) => {
                let is_shared = reader.shared_origin(id)?.is_some();
                (Some(reader.transcript_answer(id)?), is_shared)
            }
            None => (None, false),
        };
        let asked = Asked {
            key: entry.key.to_string(),
            request,
            answer,
            is_shared,
        };
        shown.push(asked.show(shown.len() + 1, unit.answer_origin, prices));
    }
    let more = transcript.len() - shown.len();
    Ok(html! {
        section aria-labelledby="requests" {
            h2 #requests { "Requests" }
            @for request in shown { (request) }
            @if more > 0 { p.note { "and " (html::counted(more as u64, "more request")) } }
        }
    })
}

struct Asked {
    key: String,
    request: Request,
    answer: Option<(Answer, Option<String>)>,
    /// Whether the answer is from shared answers, so that it cost nothing here.
    is_shared: bool,
}

impl Asked {
    fn cost(&self, origin: AnswerOrigin, prices: &Prices) -> Option<Amount> {
        if origin != AnswerOrigin::Live || self.is_shared {
            return Some(Amount::ZERO);
        }
        let (answer, batch) = self.answer.as_ref()?;
        let rate = if batch.is_some() {
            Rate::Batch
        } else {
            Rate::Sync
        };
        prices.cost(&self.request.model, &answer.usage, rate).ok()
    }

    fn show(&self, number: usize, origin: AnswerOrigin, prices: &Prices) -> Markup {
        let request = &self.request;
        html! {
            details.request open[number == 1] {
                summary {
                    "Request " (number) " to " (html::name(&request.model)) " at " (html::name(&request.provider))
                    ", cost " (html::cost(self.cost(origin, prices)))
                }
                dl {
                    dt { "Key" } dd { code { (self.key) } }
                    @if let Some((answer, batch)) = &self.answer {
                        dt { "Answered by" } dd { (html::name(&answer.model)) }
                        @if let Some(batch) = batch { dt { "Batch" } dd { code { (html::name(batch)) } } }
                        dt { "Tokens" }
                        dd {
                            @if answer.usage.uncounted { "not reported" } @else {
                                (html::number(answer.usage.input_tokens)) " in ("
                                (html::number(answer.usage.cached_tokens)) " cached), "
                                (html::number(answer.usage.output_tokens)) " out"
                            }
                        }
                    }
                    @if let Some(tokens) = request.max_tokens { dt { "max_tokens" } dd { (tokens) } }
                    @if let Some(temperature) = request.temperature { dt { "temperature" } dd { (temperature) } }
                    @if request.sample > 0 { dt { "sample" } dd { (request.sample) } }
                }
                @for message in &request.messages {
                    h3 { (role(message.role)) }
                    @for part in &message.parts {
                        @match part {
                            Part::Text(text) => (text_part(text)),
                            Part::Image { media_type, data } => p.note {
                                "an image of the type " (html::name(media_type)) ", "
                                (html::size(data.len() as u64 * 3 / 4))
                            },
                        }
                    }
                }
                h3 { "Answer" }
                @match &self.answer {
                    None => p.note { "There is no answer yet." },
                    Some(_) if matches!(request.kind, RequestKind::Embedding { .. }) => p.note { "A vector." },
                    Some((answer, _)) => (text_part(&answer.text)),
                }
            }
        }
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::System => "System",
        Role::User => "User",
        Role::Assistant => "Assistant",
    }
}

fn text_part(text: &str) -> Markup {
    let end = text.floor_char_boundary(MAX_TEXT.min(text.len()));
    html! {
        pre.content tabindex="0" { (html::content(&text[..end])) }
        @if end < text.len() {
            p.note { "The first " (html::size(end as u64)) " of " (html::size(text.len() as u64)) }
        }
    }
}
