//! One module for each format: what its records mean, and nothing of how they are stored or written.

pub(crate) mod chatgpt;
pub(crate) mod claude;
pub(crate) mod claude_code;
pub(crate) mod codex;
pub(crate) mod deepseek;
pub(crate) mod gemini;
pub(crate) mod plain;
pub(crate) mod slack;
pub(crate) mod telegram;
pub(crate) mod whatsapp;
