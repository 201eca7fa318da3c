//! `mcp` lets an agent read the artifacts of a project, and nothing else.

mod client;
mod protocol;
mod python_client;
mod release;
