//! Checks on what a plugin says of itself, and on errors of its load.

use super::failure::UnitFailure;
use super::point::Point;
use super::report::ReportBuilder;
use synix_sandbox::{Descriptor, Fault, InvalidDescriptor, PluginError, Sandbox};

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "every other load error is a fault of the component"
)]
/// Adds the error of a component that cannot be loaded, at the point that it belongs to.
pub(super) fn add_load_error(error: &PluginError, report: &mut ReportBuilder) {
    let mut message = UnitFailure::of(&error.fault).message;
    let point = match error.fault.as_ref() {
        Fault::InvalidDescriptor(invalid) => match invalid {
            InvalidDescriptor::SchemaJson(_) | InvalidDescriptor::Schema(_) => Point::ConfigSchema,
            InvalidDescriptor::UnknownCapability(_) => Point::Capabilities,
            _ => Point::Descriptor,
        },
        Fault::NotGranted { .. } => Point::Capabilities,
        Fault::OutOfFuel { .. }
        | Fault::OutOfTime { .. }
        | Fault::OutOfMemory { .. }
        | Fault::HostcallTooLarge { .. } => Point::Limits,
        Fault::Trapped { .. } | Fault::StackOverflow | Fault::Interface { .. } => Point::Descriptor,
        _ => Point::Component,
    };
    if point != Point::Component {
        report.pass(Point::Component, format!("matches {}", Sandbox::contract()));
        if !matches!(error.fault.as_ref(), Fault::InvalidDescriptor(_)) {
            message = format!("`describe`: {message}");
        }
    }
    report.fail(point, message);
}

/// Checks the rules of a description that the sandbox does not enforce.
pub(super) fn check(descriptor: &Descriptor, report: &mut ReportBuilder) {
    if descriptor.summary.trim().is_empty() {
        report.fail(
            Point::Descriptor,
            "its summary is empty; describe in one line what it does",
        );
    } else if !is_version(&descriptor.version) {
        report.fail(
            Point::Descriptor,
            format!(
                "its version {:?} does not have the form 1.2.3",
                descriptor.version
            ),
        );
    }
}

/// Returns whether a version is three numbers, with an optional pre-release and build.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let rest = text.strip_prefix(core).unwrap_or_default();
    let has_no_empty_part = rest
        .split(['-', '+', '.'])
        .skip(1)
        .all(|part| !part.is_empty());
    numbers.len() == 3 && numbers.iter().all(digits) && has_no_empty_part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_three_numbers_with_optional_suffixes() {
        for good in ["1.2.3", "0.1.0-rc.1", "1.0.0+7", "1.0.0-a+b.c"] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "",
            "1.0",
            "1.0.0.0",
            "latest",
            "1.0.0-",
            "1.0.0-a..b",
            "v1.0.0",
        ] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
