//! Cloned projects of an attacker, and the commands that run in them.

mod demo;
mod dot_env;
mod links;
mod permissions;
mod state;
mod user_file;
