"""Runs a transform or a reader as a Python function, with a script in the model's place; nothing is compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from .model import Blob, Header, Input, Output, Request, Response, Unit
from .reading import File, Reader, Reason, set_receiver
from .transform import Script, Transform, set_host


class ScriptedModel:
    """Answers requests by `script` while it is entered, and keeps `requests` and log `lines` in their order."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._before: Any = None
        self.requests: list[Request] = []
        self.lines: list[tuple[str, str]] = []

    def complete_all(self, requests: list[Request]) -> list[Response]:
        answers = []
        for request in requests:
            self.requests.append(request)
            answer = self._script(request)
            answers.append(Response(answer) if isinstance(answer, str) else answer)
        return answers

    def log(self, level: str, message: str) -> None:
        self.lines.append((level, message))

    def __enter__(self) -> ScriptedModel:
        self._before = set_host(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        set_host(self._before)


def text_input(label: str, content: str | Blob, **metadata: Any) -> Input:
    """An input of the kind `text`."""
    return Input(Header(label, metadata=metadata), content)


def execute(transform: Transform, inputs: list[Input], config: dict[str, Any] | None = None) -> list[Output]:
    """Divides `inputs` into units and runs each, as the host does; the outputs stand in the order of the units."""
    units = split(transform, inputs, config)
    return [output for unit in units for output in execute_unit(transform, unit, inputs, config)]


def split(transform: Transform, inputs: list[Input], config: dict[str, Any] | None = None) -> list[Unit]:
    """Divides `inputs` into units; an AssertionError where they break a rule of the contract."""
    units = transform.split([one.header for one in inputs], dict(config or {}))
    keys: set[str] = set()
    for unit in units:
        assert unit.key not in keys, f"two units have the key `{unit.key}`"
        keys.add(unit.key)
        assert unit.inputs, f"the unit `{unit.key}` names no input"
        for position in unit.inputs:
            assert 0 <= position < len(inputs), f"the unit `{unit.key}` names input {position}, which is not there"
        assert len(set(unit.inputs)) == len(unit.inputs), f"the unit `{unit.key}` names an input twice"
    return units


def execute_unit(
    transform: Transform, unit: Unit, inputs: list[Input], config: dict[str, Any] | None = None
) -> list[Output]:
    """Runs one unit, which names its inputs by their positions in `inputs`."""
    own = [inputs[position] for position in unit.inputs]
    return transform.execute(unit, own, {**(config or {}), **(unit.config or {})})


@dataclass(frozen=True)
class Skipped:
    """Something that a reader left out, with the place that it named last."""

    place: str
    what: str
    reason: Reason


@dataclass
class ReaderRun:
    """What a reader did with a file."""

    outputs: list[Output] = field(default_factory=list)
    #: The place of each output.
    places: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    _place: str = ""

    def at(self, place: str) -> None:
        self._place = place

    def emit(self, output: Output) -> None:
        self.outputs.append(output)
        self.places.append(self._place)

    def skip(self, what: str, reason: Reason) -> None:
        self.skipped.append(Skipped(self._place, what, reason))


def read(
    reader: Reader, name: str, content: bytes, config: dict[str, Any] | None = None, part_bytes: int = 1 << 20
) -> ReaderRun:
    """Runs a reader on a file in memory, which it gets in parts of at most `part_bytes` bytes."""

    def part(offset: int, length: int) -> bytes:
        return content[offset : offset + min(length, part_bytes)]

    run = ReaderRun()
    before = set_receiver(run)
    try:
        reader.read(File(name, len(content), part), dict(config or {}))
    finally:
        set_receiver(before)
    return run
