//! The plugins of the pipeline: what each may do, which config it takes, and which bytes it is.

use maud::{Markup, html};

use super::frame::Page;
use super::{Context, Failure};
use crate::html;
use crate::library::{Plugin, PluginDescription};

pub(super) fn page(context: &Context<'_>) -> Result<Page, Failure> {
    let (live, is_live) = match context.site.plugins() {
        None => (super::waiting("The plugins are being loaded."), true),
        Some(found) => {
            let plugins = found.value.as_ref().as_ref();
            let plugins = plugins.map_err(|error| Failure(error.clone()))?;
            (show(context, plugins), false)
        }
    };
    Ok(Page {
        live: Some(live),
        is_live,
        ..Page::new("Plugins", html! {})
    })
}

fn show(context: &Context<'_>, plugins: &[Plugin]) -> Markup {
    html! {
        @if plugins.is_empty() { p { "The pipeline uses no plugin." } }
        @for plugin in plugins {
            article.card {
                h2 { (html::name(&plugin.reference)) }
                @match &plugin.description {
                    Ok(description) => (described(context, plugin, description)),
                    Err(error) => (html::error(error)),
                }
            }
        }
    }
}

fn described(context: &Context<'_>, plugin: &Plugin, about: &PluginDescription) -> Markup {
    let list = |names: &[String]| {
        if names.is_empty() {
            "none".to_owned()
        } else {
            html::message(&names.join(", "))
        }
    };
    let schema = serde_json::to_string_pretty(&about.config_schema).unwrap_or_default();
    html! {
        p { (html::message(&about.summary)) }
        dl {
            dt { "Plugin" } dd { (html::name(&about.name)) " " (html::name(&about.version)) ", a " (html::name(&about.kind)) }
            dt { "Digest" } dd { code { (about.digest.to_string()) } }
            dt { "Size" } dd { (html::size(about.size)) }
            dt { "Asks for" } dd { (list(&about.capabilities)) }
            dt { "Imports" } dd { (list(&about.imports)) }
            @for (layer, grants) in &plugin.layers {
                dt { "Layer " (html::layer_link(context.links, layer)) }
                dd {
                    @match grants {
                        Some(grants) => { "grants " (list(grants)) },
                        None => "grants what it asks for",
                    }
                }
            }
        }
        details {
            summary { "JSON Schema of its config" }
            pre.content tabindex="0" { (html::content(&schema)) }
        }
    }
}
