//! The structure of a schema: its size and the possible targets of its references.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::LimitExceeded;

/// The maximum number of objects, each of which may be a schema.
const MAX_OBJECTS: usize = 20_000;
const MAX_PATTERNS: usize = 500;
/// The maximum length of all patterns together, in bytes.
const MAX_PATTERN_TEXT_BYTES: usize = 64 << 10;
/// The maximum number of subschemas with an identifier. A reference can be relative to each of them.
const MAX_RESOURCES: usize = 32;
/// The maximum number of nested schemas, including the targets of references.
const MAX_LEVELS: usize = 4000;

pub(super) struct Structure<'a> {
    pub(super) root: &'a Value,
    /// The number of patterns.
    pub(super) patterns: usize,
    /// The maximum nesting depth of a validator that follows all references.
    pub(super) levels: usize,
    /// The root and each subschema with an identifier.
    resources: Vec<&'a Value>,
    /// Subschemas by anchor.
    anchors: HashMap<&'a str, Vec<&'a Value>>,
}

impl<'a> Structure<'a> {
    pub(super) fn of(root: &'a Value) -> Result<Self, LimitExceeded> {
        let mut structure = Self {
            root,
            patterns: 0,
            levels: 0,
            resources: vec![root],
            anchors: HashMap::new(),
        };
        let mut reading = Reading::default();
        let depth = structure.read(root, &mut reading)?;
        limit("objects", reading.objects, MAX_OBJECTS)?;
        limit("patterns", structure.patterns, MAX_PATTERNS)?;
        limit(
            "bytes of patterns",
            reading.pattern_text,
            MAX_PATTERN_TEXT_BYTES,
        )?;
        limit(
            "parts with identifiers",
            structure.resources.len(),
            MAX_RESOURCES,
        )?;
        // A validator enters each target at most once before it returns to a target that it is already in.
        let mut targets = HashSet::new();
        structure.levels = depth;
        for reference in reading.references {
            for target in structure.resolve(reference) {
                if targets.insert(std::ptr::from_ref(target)) {
                    let depth_of_target = reading.depths.get(&std::ptr::from_ref(target));
                    structure.levels += depth_of_target.copied().unwrap_or_default() + 1;
                }
            }
        }
        limit("levels of schemas in schemas", structure.levels, MAX_LEVELS)?;
        Ok(structure)
    }

    /// Reads a subschema and returns its depth. The JSON parser limits the depth.
    fn read(&mut self, part: &'a Value, reading: &mut Reading<'a>) -> Result<usize, LimitExceeded> {
        let mut depth = 0;
        match part {
            Value::Object(members) => {
                reading.objects += 1;
                // Checked here as well as at the end, so that the work is limited, too.
                limit("objects", reading.objects, MAX_OBJECTS)?;
                self.record_keywords(part, members, reading);
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

    fn record_keywords(
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
                // Older drafts of JSON Schema write anchors in this way.
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

    /// Returns every possible target of a reference, relative to each identifier.
    pub(super) fn resolve(&self, reference: &str) -> Vec<&'a Value> {
        let (_, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = percent_decode(fragment);
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

fn limit(what: &'static str, found: usize, limit: usize) -> Result<(), LimitExceeded> {
    if found <= limit {
        return Ok(());
    }
    Err(LimitExceeded::Size { what, found, limit })
}

fn percent_decode(fragment: &str) -> String {
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
