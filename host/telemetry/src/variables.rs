//! Reads the `OTEL_…` variables by the rules of OpenTelemetry: an empty value is an unset one, and a value that cannot
//! be used is reported and ignored.

use std::time::Duration;

/// The variables of a command, and what is wrong with them.
pub(crate) struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) warnings: Vec<String>,
}

impl<'a> Variables<'a> {
    pub(crate) const fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            get,
            warnings: Vec::new(),
        }
    }

    /// Returns the value of a variable, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.trim().is_empty())
    }

    /// Returns the value of the variable of a signal, or of the one for all signals, with the name of the variable.
    pub(crate) fn of_signal(&self, signal: &str, setting: &str) -> Option<(String, String)> {
        let names = [
            format!("OTEL_EXPORTER_OTLP_{signal}_{setting}"),
            format!("OTEL_EXPORTER_OTLP_{setting}"),
        ];
        names
            .into_iter()
            .find_map(|name| Some((self.get(&name)?, name)))
    }

    pub(crate) fn warn(&mut self, warning: String) {
        // One mistake in a variable for all signals is one warning.
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Returns a number of milliseconds, or the default.
    pub(crate) fn milliseconds(
        &mut self,
        found: Option<(String, String)>,
        default: Duration,
    ) -> Duration {
        let Some((value, name)) = found else {
            return default;
        };
        match value.trim().parse() {
            Ok(milliseconds) => Duration::from_millis(milliseconds),
            Err(_) => {
                self.warn(format!("{name} must be a number of milliseconds"));
                default
            }
        }
    }

    /// Returns a list of `key=value` pairs, as headers and resource attributes have it.
    ///
    /// A warning never shows a value, because headers have secrets.
    pub(crate) fn pairs(&mut self, value: &str, name: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for member in value.split(',').map(str::trim) {
            if member.is_empty() {
                continue;
            }
            let pair = member.split_once('=').and_then(|(key, value)| {
                let key = decode(key.trim())?;
                (!key.is_empty()).then_some((key, decode(value.trim())?))
            });
            match pair {
                Some(pair) => pairs.push(pair),
                None => self.warn(format!("{name} must be a list such as key=value,key=value")),
            }
        }
        pairs
    }
}

/// Decodes `%20` and its like; `None` if that is not a text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_mistakes_are_reported_without_their_values() {
        let nothing = |_: &str| None;
        let mut variables = Variables::new(&nothing);
        let pairs = variables.pairs("a=b, c%20d = e%2Cf=g ,,bad,=x,k=%zz", "HEADERS");
        let expected = [("a", "b"), ("c d", "e,f=g")];
        assert_eq!(
            pairs,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert_eq!(
            variables.warnings,
            ["HEADERS must be a list such as key=value,key=value"]
        );
    }

    #[test]
    fn a_signal_has_its_own_variable_before_the_general_one() {
        let get = |name: &str| match name {
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" => Some(" 5 ".to_owned()),
            "OTEL_EXPORTER_OTLP_TIMEOUT" => Some("soon".to_owned()),
            "OTEL_EXPORTER_OTLP_TRACES_HEADERS" => Some(String::new()),
            _ => None,
        };
        let mut variables = Variables::new(&get);
        let default = Duration::from_secs(10);
        let traces = variables.of_signal("TRACES", "TIMEOUT");
        assert_eq!(
            variables.milliseconds(traces, default),
            Duration::from_millis(5)
        );
        let metrics = variables.of_signal("METRICS", "TIMEOUT");
        assert_eq!(variables.milliseconds(metrics, default), default);
        assert_eq!(variables.of_signal("TRACES", "HEADERS"), None);
        assert_eq!(
            variables.warnings,
            ["OTEL_EXPORTER_OTLP_TIMEOUT must be a number of milliseconds"]
        );
    }
}
