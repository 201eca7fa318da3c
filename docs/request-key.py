#!/usr/bin/env python3
"""Computes request keys, version 1, without synix.

    python3 docs/request-key.py        checks the vectors in request-key.json beside this file
    python3 docs/request-key.py -      reads one request on stdin and prints its key

The key is the SHA-256 of the RFC 8785 text of the request with the member `"v": 1` added. A request for an embedding
has the member `"kind": "embedding"`; any other one asks for a completion.
"""

import hashlib
import json
import pathlib
import sys

MAX_SAFE_INTEGER = 2**53 - 1

COMMON = {"wire", "provider", "model", "options", "revision"}
# The required and the optional members by kind. Only an embedding names its kind.
MEMBERS = {
    None: (COMMON | {"messages", "stop", "sample"}, {"max_tokens", "temperature", "response_format"}),
    "embedding": (COMMON | {"kind", "text"}, {"dimensions"}),
}


def number(value):
    """Writes a double as ECMAScript does (ECMA-262, Number::toString)."""
    if isinstance(value, int):
        fits_64_bits = -(2**63) <= value < 2**64
        if fits_64_bits and abs(value) > MAX_SAFE_INTEGER:
            raise ValueError(f"the number {value} does not fit a double; write it as a string")
        value = float(value)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large for a double")
    if value == 0:
        return "0"
    # repr has the shortest digits that read back to the same double; the rest is where to put the point.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    point -= len(digits) - len(digits.lstrip("0"))
    digits = digits.strip("0")
    count = len(digits)
    if count <= point <= 21:
        text = digits + "0" * (point - count)
    elif 0 < point <= 21:
        text = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if count > 1 else "") + f"e{point - 1:+d}"
    return "-" + text if value < 0 else text


def string(value):
    """Writes a string with the shortest escapes; all else stays as it is."""
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    escaped = (short.get(char, f"\\u{ord(char):04x}" if char < " " else char) for char in value)
    return '"' + "".join(escaped) + '"'


def canonical(value):
    """Returns the RFC 8785 text of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    # Members stand in the order of their names' UTF-16 code units.
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(f"{string(name)}:{canonical(value[name])}" for name in names) + "}"


def key(request):
    """Returns the request key as 64 hex digits."""
    if not isinstance(request, dict):
        raise ValueError("a request is an object")
    kind = request.get("kind")
    if kind not in MEMBERS:
        raise ValueError(f"unknown kind: {kind}")
    required, optional = MEMBERS[kind]
    missing = required - request.keys()
    unknown = request.keys() - required - optional
    if missing or unknown:
        raise ValueError(f"missing members: {sorted(missing)}; unknown members: {sorted(unknown)}")
    document = dict.fromkeys(optional) | request | {"v": 1}
    return hashlib.sha256(canonical(document).encode("utf-8")).hexdigest()


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(text):
    return json.loads(text, parse_constant=no_constant)


def check(path):
    """Checks a file of vectors; returns the exit code."""
    vectors = parse(path.read_text(encoding="utf-8"))
    mismatches = 0
    for position, vector in enumerate(vectors):
        found = key(vector["request"])
        if found != vector["key"]:
            mismatches += 1
            print(f"vector {position}: expected {vector['key']}, computed {found}")
    if mismatches == 0:
        print(f"ok {len(vectors)}")
    return 1 if mismatches else 0


def main(arguments):
    if arguments == ["-"]:
        try:
            print(key(parse(sys.stdin.buffer.read().decode("utf-8"))))
        except ValueError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        return 0
    if arguments:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    return check(pathlib.Path(__file__).with_name("request-key.json"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
