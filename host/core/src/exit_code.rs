//! The exit codes of `synix`, as `docs/commands.md` lists them.
//!
//! An error type chooses one of these values, so that no crate repeats the numbers.

/// The result of a command as its exit code.
///
/// ```
/// use synix_core::exit_code::ExitCode;
///
/// assert_eq!(ExitCode::Success.code(), 0);
/// assert_eq!(ExitCode::Refused.code(), 5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// The command did what was asked.
    Success = 0,
    /// The command failed.
    Failure = 1,
    /// The arguments, the environment or the pipeline file are invalid.
    Usage = 2,
    /// The build is complete, but some units failed.
    PartialSuccess = 3,
    /// The build waits for answers.
    Waiting = 4,
    /// The command would have done something that the user must allow first, or that another process prevents.
    Refused = 5,
}

impl ExitCode {
    /// Every exit code with its meaning, in numerical order.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Success, "did what was asked"),
        (Self::Failure, "failed"),
        (Self::Usage, "usage or pipeline file"),
        (Self::PartialSuccess, "completed with errors"),
        (Self::Waiting, "still waiting"),
        (Self::Refused, "refused"),
    ];

    /// Returns the number that the process exits with.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for u8 {
    fn from(exit: ExitCode) -> Self {
        exit.code()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_exit_code_is_listed_under_its_number() {
        let codes = ExitCode::ALL.map(|(exit, _)| exit.code());
        assert_eq!(codes, [0, 1, 2, 3, 4, 5]);
    }
}
