//! The settings of telemetry, from the variables that OpenTelemetry defines.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::metrics::Temporality;
use crate::sampler::Sampler;
use crate::variables::Variables;

const DEFAULT_DELAY: Duration = Duration::from_secs(5);
const DEFAULT_FLUSH: Duration = Duration::from_secs(10);

/// Where telemetry is sent to, and what it has.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) traces: Option<Endpoint>,
    pub(crate) metrics: Option<Endpoint>,
    /// The attributes of the resource, such as `service.name`.
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) sampler: Sampler,
    pub(crate) temporality: Temporality,
    /// Whether spans have prompts and answers.
    pub(crate) has_contents: bool,
    /// How long spans wait for others.
    pub(crate) delay: Duration,
    /// The time for the rest after a build.
    pub(crate) flush: Duration,
}

impl Settings {
    /// Reads the settings with `get`, which returns the value of a variable; `None` if telemetry is off. Also returns
    /// what is wrong with the variables.
    ///
    /// Telemetry is on if an endpoint is set, and not otherwise: synix sends nothing to a default one.
    pub fn read(get: &dyn Fn(&str) -> Option<String>) -> (Option<Self>, Vec<String>) {
        let mut variables = Variables::new(get);
        if variables.is_true("OTEL_SDK_DISABLED") {
            return (None, Vec::new());
        }
        let traces = Endpoint::read(&mut variables, "TRACES", "v1/traces");
        let metrics = Endpoint::read(&mut variables, "METRICS", "v1/metrics");
        if traces.is_none() && metrics.is_none() {
            return (None, variables.warnings);
        }
        let mut processor = |setting: &str, default| {
            let name = format!("OTEL_BSP_{setting}");
            let value = variables.get(&name).map(|value| (value, name));
            variables.milliseconds(value, default)
        };
        let delay = processor("SCHEDULE_DELAY", DEFAULT_DELAY);
        let flush = processor("EXPORT_TIMEOUT", DEFAULT_FLUSH);
        let settings = Self {
            traces,
            metrics,
            resource: resource(&mut variables),
            sampler: sampler(&mut variables),
            temporality: temporality(&mut variables),
            has_contents: variables.is_true("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"),
            delay,
            flush,
        };
        (Some(settings), variables.warnings)
    }
}

fn resource(variables: &mut Variables<'_>) -> Vec<(String, String)> {
    const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let attributes = variables.get(NAME);
    let mut attributes = attributes.map_or_else(Vec::new, |value| variables.pairs(&value, NAME));
    if let Some(service) = variables.get("OTEL_SERVICE_NAME") {
        attributes.retain(|(key, _)| key != "service.name");
        attributes.push(("service.name".to_owned(), service));
    }
    attributes
}

fn sampler(variables: &mut Variables<'_>) -> Sampler {
    let Some(name) = variables.get("OTEL_TRACES_SAMPLER") else {
        return Sampler::All;
    };
    let argument = variables.get("OTEL_TRACES_SAMPLER_ARG");
    let argument = argument.as_deref().map(str::trim);
    Sampler::parse(name.trim(), argument).unwrap_or_else(|problem| {
        variables.warn(format!("{problem}; every build is traced"));
        Sampler::All
    })
}

fn temporality(variables: &mut Variables<'_>) -> Temporality {
    const NAME: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    let preference = variables.get(NAME);
    match preference
        .as_deref()
        .map(|name| name.trim().to_ascii_lowercase())
    {
        None => Temporality::Cumulative,
        Some(name) => match name.as_str() {
            "cumulative" => Temporality::Cumulative,
            // Every instrument here is a counter or a histogram, for which both mean the same.
            "delta" | "lowmemory" => Temporality::Delta,
            _ => {
                variables.warn(format!("{NAME} must be cumulative, delta or lowmemory"));
                Temporality::Cumulative
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> (Option<Settings>, Vec<String>) {
        Settings::read(&|name| {
            let mut set = set.iter();
            set.find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://receiver:4318/base/");

    #[test]
    fn telemetry_is_off_unless_an_endpoint_is_set() {
        for set in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "x")],
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[
                ENDPOINT,
                ("OTEL_TRACES_EXPORTER", "none"),
                ("OTEL_METRICS_EXPORTER", "none"),
            ],
        ] {
            let (settings, warnings) = read(set);
            assert!(
                settings.is_none() && warnings.is_empty(),
                "{set:?}: {warnings:?}"
            );
        }
    }

    #[test]
    fn the_endpoint_of_a_signal_is_used_as_it_is() {
        let own = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://other/m");
        let settings = read(&[ENDPOINT, own]).0.unwrap();
        let url = |endpoint: Option<Endpoint>| endpoint.unwrap().url.to_string();
        assert_eq!(url(settings.traces), "http://receiver:4318/base/v1/traces");
        assert_eq!(url(settings.metrics), "https://other/m");
        let only = read(&[own, ("OTEL_TRACES_EXPORTER", "none")]).0.unwrap();
        assert!(only.traces.is_none());
    }

    #[test]
    fn a_protocol_or_url_that_cannot_be_used_sends_nothing() {
        for set in [
            &[ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "file:///etc/passwd")],
        ] {
            let (settings, warnings) = read(set);
            assert!(settings.is_none(), "{set:?}");
            assert_eq!(warnings.len(), 1, "{warnings:?}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let secret = (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20secret,x=\u{1}",
        );
        let url = (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://user:secret@receiver:4318/?key=secret",
        );
        let (settings, warnings) = read(&[url, secret]);
        let shown = format!("{settings:?} {warnings:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("user"),
            "{shown}"
        );
        let traces = settings.unwrap().traces.unwrap();
        assert_eq!(traces.headers["authorization"], "Bearer secret");
        assert_eq!(traces.shown(), "http://receiver:4318/v1/traces");
    }

    #[test]
    fn the_service_has_one_name() {
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,team=b");
        let settings = read(&[ENDPOINT, attributes, ("OTEL_SERVICE_NAME", "c")])
            .0
            .unwrap();
        let pairs = [("team", "b"), ("service.name", "c")];
        assert_eq!(
            settings.resource,
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }
}
