//! Permissions to download plugins from this machine or a private network.

use super::Permission;
use crate::ProjectError;
use crate::context::ProjectContext;
use crate::plugins::references;
use crate::server::Server;
use synix_core::loopback::is_loopback;
use synix_fetch::{AddressPolicy, FetchError, FetchErrorKind};
use synix_manifest::{Pipeline, PluginRef};

impl ProjectContext {
    /// Returns the permissions to download plugins, including those whose names currently resolve to a private address.
    pub(super) fn fetch_permissions(&self, pipeline: &Pipeline) -> Vec<Permission> {
        let leads_to_private = |reference: &PluginRef| {
            plugin_server(reference)
                .is_some_and(|server| server.is_private() || server.resolves_to_private())
        };
        references(pipeline)
            .into_iter()
            .filter(|(_, reference)| leads_to_private(reference))
            .filter_map(|(_, reference)| fetch_permission(reference))
            .collect()
    }

    /// Returns which addresses a download may use. Refuses if the reference itself names this machine or a private network
    /// and the user has not granted this.
    pub(crate) fn address_policy(
        &self,
        reference: &PluginRef,
    ) -> Result<AddressPolicy, ProjectError> {
        let Some(permission) = fetch_permission(reference) else {
            return Ok(AddressPolicy::PublicOnly);
        };
        if plugin_server(reference).is_some_and(|server| server.is_private()) {
            self.require(vec![permission])?;
            return Ok(AddressPolicy::Any);
        }
        Ok(if self.has_permissions(&[permission]) {
            AddressPolicy::Any
        } else {
            AddressPolicy::PublicOnly
        })
    }

    /// Returns the error of a download. If its server resolved to a private address, this is the missing permission.
    pub(crate) fn fetch_error(&self, reference: &PluginRef, error: FetchError) -> ProjectError {
        // The permission does not cover a server that the first one redirects to.
        let is_named = |host: &str| {
            plugin_server(reference)
                .is_some_and(|server| server.origin().to_string().ends_with(&format!("//{host}")))
        };
        match (&error.source, fetch_permission(reference)) {
            (FetchErrorKind::NotPublic { host, .. }, Some(permission)) if is_named(host) => self
                .require(vec![permission])
                .err()
                .unwrap_or_else(|| error.into()),
            _ => error.into(),
        }
    }
}

/// Returns the server of a plugin.
fn plugin_server(reference: &PluginRef) -> Option<Server> {
    match reference {
        PluginRef::Url { url, .. } => Server::parse(url),
        PluginRef::Oci { image, .. } => {
            let registry = image.address();
            // The download also uses plain HTTP on this machine.
            let scheme = if is_loopback(registry) {
                "http"
            } else {
                "https"
            };
            Server::parse(&format!("{scheme}://{registry}"))
        }
        PluginRef::FirstParty(_) | PluginRef::File(_) => None,
    }
}

/// Returns the permission to download a plugin. It is for the whole URL, because a service on this machine may act on
/// its path.
fn fetch_permission(reference: &PluginRef) -> Option<Permission> {
    let from = match reference {
        PluginRef::Url { url, .. } => url.clone(),
        PluginRef::Oci { image, .. } => {
            format!("oci://{}/{}", image.registry(), image.repository())
        }
        PluginRef::FirstParty(_) | PluginRef::File(_) => return None,
    };
    Some(Permission::Fetch { from })
}
