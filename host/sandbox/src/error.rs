//! Why a plugin cannot be used, or why a call of it failed.

use std::fmt;

use super::fault::Fault;
use super::imports::log::LogLine;
use super::model::Refusal;

/// An error of the sandbox or of a plugin.
#[derive(Debug)]
pub struct PluginError {
    /// The name of the plugin; `None` if the sandbox itself failed.
    pub plugin: Option<String>,
    /// What is wrong.
    pub fault: Box<Fault>,
    /// The last request that the host refused in the failed call.
    pub refusal: Option<Refusal>,
    /// The log lines of the failed call.
    pub log: Vec<LogLine>,
}

impl PluginError {
    /// Creates the error for a failure outside a call.
    pub(super) fn new(plugin: Option<&str>, fault: Fault) -> Self {
        Self {
            plugin: plugin.map(str::to_owned),
            fault: Box::new(fault),
            refusal: None,
            log: Vec::new(),
        }
    }

    /// Returns whether a retry of the call may succeed, so that the failure must not be stored.
    pub fn is_transient(&self) -> bool {
        self.fault.is_transient()
    }

    /// Returns whether the call was interrupted, which says nothing about the plugin.
    pub fn is_interrupted(&self) -> bool {
        matches!(*self.fault, Fault::Interrupted)
    }

    /// Returns the number of units if there were more than the caller allows.
    pub fn too_many_units(&self) -> Option<u64> {
        if let Fault::TooManyUnits { count, .. } = *self.fault {
            Some(count)
        } else {
            None
        }
    }
}

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(plugin) = &self.plugin {
            write!(f, "plugin {plugin}: ")?;
        }
        self.fault.fmt(f)?;
        match &self.refusal {
            Some(refusal) => write!(f, " (the host refused a request: {refusal})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PluginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}
