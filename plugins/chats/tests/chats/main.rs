//! `chats` as a host sees it, on small hand-made files.

mod archives;
mod chatgpt;
mod claude;
mod claude_code;
mod codex;
mod hostile;
mod others;
mod people;
mod pieces;
mod support;
