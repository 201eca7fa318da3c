//! `chats` as a host sees it, on small hand-made files.

#[cfg(test)]
mod archives;
#[cfg(test)]
mod chatgpt;
#[cfg(test)]
mod chatgpt_messages;
#[cfg(test)]
mod claude;
#[cfg(test)]
mod claude_code;
#[cfg(test)]
mod claude_code_chains;
#[cfg(test)]
mod codex;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod others;
#[cfg(test)]
mod people;
#[cfg(test)]
mod pieces;
#[cfg(test)]
mod support;
