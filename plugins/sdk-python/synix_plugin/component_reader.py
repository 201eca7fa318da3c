"""Between a `Reader` and the generated bindings; runs only inside a component."""

from __future__ import annotations

import json
import sys
from typing import Any

from wit_world.imports import reading as host_reading  # type: ignore[import-not-found]
from wit_world.imports import types  # type: ignore[import-not-found]

from . import bridge, model, nesting
from .bridge import told
from .reading import File, Reader, Reason, set_receiver
from .transform import LlmError, set_host


def exports(reader: Reader) -> type:
    """Returns the class that componentize-py looks for."""
    _check(reader)

    class WitWorld:
        def describe(self) -> Any:
            schema = json.dumps(reader.config_schema)
            return types.Descriptor(reader.name, reader.version, reader.summary, schema, [], types.Shape.PER_INPUT)

        def read(self, file: Any, config: str) -> None:
            given = File(file.name(), file.size(), file.read)
            try:
                told(lambda: _none(reader.read(given, json.loads(config))), [])
            finally:
                # What still holds the file after the call would use a handle that is gone.
                given.close()

    nesting.guard()
    set_host(_Host())
    set_receiver(_Receiver())
    sys.stdout, sys.stderr = bridge.Lines("info"), bridge.Lines("warn")
    return WitWorld


def _check(reader: Any) -> None:
    """Runs when the component is built."""
    if not isinstance(reader, Reader):
        hint = "; for a transform, remove `kind` from [tool.synix] of pyproject.toml" if reader is None else ""
        raise TypeError(f"`reader` in plugin.py is {reader!r}, not an instance of a Reader{hint}")
    bridge.check_description(reader)


def _none(made: Any) -> None:
    """A reader that returns its artifacts, or is a generator, would lose them in silence."""
    if made is not None:
        raise TypeError(f"`read` gave {made!r:.200}; it hands over artifacts with `emit` and returns nothing")


class _Host:
    def complete_all(self, requests: list[model.Request]) -> list[model.Response]:
        raise LlmError("a reader has no model", "llm-not-granted")

    def log(self, level: str, message: str) -> None:
        bridge.write(level, message)


class _Receiver:
    def at(self, place: str) -> None:
        host_reading.at(place)

    def emit(self, output: model.Output) -> None:
        if not isinstance(output, model.Output):
            raise TypeError(f"`emit` was given {output!r:.200}, not an Output")
        host_reading.emit(bridge.output(output))

    def skip(self, what: str, reason: Reason) -> None:
        if not isinstance(reason, Reason):
            raise TypeError(f"`skip` was given {reason!r:.200}, not a Reason")
        host_reading.skip(what, _REASONS[reason])


_REASONS = {
    Reason.HIDDEN: host_reading.Reason_Hidden(),
    Reason.EMPTY: host_reading.Reason_Empty(),
    Reason.NO_TEXT: host_reading.Reason_NoText(),
    Reason.DUPLICATE: host_reading.Reason_Duplicate(),
    Reason.BRANCH: host_reading.Reason_Branch(),
    Reason.UNREADABLE: host_reading.Reason_Unreadable(),
    Reason.UNSUPPORTED: host_reading.Reason_Unsupported(),
    Reason.FILTERED: host_reading.Reason_Filtered(),
}
