//! What a schema holds, found by reading it as JSON: its size, and where its references may lead.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::TooCostly;

/// Objects in the whole schema; each may be a schema.
const OBJECTS: usize = 20_000;
const PATTERNS: usize = 500;
/// Bytes of all patterns.
const PATTERN_TEXT: usize = 64 << 10;
/// Parts with an identifier of their own; a reference may start from each.
const RESOURCES: usize = 32;
/// Levels of schemas in schemas, with those that references lead to.
const LEVELS: usize = 4000;

/// A schema as it stands.
pub(super) struct Outline<'a> {
    pub(super) root: &'a Value,
    /// Patterns that it has.
    pub(super) patterns: usize,
    /// The most levels that whoever follows its references comes through.
    pub(super) levels: usize,
    /// The whole, and each part with an identifier.
    resources: Vec<&'a Value>,
    /// Parts by their anchors.
    anchors: HashMap<&'a str, Vec<&'a Value>>,
}

impl<'a> Outline<'a> {
    pub(super) fn of(root: &'a Value) -> Result<Self, TooCostly> {
        let mut outline = Self {
            root,
            patterns: 0,
            levels: 0,
            resources: vec![root],
            anchors: HashMap::new(),
        };
        let mut reading = Reading::default();
        let depth = outline.read(root, &mut reading)?;
        limit("objects", reading.objects, OBJECTS)?;
        limit("patterns", outline.patterns, PATTERNS)?;
        limit("bytes of patterns", reading.pattern_text, PATTERN_TEXT)?;
        limit("parts with identifiers", outline.resources.len(), RESOURCES)?;
        // Whoever follows references enters each target at most once before the way leads back.
        let mut targets = HashSet::new();
        outline.levels = depth;
        for reference in reading.references {
            for target in outline.resolve(reference) {
                if targets.insert(std::ptr::from_ref(target)) {
                    let below = reading.depths.get(&std::ptr::from_ref(target));
                    outline.levels += below.copied().unwrap_or_default() + 1;
                }
            }
        }
        limit("levels of schemas in schemas", outline.levels, LEVELS)?;
        Ok(outline)
    }

    /// Reads a part; returns how deep it is. The parser bounds the depth.
    fn read(&mut self, part: &'a Value, reading: &mut Reading<'a>) -> Result<usize, TooCostly> {
        let mut depth = 0;
        match part {
            Value::Object(members) => {
                reading.objects += 1;
                // Sooner than at the end, so that the work is bounded, too.
                limit("objects", reading.objects, OBJECTS)?;
                self.note(part, members, reading);
                for member in members.values() {
                    depth = depth.max(self.read(member, reading)? + 1);
                }
            }
            Value::Array(items) => {
                for item in items {
                    depth = depth.max(self.read(item, reading)? + 1);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(0),
        }
        reading.depths.insert(std::ptr::from_ref(part), depth);
        Ok(depth)
    }

    fn note(
        &mut self,
        part: &'a Value,
        members: &'a Map<String, Value>,
        reading: &mut Reading<'a>,
    ) {
        let text = |key: &str| members.get(key).and_then(Value::as_str);
        for key in ["$ref", "$dynamicRef", "$recursiveRef"] {
            reading.references.extend(text(key));
        }
        for key in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = text(key) {
                self.anchors.entry(name).or_default().push(part);
            }
        }
        for key in ["$id", "id"] {
            match text(key).map(|id| (id, id.strip_prefix('#'))) {
                // Older drafts write anchors so.
                Some((_, Some(name))) => self.anchors.entry(name).or_default().push(part),
                Some((_, None)) if !std::ptr::eq(part, self.root) => self.resources.push(part),
                Some(_) | None => {}
            }
        }
        if let Some(pattern) = text("pattern") {
            self.patterns += 1;
            reading.pattern_text += pattern.len();
        }
        if let Some(Value::Object(by_pattern)) = members.get("patternProperties") {
            self.patterns += by_pattern.len();
            reading.pattern_text += by_pattern.keys().map(String::len).sum::<usize>();
        }
    }

    /// Returns every part that a reference may lead to; which identifier it starts from is not decided.
    pub(super) fn resolve(&self, reference: &str) -> Vec<&'a Value> {
        let (_, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = decoded(fragment);
        if fragment.is_empty() {
            return self.resources.clone();
        }
        if fragment.starts_with('/') {
            let found = self.resources.iter();
            return found.filter_map(|part| part.pointer(&fragment)).collect();
        }
        self.anchors
            .get(fragment.as_str())
            .cloned()
            .unwrap_or_default()
    }
}

#[derive(Default)]
struct Reading<'a> {
    objects: usize,
    pattern_text: usize,
    references: Vec<&'a str>,
    depths: HashMap<*const Value, usize>,
}

fn limit(what: &'static str, found: usize, limit: usize) -> Result<(), TooCostly> {
    if found <= limit {
        return Ok(());
    }
    Err(TooCostly::Size { what, found, limit })
}

/// Undoes the `%` escapes of a fragment.
fn decoded(fragment: &str) -> String {
    let bytes = fragment.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%')
            .then(|| fragment.get(at + 1..at + 3))
            .flatten();
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(escaped) => {
                plain.push(escaped);
                at += 3;
            }
            None => {
                plain.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}
