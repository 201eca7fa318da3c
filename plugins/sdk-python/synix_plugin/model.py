"""The contract's values as plain Python, on any machine; `wit/` says what each means."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def trim(text: str) -> str:
    """The text without the white space at both ends, as Unicode defines it: the same in each language."""
    # `str.strip` has four more.
    return text.strip(_SPACE)


class Shape(Enum):
    """How inputs become units."""

    PER_INPUT = "per-input"
    GROUPED = "grouped"
    ALL = "all"


class Role(Enum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True)
class Blob:
    """Bytes with their media type."""

    media_type: str
    data: bytes


@dataclass(frozen=True)
class Header:
    """All that is known of an input without its content."""

    label: str
    kind: str = "text"
    digest: str = "0" * 64
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """An artifact handed to `execute`."""

    header: Header
    content: str | Blob

    @property
    def label(self) -> str:
        return self.header.label

    def text(self) -> str:
        """The content, or an error that names the input where it is not text."""
        from .transform import InvalidInput

        if isinstance(self.content, Blob):
            raise InvalidInput(f"the input `{self.header.label}` is {self.content.media_type}, not text")
        return self.content


@dataclass(frozen=True)
class Unit:
    """A piece of work: positions of its inputs, and what it adds to the layer's config."""

    key: str
    inputs: list[int]
    config: dict[str, Any] | None = None


@dataclass(frozen=True)
class Output:
    """An artifact made by a unit; metadata values are anything that JSON has."""

    label: str
    kind: str
    content: str | Blob
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One turn of a conversation: texts and pictures."""

    role: Role
    parts: list[str | Blob]


@dataclass(frozen=True)
class Request:
    """A question to a model. What is None is the setting of the layer's model role."""

    messages: list[Message]
    max_tokens: int | None = None
    temperature: float | None = None
    stop: list[str] = field(default_factory=list)
    response_format: dict[str, Any] | None = None
    model: str | None = None
    sample: int = 0
    options: dict[str, Any] | None = None

    @staticmethod
    def user(text: str, *, system: str | None = None, **settings: Any) -> Request:
        """A question of one text, with instructions in front where they are given."""
        messages = [] if system is None else [Message(Role.SYSTEM, [system])]
        return Request([*messages, Message(Role.USER, [text])], **settings)


@dataclass(frozen=True)
class Usage:
    """Tokens, as the provider counted them."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Response:
    """A model's answer; `ending` is `complete` but for layers that accept other endings."""

    text: str
    ending: str = "complete"
    model: str = "scripted"
    usage: Usage = Usage(1, 1)
    details: dict[str, Any] = field(default_factory=dict)
