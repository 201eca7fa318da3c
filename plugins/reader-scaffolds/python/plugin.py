"""Reads files of cards: records with a blank line between them, of which each may begin with a title and a date.

    title: The roof
    date: 2026-03-02
    Call Ann about the roof.
"""

from synix_plugin import Config, File, InvalidConfig, Output, Reader, Reason, at, emit, skip

# A damaged file may have no line break at all, and a whole line of it may not fit in memory.
MAX_RECORD_BYTES = 1 << 20
FIELDS = ("title", "date")


class Cards(Reader):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Reads the cards of a file"
    config_schema = {
        "type": "object",
        "properties": {
            "min_chars": {
                "type": "integer", "minimum": 0, "maximum": 1000, "default": 1,
                "description": "Leave out cards with fewer characters",
            }
        },
        "additionalProperties": False,
    }

    def read(self, file: File, config: Config) -> None:
        min_chars = config.get("min_chars", 1)
        if not isinstance(min_chars, int):
            raise InvalidConfig("`min_chars` must be a number")
        lines = file.open()
        record, size, number, line, start = bytearray(), 0, 0, 1, 1
        while True:
            part = lines.readline(MAX_RECORD_BYTES)
            if part.strip():
                size += len(part)
                # Nothing of a card that is skipped needs to be kept.
                record = record + part if size <= MAX_RECORD_BYTES else bytearray()
            else:
                # A blank line, or the end of the file.
                if size > 0:
                    number += 1
                    at(f"line {start}")
                    card(file.name, number, record, size, min_chars)
                record, size, start = bytearray(), 0, line + 1
            if not part:
                break
            line += part.endswith(b"\n")
        if number == 0:
            skip("the file, which has no cards", Reason.EMPTY)


def card(file: str, number: int, record: bytearray, size: int, min_chars: int) -> None:
    if size > MAX_RECORD_BYTES:
        return skip(f"card {number}, which is longer than 1 MiB", Reason.UNREADABLE)
    try:
        lines = record.decode("utf-8").replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError:
        return skip(f"card {number}, which is not UTF-8", Reason.UNREADABLE)
    metadata = {"file": file}
    while lines:
        field, colon, value = lines[0].partition(":")
        if field.strip() not in FIELDS or not colon:
            break
        metadata[field.strip()] = value.strip()
        lines.pop(0)
    content = "\n".join(lines).strip()
    what = metadata.get("title", f"card {number}")
    if not content:
        return skip(what, Reason.EMPTY)
    if len(content) < min_chars:
        return skip(what, Reason.FILTERED)
    # The path without its extension: a label must be unique in the layer, so the name of the file is not enough.
    folder, _, name = file.rpartition("/")
    stem = name.rpartition(".")[0] or name
    emit(Output(f"{folder}/{stem}-{number}".lstrip("/"), "card", content, metadata))


reader = Cards()
