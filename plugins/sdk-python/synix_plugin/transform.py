"""What a transform is, and what it can call."""

from __future__ import annotations

import json
from typing import Any, Callable, Protocol, Sequence

from . import nesting
from .model import Header, Input, Output, Request, Response, Shape, Unit

Config = dict[str, Any]


class TransformError(Exception):
    """Why a transform could not do its work: a name for machines and one sentence for people."""

    code = "other"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code


class InvalidConfig(TransformError):
    """The config cannot be used."""

    code = "invalid-config"


class InvalidInput(TransformError):
    """An input cannot be used."""

    code = "invalid-input"


class InvalidAnswer(TransformError):
    """The model's answer cannot be used."""

    code = "invalid-answer"


class LlmError(TransformError):
    """A request that cannot be asked; `code` says why, as `llm-not-granted` does."""


class Transform:
    """A pure function from a unit and the answers it asked for to outputs."""

    name: str
    version: str = "0.1.0"
    summary: str
    shape: Shape = Shape.PER_INPUT
    #: Names of the capabilities it uses; `()` for a transform that asks no model.
    capabilities: Sequence[str] = ("llm",)
    #: JSON Schema of the layer's config. A property with `"format": "file"` names a file in the project; the
    #: transform gets its text.
    config_schema: dict[str, Any] = {"type": "object", "additionalProperties": False}

    def split(self, inputs: list[Header], config: Config) -> list[Unit]:
        """Divides a layer's inputs into units; to be written for the shape `GROUPED`."""
        if self.shape is Shape.ALL:
            return [Unit("all", sorted(range(len(inputs)), key=lambda position: inputs[position].label))]
        if self.shape is Shape.PER_INPUT:
            return [Unit(header.label, [position]) for position, header in enumerate(inputs)]
        raise TransformError(f"the transform {self.name} promises groups and has no `split`", "no-split")

    def execute(self, unit: Unit, inputs: list[Input], config: Config) -> list[Output]:
        """Makes the outputs of one unit."""
        raise NotImplementedError


class Host(Protocol):
    """What stands on the other side: synix, or a test's script."""

    def complete_all(self, requests: list[Request]) -> list[Response]: ...

    def log(self, level: str, message: str) -> None: ...


_host: Host | None = None


def set_host(host: Host | None) -> Host | None:
    """Puts `host` on the other side and returns the one before."""
    global _host
    before, _host = _host, host
    return before


def complete(request: Request) -> Response:
    """Asks one question."""
    return complete_all([request])[0]


def complete_all(requests: list[Request]) -> list[Response]:
    """Asks questions that do not depend on each other, in one round; the answers stand in their order."""
    if _host is None:
        raise LlmError("there is no model; tests use `synix_plugin.testing.ScriptedModel`", "llm-not-granted")
    return _host.complete_all(requests)


def loads(answer: str) -> Any:
    """Reads an answer that should be JSON, or raises `InvalidAnswer` with what is wrong with it."""
    try:
        nesting.check(answer)
        return json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(f"the answer is not the JSON that was asked for: {error}") from None


def log(message: str, level: str = "info") -> None:
    """Writes one line for the person who runs the build: trace, debug, info, warn or error."""
    if _host is not None:
        _host.log(level, message)


Script = Callable[[Request], str | Response]
