//! Reads `multipart/form-data` without copying the parts.

use bytes::Bytes;
use memchr::memmem;

/// One part of a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content: Bytes,
}

/// Splits a form into its parts; `None` where it is no complete form.
pub(crate) fn parts(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let boundary = parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())?;
    let delimiter = format!("\r\n--{boundary}");
    let opening = &delimiter.as_bytes()[2..];
    let finder = memmem::Finder::new(delimiter.as_bytes());

    // Only the first delimiter may lack the line break before it.
    let mut rest = match body.starts_with(opening) {
        true => body.slice(opening.len()..),
        false => body.slice(finder.find(body)? + delimiter.len()..),
    };
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let start = memmem::find(&rest, b"\r\n")? + 2;
        let end = start - 2 + finder.find(&rest[start - 2..])?;
        if let Some(part) = part(&rest.slice(start..end.max(start))) {
            parts.push(part);
        }
        rest = rest.slice(end + delimiter.len()..);
    }
    Some(parts)
}

fn part(raw: &Bytes) -> Option<Part> {
    let head_end = memmem::find(raw, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&raw[..head_end]);
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    Some(Part {
        name: parameter(disposition, "name")?.to_owned(),
        filename: parameter(disposition, "filename").map(str::to_owned),
        content: raw.slice(head_end + 4..),
    })
}

/// Finds `name=value` or `name="value"` among the parameters of a header.
fn parameter<'h>(header: &'h str, name: &str) -> Option<&'h str> {
    header.split(';').skip(1).find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"x-y\"";

    #[test]
    fn a_form_gives_its_fields_and_files() {
        let body = Bytes::from_static(
            b"--x-y\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
              --x-y\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\nContent-Type: text/plain\r\n\r\n{}\n--x\r\n\r\n--x-y--\r\n",
        );
        let found = parts(TYPE, &body).unwrap();
        assert_eq!(
            found[0],
            Part {
                name: "purpose".into(),
                filename: None,
                content: Bytes::from_static(b"batch")
            }
        );
        assert_eq!(found[1].filename.as_deref(), Some("a.jsonl"));
        assert_eq!(found[1].content, Bytes::from_static(b"{}\n--x\r\n"));
    }

    #[test]
    fn a_form_that_breaks_off_is_none() {
        let body = Bytes::from_static(
            b"--x-y\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbat",
        );
        assert_eq!(parts(TYPE, &body), None);
    }

    #[test]
    fn a_body_without_boundary_is_none() {
        assert_eq!(
            parts("multipart/form-data", &Bytes::from_static(b"--x")),
            None
        );
    }
}
