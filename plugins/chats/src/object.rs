//! A file that is one JSON object: one record, or an export with its records in a member.

use std::io::BufRead;

use synix_reading::json::{Fault, Scanner};

use crate::format::Format;
use crate::formats::telegram::Chat;
use crate::records::Records;
use crate::repair::parsed;

/// Members that are kept for a record.
const MAX_KEPT_BYTES: usize = 32 * 1024 * 1024;

/// Reads the object. After a fault, what was whole is taken.
pub(crate) fn read(reader: impl BufRead, records: &mut Records<'_>) -> Result<(), Fault> {
    let mut scanner = Scanner::new(reader);
    if !scanner.enter(b'{')? {
        return Ok(());
    }
    let mut members = Members::default();
    let read = members.read(&mut scanner, records);
    if let Some(chat) = members.chat.take().filter(|_| members.has_messages) {
        chat.finish(&mut records.collection);
    } else if read.is_ok() && !members.is_streamed {
        members.kept.push(b'}');
        records.take(&members.kept, "the object");
    }
    read
}

#[derive(Default)]
struct Members {
    /// The members that were not records, as an object without its end.
    kept: Vec<u8>,
    names: Vec<String>,
    /// A chat of Telegram, if it is one.
    chat: Option<Chat>,
    has_messages: bool,
    is_streamed: bool,
}

impl Members {
    fn read<R: BufRead>(
        &mut self,
        scanner: &mut Scanner<R>,
        records: &mut Records<'_>,
    ) -> Result<(), Fault> {
        while let Some(name) = scanner.next_member()? {
            let next = scanner.peek()?;
            match (name.as_str(), next) {
                ("conversations", Some(b'[')) => {
                    self.is_streamed = true;
                    elements(scanner, records)?;
                }
                ("chats" | "left_chats", Some(b'{')) => {
                    self.is_streamed = true;
                    chats(scanner, records)?;
                }
                ("messages", Some(b'[')) if self.is_chat() && records.allows(Format::Telegram) => {
                    self.has_messages = true;
                    records.known();
                    messages(scanner, self.chat.get_or_insert_default(), records)?;
                }
                _ => self.keep(name, scanner, records)?,
            }
        }
        Ok(())
    }

    fn keep<R: BufRead>(
        &mut self,
        name: String,
        scanner: &mut Scanner<R>,
        records: &mut Records<'_>,
    ) -> Result<(), Fault> {
        let value = match scanner.value() {
            Ok(value) => value,
            Err(fault) if fault.is_passable() => {
                records.unreadable(&format!("`{name}`"), &fault.to_string());
                return Ok(());
            }
            Err(fault) => return Err(fault),
        };
        if self.kept.len() + value.len() > MAX_KEPT_BYTES {
            records.unreadable(&format!("`{name}`"), "too long");
            return Ok(());
        }
        // A value that cannot be parsed is found when the record is.
        let chat = self.chat.get_or_insert_default();
        let _ = parsed(value, |value| chat.field(&name, value));
        self.kept
            .push(if self.kept.is_empty() { b'{' } else { b',' });
        self.kept
            .extend(serde_json::to_vec(&name).unwrap_or_default());
        self.kept.push(b':');
        self.kept.extend_from_slice(value);
        self.names.push(name);
        Ok(())
    }

    /// Returns whether the members so far are those of a chat of Telegram.
    fn is_chat(&self) -> bool {
        let has = |name: &str| self.names.iter().any(|known| known == name);
        has("type") && (has("id") || has("name")) && !has("uuid")
    }
}

fn elements<R: BufRead>(scanner: &mut Scanner<R>, records: &mut Records<'_>) -> Result<(), Fault> {
    scanner.enter(b'[')?;
    let mut number = 0_u64;
    while scanner.next_element()? {
        number += 1;
        let place = format!("conversation {number}");
        match scanner.value() {
            Ok(value) => records.take(value, &place),
            Err(fault) if fault.is_passable() => records.unreadable(&place, &fault.to_string()),
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

fn chats<R: BufRead>(scanner: &mut Scanner<R>, records: &mut Records<'_>) -> Result<(), Fault> {
    scanner.enter(b'{')?;
    while let Some(name) = scanner.next_member()? {
        if name != "list" || !scanner.enter(b'[')? {
            scanner.pass()?;
            continue;
        }
        if !records.allows(Format::Telegram) {
            return Ok(());
        }
        let mut number = 0_u64;
        while scanner.next_element()? {
            number += 1;
            if !scanner.enter(b'{')? {
                scanner.pass()?;
                records.unreadable(&format!("chat {number}"), "not an object");
                continue;
            }
            records.known();
            records.collection.at(&format!("chat {number}"));
            let mut chat = Chat::default();
            let read = chat_members(scanner, &mut chat, records);
            chat.finish(&mut records.collection);
            read?;
        }
    }
    Ok(())
}

fn chat_members<R: BufRead>(
    scanner: &mut Scanner<R>,
    chat: &mut Chat,
    records: &mut Records<'_>,
) -> Result<(), Fault> {
    while let Some(name) = scanner.next_member()? {
        if name == "messages" && scanner.peek()? == Some(b'[') {
            messages(scanner, chat, records)?;
        } else {
            match scanner.value() {
                Ok(value) => {
                    let _ = parsed(value, |value| chat.field(&name, value));
                }
                Err(fault) if fault.is_passable() => {}
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(())
}

fn messages<R: BufRead>(
    scanner: &mut Scanner<R>,
    chat: &mut Chat,
    records: &mut Records<'_>,
) -> Result<(), Fault> {
    scanner.enter(b'[')?;
    let mut number = 0_u64;
    while scanner.next_element()? {
        number += 1;
        let read = match scanner.value() {
            Ok(value) => parsed(value, |value| chat.message(value, &records.collection)),
            Err(fault) if fault.is_passable() => Err(fault.to_string()),
            Err(fault) => return Err(fault),
        };
        if let Err(error) = read {
            records.unreadable(&format!("message {number}"), &error);
        }
    }
    Ok(())
}
