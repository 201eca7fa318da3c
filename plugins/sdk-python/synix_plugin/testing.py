"""Runs a transform as a Python function, with a script in the model's place; nothing is compiled."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from .model import Blob, Header, Input, Output, Request, Response, Unit
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
    """Runs one unit of all `inputs`."""
    return transform.execute(Unit("unit", list(range(len(inputs)))), inputs, config or {})
