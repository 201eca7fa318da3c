//! One file for each artifact, in a folder for each layer.

use super::ReleaseError;
use super::export::Export;
use super::file_name::file_name;
use super::folder::OutputFolder;
use super::front_matter::front_matter;
use synix_core::artifact::Content;

/// The extensions of contents that are not text. None of them is that of the texts.
const EXTENSIONS: [(&str, &str); 8] = [
    ("application/json", "json"),
    ("application/pdf", "pdf"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/webp", "webp"),
    ("text/html", "html"),
];

/// The extension of texts, and of the files that say what other contents are.
const TEXT: &str = "md";

pub(super) fn write(
    export: &Export<'_>,
    folder: &mut OutputFolder,
    path: &str,
) -> Result<u64, ReleaseError> {
    let mut makings = export.rows.makings();
    let mut count = 0;
    folder.create_folder(path)?;
    export.rows.for_each(|row| {
        let making = makings.of(&row.found)?;
        let stem = file_name(&row.label);
        let place = format!("{path}/{}/{stem}", file_name(&row.layer));
        match &row.content {
            Content::Text(text) => folder.put(
                &format!("{place}.{TEXT}"),
                &[
                    front_matter(&row, &making, None).as_bytes(),
                    text.as_bytes(),
                ],
            )?,
            Content::Bytes { media_type, data } => {
                let extension = extension(media_type);
                folder.put(&format!("{place}.{extension}"), &[data])?;
                let file = format!("{stem}.{extension}");
                let text = front_matter(&row, &making, Some(&file));
                folder.put(&format!("{place}.{TEXT}"), &[text.as_bytes()])?;
            }
        }
        count += 1;
        Ok::<_, ReleaseError>(())
    })?;
    Ok(count)
}

fn extension(media_type: &str) -> &'static str {
    let known = EXTENSIONS.iter().find(|(known, _)| *known == media_type);
    known.map_or("bin", |(_, extension)| extension)
}
