//! The elements and texts of an XML file, one after the other, without a tree.

use std::io::{BufRead, BufReader, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use synix_plugin::Error;
use synix_reading::archive::Entry;
use synix_reading::text::Utf8;

/// The largest XML file. The text of a book of 1,000 pages has some 20 MiB.
const XML_BYTES: u64 = if cfg!(test) { 1 << 20 } else { 32 << 20 };

/// A piece of an XML file. Names are without their prefix.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    Start(&'a str, Attributes<'a>),
    End(&'a str),
    Text(&'a str),
}

/// The attributes of an element.
#[derive(Debug)]
pub(crate) struct Attributes<'a>(&'a BytesStart<'a>);

impl Attributes<'_> {
    /// Returns the value of the first attribute with a name, without its prefix.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let mut all = self.0.attributes();
        let found = all
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.local_name().into_inner() == name)?;
        let raw: &str = &found.value;
        Some(
            quick_xml::escape::unescape(raw)
                .map_or_else(|_| raw.to_owned(), |value| value.into_owned()),
        )
    }
}

/// Passes on the pieces of an entry. Entities other than those of XML itself are left out, so none can grow.
pub(crate) fn pieces(entry: &Entry<'_>, each: impl FnMut(Piece<'_>)) -> Result<(), Error> {
    let mut bytes = entry.open()?.take(XML_BYTES);
    let reader = Utf8::new(&mut bytes).map_err(|error| error.to_string());
    let read = reader.and_then(|reader| walk(BufReader::new(reader), each));
    let fault = match read {
        // The parser takes each text as a whole.
        _ if bytes.limit() == 0 => format!(
            "is larger than {} MiB, which is the most that is read",
            XML_BYTES >> 20
        ),
        Ok(()) => return Ok(()),
        Err(error) => format!("is damaged: {error}"),
    };
    Err(Error::InvalidInput(format!("{} {fault}", entry.name())))
}

fn walk(reader: impl BufRead, mut each: impl FnMut(Piece<'_>)) -> Result<(), String> {
    let mut reader = Reader::from_reader(reader);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader
            .read_event_into(&mut buffer)
            .map_err(|error| error.to_string())?
        {
            Event::Start(start) => each(Piece::Start(
                start.local_name().into_inner(),
                Attributes(&start),
            )),
            Event::End(end) => each(Piece::End(end.local_name().into_inner())),
            Event::Text(text) => each(Piece::Text(&text.xml10_content())),
            Event::CData(text) => each(Piece::Text(&text.xml10_content())),
            Event::GeneralRef(reference) => {
                if let Ok(Some(char)) = reference.resolve_char_ref() {
                    each(Piece::Text(char.encode_utf8(&mut [0; 4])));
                } else if let Some(text) =
                    quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())
                {
                    each(Piece::Text(text));
                }
            }
            Event::Eof => return Ok(()),
            Event::Empty(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

/// Returns the texts of elements by name, the first of each.
pub(crate) fn texts(entry: &Entry<'_>, names: &[&str]) -> Result<Vec<Option<String>>, Error> {
    let mut found: Vec<Option<String>> = vec![None; names.len()];
    let mut open: Option<(usize, String)> = None;
    pieces(entry, |piece| match piece {
        Piece::Start(name, _) => {
            let place = names.iter().position(|known| *known == name);
            open = place
                .filter(|&place| found.get(place).is_some_and(Option::is_none))
                .map(|place| (place, String::new()));
        }
        Piece::Text(text) => {
            if let Some((_, open)) = &mut open {
                open.push_str(text);
            }
        }
        Piece::End(_) => {
            if let Some((place, text)) = open.take()
                && let Some(slot) = found.get_mut(place)
            {
                *slot = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            }
        }
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<String, String> {
        let mut all = String::new();
        walk(text.as_bytes(), |piece| match piece {
            Piece::Start(name, attributes) => all += &format!("<{name} {:?}>", attributes.get("a")),
            Piece::End(name) => all += &format!("</{name}>"),
            Piece::Text(text) => all += text,
        })?;
        Ok(all)
    }

    #[test]
    fn names_come_without_prefix_and_texts_without_references() {
        assert_eq!(
            all("<?xml version='1.0'?><x:b y:a='1 &amp; 2'>t&lt;&#228;<![CDATA[<c>]]><d/></x:b>")
                .unwrap(),
            "<b Some(\"1 & 2\")>t<ä<c><d None></d></b>"
        );
    }

    #[test]
    fn entities_of_the_file_do_not_grow() {
        let bomb = "<!DOCTYPE b [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]><b>x&b;&c;y</b>";
        assert_eq!(all(bomb).unwrap(), "<b None>xy</b>");
    }

    #[test]
    fn elements_nested_without_end_take_no_stack() {
        assert!(all(&"<a>".repeat(200_000)).is_ok());
    }
}
