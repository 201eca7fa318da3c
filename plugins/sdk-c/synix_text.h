// Memory, texts and JSON for a transform in C; `synix.h` includes it.
#ifndef SYNIX_TEXT_H
#define SYNIX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transform.h"

// A text: `ptr` and `len`, UTF-8, without a terminating zero.
typedef transform_string_t synix_text;

// ---- memory and texts ----

// Never NULL: a run without memory ends here.
static inline void *synix_allocate(size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) abort();
  size_t bytes = count * size;
  void *memory = calloc(bytes == 0 ? 1 : bytes, 1);
  if (memory == NULL) abort();
  return memory;
}

// A list with room for one more; lists have as much room as the next power of two.
static inline void *synix_grown(void *list, size_t count, size_t size) {
  if ((count & (count - 1)) != 0) return list;
  void *grown = synix_allocate(count == 0 ? 1 : count * 2, size);
  if (count > 0) memcpy(grown, list, count * size);
  return grown;
}

// A text that shares the memory of a C string.
static inline synix_text synix_str(const char *text) {
  return (synix_text){(uint8_t *)text, strlen(text)};
}

static inline synix_text synix_join_parts(const synix_text *parts, size_t count) {
  size_t size = 0;
  for (size_t i = 0; i < count; i++) {
    if (parts[i].len > SIZE_MAX - size) abort();
    size += parts[i].len;
  }
  synix_text joined = {synix_allocate(size, 1), 0};
  for (size_t i = 0; i < count; i++) {
    if (parts[i].len == 0) continue;
    memcpy(joined.ptr + joined.len, parts[i].ptr, parts[i].len);
    joined.len += parts[i].len;
  }
  return joined;
}

// Joins texts: `synix_join(synix_str("a"), label)`.
#define synix_join(...)                              \
  synix_join_parts((const synix_text[]){__VA_ARGS__}, \
                   sizeof((const synix_text[]){__VA_ARGS__}) / sizeof(synix_text))

// A copy with memory of its own.
static inline synix_text synix_copy(synix_text text) { return synix_join_parts(&text, 1); }

// A number in decimal digits; also its JSON text.
static inline synix_text synix_number(uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return synix_copy((synix_text){(uint8_t *)digits + at, sizeof digits - at});
}

// The bytes of the white space that a text begins with, as Unicode defines it; 0 where it begins with something else.
static inline size_t synix_space(synix_text text) {
  const uint8_t *at = text.ptr;
  if (text.len > 0 && (at[0] == ' ' || (at[0] >= '\t' && at[0] <= '\r'))) return 1;
  if (text.len > 1 && at[0] == 0xc2 && (at[1] == 0x85 || at[1] == 0xa0)) return 2;
  if (text.len < 3) return 0;
  uint32_t code = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
  bool is_space = code == 0xe19a80 || (code >= 0xe28080 && code <= 0xe2808a) || code == 0xe280a8 ||
                  code == 0xe280a9 || code == 0xe280af || code == 0xe2819f || code == 0xe38080;
  return is_space ? 3 : 0;
}

// The text without the white space at both ends; shares its memory. The same in each language.
static inline synix_text synix_trim(synix_text text) {
  for (size_t size; (size = synix_space(text)) > 0; text.len -= size) text.ptr += size;
  for (size_t size = 1; size <= 3 && size <= text.len; size++) {
    if (synix_space((synix_text){text.ptr + text.len - size, size}) != size) continue;
    text.len -= size;
    size = 0;
  }
  return text;
}

// The number of lines that hold more than white space.
static inline size_t synix_count_lines(synix_text text) {
  size_t lines = 0;
  bool counted = false;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == '\n') {
      counted = false;
      continue;
    }
    size_t space = synix_space((synix_text){text.ptr + i, text.len - i});
    if (space > 0) {
      i += space - 1;
    } else if (!counted) {
      counted = true;
      lines++;
    }
  }
  return lines;
}

// The text as a JSON string, for metadata.
static inline synix_text synix_json(synix_text text) {
  static const char hex[] = "0123456789abcdef";
  if (text.len > (SIZE_MAX - 2) / 6) abort();
  synix_text json = {synix_allocate(text.len * 6 + 2, 1), 0};
  json.ptr[json.len++] = '"';
  for (size_t i = 0; i < text.len; i++) {
    uint8_t byte = text.ptr[i];
    if (byte == '"' || byte == '\\') {
      json.ptr[json.len++] = '\\';
      json.ptr[json.len++] = byte;
    } else if (byte < 0x20) {
      memcpy(json.ptr + json.len, "\\u00", 4);
      json.ptr[json.len + 4] = (uint8_t)hex[byte >> 4];
      json.ptr[json.len + 5] = (uint8_t)hex[byte & 15];
      json.len += 6;
    } else {
      json.ptr[json.len++] = byte;
    }
  }
  json.ptr[json.len++] = '"';
  return json;
}

