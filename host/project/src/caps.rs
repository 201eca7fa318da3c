//! What the user lets any project use up on this machine, whatever its pipeline says.

use super::ProjectError;
use super::environment::Environment;
use synix_manifest::Pipeline;

/// Seconds that one run of a unit may take.
const WALL: Cap = Cap {
    variable: "SYNIX_MAX_WALL",
    default: 900,
    key: "wall_s",
};
/// Instructions of one run of a unit.
const FUEL: Cap = Cap {
    variable: "SYNIX_MAX_FUEL",
    default: 1_000_000_000_000,
    key: "fuel",
};

/// MiB that one unit may take; as many units run at once as there are cores.
const MEMORY: Cap = Cap {
    variable: "SYNIX_MAX_MEMORY",
    default: 1024,
    key: "memory_mb",
};
/// MiB that a unit may hand over, which the host holds beside the unit's own memory.
const OUTPUT: Cap = Cap {
    key: "output_mb",
    ..MEMORY
};

/// A limit of the user's own.
struct Cap {
    variable: &'static str,
    default: u64,
    /// The key in `[layers.NAME.limits]`.
    key: &'static str,
}

impl Cap {
    fn value(&self, set: Option<String>) -> Result<u64, ProjectError> {
        let Some(text) = set.filter(|text| !text.is_empty()) else {
            return Ok(self.default);
        };
        let value = text.parse().ok().filter(|value| *value > 0);
        value.ok_or_else(|| {
            let variable = self.variable;
            ProjectError::Usage(format!(
                "{variable} is not a whole number above 0: {text:?}"
            ))
        })
    }

    fn check(&self, layer: &str, wanted: Option<u64>, most: u64) -> Result<(), ProjectError> {
        match wanted {
            Some(wanted) if wanted > most => {
                let Self { variable, key, .. } = self;
                Err(ProjectError::Usage(format!(
                    "[layers.{layer}.limits] wants {key} = {wanted}, and this machine allows a unit {most}; to allow more, set {variable}={wanted} in your environment"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Refuses a pipeline whose units may run longer or take more memory than the user lets them.
pub(super) fn check(pipeline: &Pipeline, environment: &Environment) -> Result<(), ProjectError> {
    let wall = WALL.value(environment.get(WALL.variable))?;
    let fuel = FUEL.value(environment.get(FUEL.variable))?;
    let memory = MEMORY.value(environment.get(MEMORY.variable))?;
    for layer in &pipeline.layers {
        let Some(transform) = layer.transform() else {
            continue;
        };
        let limits = &transform.limits;
        WALL.check(layer.name.as_str(), limits.wall_s.map(u64::from), wall)?;
        FUEL.check(layer.name.as_str(), limits.fuel, fuel)?;
        for (cap, wanted) in [(&MEMORY, limits.memory_mb), (&OUTPUT, limits.output_mb)] {
            cap.check(layer.name.as_str(), wanted.map(u64::from), memory)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_the_users_or_a_default() {
        let value = |text: Option<&str>| WALL.value(text.map(str::to_owned));
        assert_eq!(value(None).unwrap(), 900);
        assert_eq!(value(Some("")).unwrap(), 900);
        assert_eq!(value(Some("86400")).unwrap(), 86_400);
        for wrong in ["0", "-1", "1.5", "long"] {
            assert!(value(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_layer_wants_beyond_a_cap_is_refused_with_the_way_out() {
        assert!(FUEL.check("a", None, 5).is_ok() && FUEL.check("a", Some(5), 5).is_ok());
        let error = FUEL.check("a", Some(6), 5).unwrap_err().to_string();
        assert!(error.contains("[layers.a.limits]") && error.contains("SYNIX_MAX_FUEL=6"));
    }
}
