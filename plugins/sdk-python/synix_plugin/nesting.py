"""How deep JSON may be nested.

Within a component the reader of the standard library runs out of stack, and the unit ends without an exception, where a
text has some thousand lists in lists. So a text that is nested deeper than this is refused before it is read.
"""

from __future__ import annotations

import json
import re

#: Lists and objects in one another, at most.
DEEPEST = 500

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


class TooDeep(json.JSONDecodeError, RecursionError):
    """JSON that is nested too deeply; it can be caught as either of the exceptions that Python has for it."""


def check(text: str, start: int = 0) -> None:
    """Raises `TooDeep` where the JSON from `start` on is nested too deeply."""
    if text.count("[", start) + text.count("{", start) <= DEEPEST:
        return
    depth = 0
    for token in _TOKEN.finditer(text, start):
        first = token.group()[0]
        if first in "[{":
            depth += 1
            if depth > DEEPEST:
                raise TooDeep(f"More than {DEEPEST} lists and objects in one another", text, token.start())
        elif first in "]}":
            depth -= 1


def guard() -> None:
    """Makes every reader of the module `json` look before it reads."""
    read = json.JSONDecoder.raw_decode

    def guarded(self: json.JSONDecoder, s: str, idx: int = 0) -> object:
        check(s, idx)
        return read(self, s, idx)

    json.JSONDecoder.raw_decode = guarded  # type: ignore[method-assign,assignment]
