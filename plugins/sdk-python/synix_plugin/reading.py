"""What a reader is, the file that it reads, and where its artifacts go."""

from __future__ import annotations

import io
from enum import Enum
from typing import Any, Callable, Protocol

from .model import Output
from .transform import Config

#: The most that one call of `File.read_at` returns.
MAX_READ_BYTES = 1 << 20
_BUFFER_BYTES = 256 << 10


class Reason(Enum):
    """Why a reader leaves something out."""

    #: The service that wrote the file does not show it either.
    HIDDEN = "hidden"
    #: It has no content.
    EMPTY = "empty"
    #: It has content, but no text.
    NO_TEXT = "no-text"
    #: The same is in the file more than once.
    DUPLICATE = "duplicate"
    #: A branch of a conversation that is not the active one.
    BRANCH = "branch"
    #: It is damaged or cut off.
    UNREADABLE = "unreadable"
    #: It is of a kind that the reader does not read.
    UNSUPPORTED = "unsupported"
    #: The config leaves it out.
    FILTERED = "filtered"


class File:
    """A file of the project, for the time of one call of `read`."""

    def __init__(self, name: str, size: int, read: Callable[[int, int], bytes]) -> None:
        #: The path below the project folder, with `/` as the separator.
        self.name = name
        #: The size in bytes.
        self.size = size
        self._read: Callable[[int, int], bytes] | None = read

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`, at most 1 MiB; empty at the end of the file."""
        if self._read is None:
            raise ValueError("the file is closed: `read` has returned")
        return self._read(offset, min(length, MAX_READ_BYTES))

    def open(self) -> io.BufferedReader:
        """The file as Python's own binary files are: with `read`, `readline`, `seek`, and for `zipfile` and the like.

        Pass a size to `read` and `readline`, because a whole file or a line of a damaged one may not fit in memory.
        """
        return io.BufferedReader(_Raw(self), _BUFFER_BYTES)

    def close(self) -> None:
        """Ends every use of the file."""
        self._read = None


class _Raw(io.RawIOBase):
    def __init__(self, file: File) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._file.read_at(self._at, len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        if start + offset < 0:
            raise ValueError("cannot seek to before the start of the file")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at


class Reader:
    """A pure function from a file to artifacts, which it hands over one by one with `emit`."""

    name: str
    version: str = "0.1.0"
    summary: str
    #: JSON Schema of the layer's config. A property with `"format": "file"` names a file in the project; the reader
    #: gets its text.
    config_schema: dict[str, Any] = {"type": "object", "additionalProperties": False}

    def read(self, file: File, config: Config) -> None:
        """Reads one file. An error fails the file as a whole, so prefer to `skip` a part that cannot be read."""
        raise NotImplementedError


class Receiver(Protocol):
    """What takes the artifacts: synix, or a test."""

    def at(self, place: str) -> None: ...

    def emit(self, output: Output) -> None: ...

    def skip(self, what: str, reason: Reason) -> None: ...


_receiver: Receiver | None = None


def set_receiver(receiver: Receiver | None) -> Receiver | None:
    """Makes `receiver` take the artifacts, and returns the one before."""
    global _receiver
    before, _receiver = _receiver, receiver
    return before


def _current() -> Receiver:
    if _receiver is None:
        raise RuntimeError("nothing reads a file now; tests use `synix_plugin.testing.read`")
    return _receiver


def at(place: str) -> None:
    """Names the place in the file, such as `line 12`, that the next artifacts and skipped parts come from."""
    _current().at(place)


def emit(output: Output) -> None:
    """Hands over one artifact. Its label is unique within the layer."""
    _current().emit(output)


def skip(what: str, reason: Reason) -> None:
    """Reports something that is left out; `what` names it for people."""
    _current().skip(what, reason)
