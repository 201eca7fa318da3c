//! Decides whether a build is traced: `OTEL_TRACES_SAMPLER`.

use crate::ids::TraceId;

/// Which builds are traced. A build has no parent span, so a sampler that follows its parent acts as its root.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sampler {
    All,
    None,
    /// This share of them, from 0 to 1.
    Ratio(f64),
}

impl Sampler {
    /// Parses the name of a sampler and its argument; an error names what is wrong.
    pub(crate) fn parse(name: &str, argument: Option<&str>) -> Result<Self, String> {
        match name {
            "always_on" | "parentbased_always_on" => Ok(Self::All),
            "always_off" | "parentbased_always_off" => Ok(Self::None),
            "traceidratio" | "parentbased_traceidratio" => {
                let ratio = argument.map_or(Ok(1.0), str::parse);
                ratio
                    .ok()
                    .filter(|ratio| (0.0..=1.0).contains(ratio))
                    .map(Self::Ratio)
                    .ok_or_else(|| {
                        "OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1".to_owned()
                    })
            }
            _ => Err(format!("OTEL_TRACES_SAMPLER {name:?} is not supported")),
        }
    }

    /// Returns whether the build with this trace is traced, the same in every process.
    pub(crate) fn takes(self, trace: &TraceId) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Ratio(ratio) => {
                let [.., a, b, c, d] = *trace.bytes();
                let position = f64::from(u32::from_be_bytes([a, b, c, d])) / 4_294_967_296.0;
                position < ratio
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_takes_about_its_share() {
        let taken = |ratio| {
            let traces = (0..1000).map(|number| TraceId::of(&format!("build-{number}")));
            traces
                .filter(|trace| Sampler::Ratio(ratio).takes(trace))
                .count()
        };
        assert_eq!((taken(0.0), taken(1.0)), (0, 1000));
        assert!((200..300).contains(&taken(0.25)), "{}", taken(0.25));
    }

    #[test]
    fn an_argument_out_of_range_is_an_error() {
        for argument in ["1.5", "-1", "nan", "half"] {
            assert!(
                Sampler::parse("traceidratio", Some(argument)).is_err(),
                "{argument}"
            );
        }
        assert_eq!(
            Sampler::parse("traceidratio", None),
            Ok(Sampler::Ratio(1.0))
        );
        assert!(Sampler::parse("jaeger_remote", None).is_err());
    }
}
