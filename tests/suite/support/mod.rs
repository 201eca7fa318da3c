//! What the tests share: projects, commands and their output, servers, and tools.

pub(crate) mod browser;
#[cfg_attr(
    windows,
    allow(dead_code, reason = "most costly components are for tests of Linux")
)]
pub(crate) mod costly_components;
pub(crate) mod costs;
pub(crate) mod crashes;
pub(crate) mod faulty_proxy;
pub(crate) mod folders;
pub(crate) mod hostile_clone;
pub(crate) mod http;
pub(crate) mod invocation;
pub(crate) mod pipelines;
pub(crate) mod plugin_project;
pub(crate) mod plugin_tools;
pub(crate) mod processes;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod registry;
pub(crate) mod s3;
pub(crate) mod team;
pub(crate) mod templates;
pub(crate) mod test_project;
pub(crate) mod transcript;
pub(crate) mod web_server;
