//! PDF: the text of its pages, if it has one.
//!
//! `hayro` interprets a page as a viewer does and passes on glyphs with their places; pictures are counted, not decoded.
//! Words, lines and paragraphs are not in a PDF: `layout` makes them from the places.

use std::collections::HashMap;

use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Rect, Shape as _};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask, TransformExt as _, interpret_page,
};
use synix_plugin::Error;
use synix_plugin::reading::{self, Reason};
use synix_reading::time::Time;

use crate::document::Document;
use crate::pile::Found;

mod bounds;
mod layout;

use layout::{Layout, Placed};

/// The most glyphs of a page; a page of a newspaper has some 30,000.
const GLYPHS: usize = 500_000;
/// The most text of a document: an artifact has a limit.
const TEXT_BYTES: usize = 24 << 20;

/// Reads the document.
pub(crate) fn read(bytes: Vec<u8>) -> Result<Found, Error> {
    bounds::check_streams(&bytes)?;
    let pdf = match Pdf::new(bytes) {
        Ok(pdf) => pdf,
        Err(LoadPdfError::Decryption(_)) => return Ok(Found::Nothing(Reason::Unsupported)),
        Err(LoadPdfError::Invalid) => {
            return Err(Error::InvalidInput(
                "the PDF is damaged: it has no pages that can be found".to_owned(),
            ));
        }
    };
    let cache = InterpreterCache::new();
    let mut layout = Layout::default();
    let mut forms = bounds::Forms::default();
    let mut unnamed = 0;
    let pages = pdf.pages();
    for (number, page) in (1_usize..).zip(pages.iter()) {
        forms.check(number, page)?;
        let mut glyphs = Glyphs::default();
        let area = Rect::new(0.0, 0.0, 1.0, 1.0);
        let upright = page.initial_transform(true);
        let mut context = Context::new(
            upright.to_kurbo(),
            area,
            &cache,
            pdf.xref(),
            InterpreterSettings::default(),
        );
        interpret_page(page, &mut context, &mut glyphs);
        unnamed += glyphs.unnamed;
        if glyphs.placed.is_empty() && (glyphs.pictures > 0 || glyphs.unnamed > 0) {
            reading::skip(&format!("page {number}"), Reason::NoText);
        }
        layout.page(&glyphs.placed);
        if layout.len() > TEXT_BYTES {
            reading::skip(
                &format!("the pages after page {number}: the text is too long"),
                Reason::Unsupported,
            );
            break;
        }
    }
    let (text, written) = layout.finish();
    // Fonts without names for their glyphs leave a few signs, which are no text.
    if text.is_empty() || written < unnamed {
        return Ok(Found::Nothing(Reason::NoText));
    }
    let about = pdf.metadata();
    Ok(Found::Document(Document {
        format: "pdf",
        text,
        title: about
            .title
            .as_deref()
            .map(decoded)
            .filter(|title| is_title(title)),
        author: about.author.as_deref().map(decoded),
        created: about.creation_date.as_ref().and_then(time),
        updated: about.modification_date.as_ref().and_then(time),
        pages: Some(pages.len()),
        ..Document::default()
    }))
}

/// Programs write the name of the file they printed, or nothing.
fn is_title(title: &str) -> bool {
    let title = title.trim().to_lowercase();
    !title.is_empty() && title != "untitled" && !title.starts_with("microsoft word - ")
}

/// Decodes a text of the document's own record: UTF-16 or UTF-8 with a mark, else Latin letters.
fn decoded(bytes: &[u8]) -> String {
    if bytes.starts_with(b"\xfe\xff")
        || bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xef\xbb\xbf")
    {
        return synix_markup::decode(bytes);
    }
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn time(date: &hayro_interpret::hayro_syntax::object::DateTime) -> Option<Time> {
    let sign = if date.utc_offset_hour < 0 { -1 } else { 1 };
    let east =
        i64::from(date.utc_offset_hour) * 3600 + sign * i64::from(date.utc_offset_minute) * 60;
    Time::of(
        [date.year.into(), date.month.into(), date.day.into()],
        [date.hour.into(), date.minute.into(), date.second.into()],
        east,
    )
}

/// Collects the glyphs of a page.
#[derive(Default)]
struct Glyphs {
    placed: Vec<Placed>,
    /// Glyphs whose font does not say which characters they are.
    unnamed: usize,
    pictures: usize,
    /// How far a glyph's ink reaches to the right, in thousandths of its size.
    widths: HashMap<u128, f64>,
}

impl Device<'_> for Glyphs {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        for glyph in run.glyphs() {
            let text = match glyph.as_unicode() {
                Some(BfString::Char(char)) => char.to_string(),
                Some(BfString::String(text)) => text,
                None => {
                    self.unnamed += 1;
                    continue;
                }
            };
            if self.placed.len() >= GLYPHS {
                return;
            }
            let transform: Affine = props.transform * glyph.transform();
            let Glyph::Outline(outline) = &**glyph else {
                self.place(text, transform, None, 0);
                continue;
            };
            let key = outline.identifier().cache_key();
            let width = *self.widths.entry(key).or_insert_with(|| {
                let right = outline.outline().bounding_box().x1;
                if right.is_finite() { right } else { 0.0 }
            });
            self.place(text, transform, Some(width), key);
        }
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.pictures += 1;
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Glyphs {
    fn place(&mut self, text: String, transform: Affine, ink: Option<f64>, glyph: u128) {
        let origin = transform * Point::ZERO;
        // Glyphs are drawn in thousandths of their size.
        let right = transform * Point::new(1000.0, 0.0) - origin;
        let size = right.hypot();
        if !(origin.x.is_finite() && origin.y.is_finite() && size.is_finite() && size > 0.0) {
            return;
        }
        // Text that runs upwards or downwards is laid out as if it ran to the right.
        let (cos, sin) = (right.x / size, right.y / size);
        self.placed.push(Placed {
            text,
            x: origin.x * cos + origin.y * sin,
            y: origin.y * cos - origin.x * sin,
            size,
            ink: ink.map(|ink| ink / 1000.0),
            glyph,
            angle: sin.atan2(cos),
        });
    }
}

#[cfg(test)]
mod tests;
