//! Why a call of the plugin failed, as the check judges it.
use synix_core::causes::with_causes;
use synix_sandbox::{Fault, InvalidOutput, PluginError};

/// A message of at least so many bytes is too long, also if the host has cut it.
const MAX_MESSAGE_BYTES: usize = 4096;
/// The most bytes of a failure in a report.
const MAX_SHOWN_BYTES: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FailureCause {
    /// The plugin returned an error with this code.
    Reported(String),
    /// It called a model without the capability.
    NotGranted,
    Crash,
    /// It reached a limit.
    Limit,
    /// An output violates a rule.
    Output,
    /// The name of an output has an invisible character, which came from its input.
    InvisibleName,
    /// Two outputs have the same label.
    Label,
    /// The units that `split` returned violate a rule.
    Split,
    /// A reader found nothing in a file and skipped nothing. The host says so.
    NothingRead,
}

/// A failure of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnitFailure {
    pub(super) cause: FailureCause,
    /// The error with its causes.
    pub(super) message: String,
    /// The message of the plugin alone, if it returned an error.
    pub(super) plugin_message: String,
}

impl From<PluginError> for UnitFailure {
    fn from(error: PluginError) -> Self {
        let mut failure = Self::of(&error.fault);
        if let Some(refusal) = &error.refusal {
            let refusal = refusal.to_string();
            let rule = refusal.split_once(": ").map_or("", |(_, rule)| rule);
            if rule.is_empty() || !failure.message.contains(rule) {
                failure
                    .message
                    .push_str(&format!(" (its request was refused: {refusal})"));
            }
        }
        failure
    }
}

impl UnitFailure {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "every other fault that ends a call is a crash"
    )]
    pub(super) fn of(fault: &Fault) -> Self {
        let message = with_causes(fault);
        let mut plugin_message = String::new();
        let cause = match fault {
            Fault::Transform { code, message } => {
                message.clone_into(&mut plugin_message);
                FailureCause::Reported(code.clone())
            }
            Fault::NotGranted { .. } => FailureCause::NotGranted,
            Fault::OutOfFuel { .. }
            | Fault::OutOfTime { .. }
            | Fault::OutOfMemory { .. }
            | Fault::OutputTooLarge { .. }
            | Fault::HostcallTooLarge { .. }
            | Fault::StackOverflow => FailureCause::Limit,
            Fault::InvalidOutput {
                source: InvalidOutput::DuplicateLabel(_),
                ..
            } => FailureCause::Label,
            Fault::InvalidOutput {
                source: InvalidOutput::Name(name),
                ..
            }
            | Fault::InvalidEmit {
                source: InvalidOutput::Name(name),
                ..
            } if name.is_invisible_character() => FailureCause::InvisibleName,
            Fault::InvalidOutput { .. }
            | Fault::InvalidEmit { .. }
            | Fault::UnknownReason { .. } => FailureCause::Output,
            Fault::NothingRead => FailureCause::NothingRead,
            Fault::InvalidSplit(_) => FailureCause::Split,
            _ => FailureCause::Crash,
        };
        Self {
            cause,
            message: truncate(message),
            plugin_message,
        }
    }

    /// Returns whether the plugin returned an error, as it should.
    pub(super) const fn is_reported(&self) -> bool {
        matches!(self.cause, FailureCause::Reported(_))
    }

    pub(super) const fn is_crash(&self) -> bool {
        matches!(self.cause, FailureCause::Crash)
    }

    /// Returns what is wrong with the plugin's message, which may quote `input_bytes` of its input.
    pub(super) fn message_problem(&self, input_bytes: usize) -> Option<&'static str> {
        let FailureCause::Reported(code) = &self.cause else {
            return None;
        };
        let message = &self.plugin_message;
        // No input of a check has one of these characters, so the message does not quote it.
        let is_control = |c: char| c.is_control() && !matches!(c, '\0' | '\t' | '\r' | '\n');
        if code.trim().is_empty() || message.trim().is_empty() {
            Some("its error has no code or no message")
        } else if message.chars().any(is_control) {
            Some("its message has control characters, such as those that control a terminal")
        } else if message.len() >= MAX_MESSAGE_BYTES && input_bytes < MAX_MESSAGE_BYTES {
            Some("its message has thousands of characters; one sentence is enough")
        } else {
            None
        }
    }
}

fn truncate(mut message: String) -> String {
    if message.len() > MAX_SHOWN_BYTES {
        message.truncate(message.floor_char_boundary(MAX_SHOWN_BYTES));
        message.push('…');
    }
    message
}