static inline bool synix_equals(synix_text text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

// Compares texts byte by byte, as `strcmp` does.
static inline int synix_compare(synix_text one, synix_text other) {
  size_t shorter = one.len < other.len ? one.len : other.len;
  int order = shorter == 0 ? 0 : memcmp(one.ptr, other.ptr, shorter);
  return order != 0 ? order : (one.len > other.len) - (one.len < other.len);
}

// ---- reading JSON ----

// The end of the JSON value that begins at `at`; the text is taken to be JSON.
static inline size_t synix_skip_json(synix_text json, size_t at) {
  size_t depth = 0;
  for (; at < json.len; at++) {
    uint8_t byte = json.ptr[at];
    if (byte == '"') {
      for (at++; at < json.len && json.ptr[at] != '"'; at++) at += json.ptr[at] == '\\';
    } else if (byte == '{' || byte == '[') {
      depth++;
    } else if (byte == '}' || byte == ']') {
      if (depth == 0) return at;
      depth--;
    } else if (byte == ',' || byte == ':') {
      if (depth == 0) return at;
    }
  }
  return json.len;
}

// The JSON text of a member of an object; `len` is 0 where it has none of that name.
static inline synix_text synix_json_member(synix_text object, const char *key) {
  synix_text json = synix_trim(object);
  if (json.len == 0 || json.ptr[0] != '{') return (synix_text){NULL, 0};
  size_t at = 1;
  while (at < json.len) {
    size_t colon = synix_skip_json(json, at);
    if (colon >= json.len || json.ptr[colon] != ':') break;
    size_t end = synix_skip_json(json, colon + 1);
    synix_text name = synix_trim((synix_text){json.ptr + at, colon - at});
    if (name.len >= 2 && synix_equals((synix_text){name.ptr + 1, name.len - 2}, key))
      return synix_trim((synix_text){json.ptr + colon + 1, end - colon - 1});
    at = end + 1;
  }
  return (synix_text){NULL, 0};
}

static inline bool synix_hex4(synix_text json, size_t at, uint32_t *code) {
  if (at > json.len || json.len - at < 4) return false;
  *code = 0;
  for (size_t i = at; i < at + 4; i++) {
    uint8_t c = json.ptr[i], low = c | 0x20;
    if (!((c >= '0' && c <= '9') || (low >= 'a' && low <= 'f'))) return false;
    *code = *code << 4 | (c <= '9' ? (uint32_t)c - '0' : (uint32_t)low - 'a' + 10);
  }
  return true;
}

// Gives the text that a JSON string stands for; false where the JSON is no string.
static inline bool synix_json_text(synix_text json, synix_text *text) {
  static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  json = synix_trim(json);
  if (json.len < 2 || json.ptr[0] != '"' || json.ptr[json.len - 1] != '"') return false;
  // Nothing is longer than its escape.
  synix_text made = {synix_allocate(json.len, 1), 0};
  for (size_t i = 1; i < json.len - 1; i++) {
    uint8_t byte = json.ptr[i];
    if (byte == '"' || byte < 0x20) return false;
    if (byte != '\\') {
      made.ptr[made.len++] = byte;
      continue;
    }
    if (++i == json.len - 1) return false;
    const char *known = strchr(escapes, json.ptr[i]);
    if (json.ptr[i] != 0 && known != NULL) {
      made.ptr[made.len++] = (uint8_t)meant[known - escapes];
      continue;
    }
    uint32_t code, low;
    if (json.ptr[i] != 'u' || !synix_hex4(json, i + 1, &code)) return false;
    i += 4;
    if (code >= 0xd800 && code <= 0xdfff) {
      if (code >= 0xdc00 || i + 2 >= json.len || json.ptr[i + 1] != '\\' || json.ptr[i + 2] != 'u') return false;
      if (!synix_hex4(json, i + 3, &low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      i += 6;
    }
    size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
    made.ptr[made.len++] = (uint8_t)(first[more] | code >> (6 * more));
    for (; more > 0; more--) made.ptr[made.len++] = (uint8_t)(0x80 | ((code >> (6 * (more - 1))) & 0x3f));
  }
  *text = made;
  return true;
}

#endif
