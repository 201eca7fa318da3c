//! What the path of a document says: its title, and the identifier that Notion puts at its end.

use synix_reading::label::{safe, without_extension};

/// The digits of an identifier of Notion.
const ID_DIGITS: usize = 32;

/// What a path says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The label of the artifact.
    pub(crate) label: String,
    /// The last part of the path, without extension and identifier.
    pub(crate) title: String,
}

/// Reads a path such as `Export/Plans 0123456789abcdef0123456789abcdef.md`.
///
/// Notion's titles and folders change, its identifiers do not. Any other file is named by its path with the extension,
/// because `manual.html` and `manual.pdf` are often neighbours.
pub(crate) fn named(path: &str) -> Named {
    let bare = without_extension(path);
    let name = bare.rsplit('/').next().unwrap_or(bare);
    if let Some((title, id)) = notion(name) {
        return Named {
            label: format!("notion-{id}"),
            title: title.to_owned(),
        };
    }
    Named {
        label: safe(path),
        title: name.to_owned(),
    }
}

fn notion(name: &str) -> Option<(&str, &str)> {
    let split = name.len().checked_sub(ID_DIGITS)?;
    let (title, id) = (name.get(..split)?, name.get(split..)?);
    let hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    let title = title.strip_suffix([' ', '-', '_'])?.trim_end();
    (id.bytes().all(hex) && !title.is_empty()).then_some((title, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_of_notion_is_the_label_and_no_part_of_the_title() {
        let id = "0123456789abcdef0123456789abcdef";
        let named = named(&format!("Export/Old {id}/My Plans {id}.md"));
        assert_eq!(
            (named.label, named.title),
            (format!("notion-{id}"), "My Plans".to_owned())
        );
    }

    #[test]
    fn any_other_path_is_the_label() {
        for (path, title) in [
            ("a/manual.html", "manual"),
            (
                "0123456789abcdef0123456789abcdef.md",
                "0123456789abcdef0123456789abcdef",
            ),
            (
                "a/x 0123456789ABCDEF0123456789ABCDEF.md",
                "x 0123456789ABCDEF0123456789ABCDEF",
            ),
            (
                "ä.b/日本語日本語日本語日本語.md",
                "日本語日本語日本語日本語",
            ),
        ] {
            let named = named(path);
            assert_eq!((named.label.as_str(), named.title.as_str()), (path, title));
        }
    }
}
