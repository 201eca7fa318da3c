//! The limits that the user sets for the units of all projects on this machine.

use super::ProjectError;
use super::environment::Environment;
use synix_manifest::Pipeline;

/// The maximum time of one run of a unit, in seconds.
const WALL: MachineLimit = MachineLimit {
    variable: "SYNIX_MAX_WALL",
    default: 900,
    key: "wall_s",
};
/// The maximum number of instructions of one run of a unit.
const FUEL: MachineLimit = MachineLimit {
    variable: "SYNIX_MAX_FUEL",
    default: 1_000_000_000_000,
    key: "fuel",
};

/// The maximum memory of a unit, in MiB. As many units run at once as there are cores.
const MEMORY: MachineLimit = MachineLimit {
    variable: "SYNIX_MAX_MEMORY",
    default: 1024,
    key: "memory_mb",
};
/// The maximum output of a unit, in MiB. The host holds it in addition to the unit's memory.
const OUTPUT: MachineLimit = MachineLimit {
    key: "output_mb",
    ..MEMORY
};

/// A limit that the user can change with an environment variable.
struct MachineLimit {
    variable: &'static str,
    default: u64,
    /// The key in `[layers.NAME.limits]`.
    key: &'static str,
}

impl MachineLimit {
    fn value(&self, set: Option<String>) -> Result<u64, ProjectError> {
        let Some(text) = set.filter(|text| !text.is_empty()) else {
            return Ok(self.default);
        };
        let value = text.parse().ok().filter(|value| *value > 0);
        value.ok_or_else(|| {
            let variable = self.variable;
            ProjectError::Usage(format!(
                "{variable} must be a whole number above 0, not {text:?}"
            ))
        })
    }

    fn check(&self, layer: &str, requested: Option<u64>, max: u64) -> Result<(), ProjectError> {
        match requested {
            Some(requested) if requested > max => {
                let Self { variable, key, .. } = self;
                Err(ProjectError::Usage(format!(
                    "[layers.{layer}.limits] asks for {key} = {requested}, but this machine allows {max}; to allow more, set {variable}={requested} in your environment"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Refuses a pipeline with a limit that exceeds the user's own.
pub(super) fn check(pipeline: &Pipeline, environment: &Environment) -> Result<(), ProjectError> {
    let wall = WALL.value(environment.get(WALL.variable))?;
    let fuel = FUEL.value(environment.get(FUEL.variable))?;
    let memory = MEMORY.value(environment.get(MEMORY.variable))?;
    for layer in &pipeline.layers {
        let transform = layer.transform().map(|transform| &transform.limits);
        let Some(limits) = transform.or_else(|| layer.reader().map(|reader| &reader.limits)) else {
            continue;
        };
        WALL.check(layer.name.as_str(), limits.wall_s.map(u64::from), wall)?;
        FUEL.check(layer.name.as_str(), limits.fuel, fuel)?;
        for (limit, requested) in [(&MEMORY, limits.memory_mb), (&OUTPUT, limits.output_mb)] {
            limit.check(layer.name.as_str(), requested.map(u64::from), memory)?;
        }
    }
    Ok(())
}

/// Returns the user's limits for the units of other machines' builds.
#[cfg(feature = "restate")]
pub(super) fn maxima(environment: &Environment) -> Result<synix_worker::Maxima, ProjectError> {
    let value = |limit: &MachineLimit| limit.value(environment.get(limit.variable));
    Ok(synix_worker::Maxima {
        wall: std::time::Duration::from_secs(value(&WALL)?),
        fuel: value(&FUEL)?,
        memory_bytes: value(&MEMORY)?.saturating_mul(1 << 20),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "restate")]
    #[test]
    fn a_worker_allows_what_a_build_on_this_machine_allows() {
        let none = Environment::new([("A", "b")], "/here".into());
        assert_eq!(maxima(&none).unwrap(), synix_worker::Maxima::default());
        let set = [("SYNIX_MAX_WALL", "5"), ("SYNIX_MAX_MEMORY", "64")];
        let set = maxima(&Environment::new(set, "/here".into())).unwrap();
        assert_eq!((set.wall.as_secs(), set.memory_bytes), (5, 64 << 20));
    }

    #[test]
    fn a_machine_limit_is_the_users_or_the_default() {
        let value = |text: Option<&str>| WALL.value(text.map(str::to_owned));
        assert_eq!(value(None).unwrap(), 900);
        assert_eq!(value(Some("")).unwrap(), 900);
        assert_eq!(value(Some("86400")).unwrap(), 86_400);
        for wrong in ["0", "-1", "1.5", "long"] {
            assert!(value(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_layer_that_exceeds_a_machine_limit_is_refused_with_advice() {
        assert!(FUEL.check("a", None, 5).is_ok() && FUEL.check("a", Some(5), 5).is_ok());
        let error = FUEL.check("a", Some(6), 5).unwrap_err().to_string();
        assert!(error.contains("[layers.a.limits]") && error.contains("SYNIX_MAX_FUEL=6"));
    }
}
