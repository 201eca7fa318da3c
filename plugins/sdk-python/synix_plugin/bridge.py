"""What the components of both kinds share: errors, log lines and outputs; runs only inside a component."""

from __future__ import annotations

import io
import json
import traceback
from typing import Any, Callable

from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world.imports import log as host_log  # type: ignore[import-not-found]
from wit_world.imports import types

from . import model
from .transform import TransformError

_LINE = 8 << 10
_FRAMES = 20
#: Files of this SDK whose calls say nothing to the author.
_OWN = ("bridge.py", "component.py", "component_reader.py")


def check_description(plugin: Any) -> None:
    """Checks the texts of a description: the binding would only say that it expected a string."""
    for name in ("name", "version", "summary"):
        if not isinstance(getattr(plugin, name, None), str):
            raise TypeError(f"{type(plugin).__name__}.{name} is not a text")
    if not isinstance(plugin.config_schema, dict):
        raise TypeError(f"{type(plugin).__name__}.config_schema is not a dict")


def told(work: Callable[[], Any], answers: list[str]) -> Any:
    """Runs a function of the author, and turns what it raises into the error of the contract.

    `answers` are the texts of the model so far.
    """
    try:
        return work()
    except TransformError as error:
        kind = _ERRORS.get(error.code)
        raise Err(
            types.TransformError_Other(types.OtherError(error.code, error.message))
            if kind is None
            else kind(error.message)
        ) from None
    except json.JSONDecodeError as error:
        # The reader of an answer that is no JSON is right to fail; it is the model that was wrong.
        if not any(error.doc in answer for answer in answers):
            raise _crash(error) from None
        place = [place for place in _places(error) if not place.startswith(("/", "sdk/"))]
        where = f" (read in {place[-1]})" if place else ""
        raise Err(
            types.TransformError_InvalidAnswer(f"the answer is not the JSON that was asked for: {error}{where}")
        ) from None
    except Exception as error:
        raise _crash(error) from None


def _crash(error: BaseException) -> Err:
    """What nobody caught, told once: a trap has no words."""
    words = [_shown(error)]
    cause, depth = error.__cause__ or error.__context__, 0
    while cause is not None and depth < 5:
        words.append(f"caused by {_shown(cause)}")
        cause, depth = cause.__cause__ or cause.__context__, depth + 1
    return Err(types.TransformError_Other(types.OtherError("crashed", "\n".join(words))))


def _shown(error: BaseException) -> str:
    said = "".join(traceback.format_exception_only(error)).strip()
    return "\n  at ".join([said, *reversed(_places(error)[-_FRAMES:])])


def _places(error: BaseException) -> list[str]:
    """The calls that led to an error, the outermost first, in files of the plugin: `/1` is its folder, `/2` is `sdk`."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.removeprefix("/2/synix_plugin/") not in _OWN]
    return [f"{_file(frame.filename)}:{frame.lineno} in {frame.name}" for frame in own]


def _file(path: str) -> str:
    for folder, name in (("/1/", ""), ("/2/", "sdk/")):
        if path.startswith(folder):
            return name + path.removeprefix(folder)
    return path


class Lines(io.TextIOBase):
    """Makes lines of the log of what is printed."""

    def __init__(self, level: str) -> None:
        self._level, self._open = level, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            write(self._level, line)
        if len(self._open) > _LINE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._open:
            write(self._level, self._open)
            self._open = ""


def write(level: str, message: str) -> None:
    host_log.write(host_log.Level[level.upper()], message)


def output(made: model.Output) -> Any:
    for name in ("label", "kind"):
        if not isinstance(getattr(made, name), str):
            raise TypeError(f"an output's {name} is {getattr(made, name)!r:.200}, not a text")
    if not isinstance(made.content, (str, model.Blob)):
        raise TypeError(f"the content of the output `{made.label}` is neither a text nor a Blob")
    return types.Output(made.label, made.kind, _content(made.content), _metadata(made.metadata))


def _content(content: str | model.Blob) -> Any:
    if isinstance(content, str):
        return types.Content_Text(content)
    return types.Content_Bytes(types.Blob(content.media_type, content.data))


def _metadata(metadata: dict[str, Any]) -> list[Any]:
    return [types.MetadataEntry(key, json.dumps(value)) for key, value in metadata.items()]


def json_text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


_ERRORS = {
    "invalid-config": types.TransformError_InvalidConfig,
    "invalid-input": types.TransformError_InvalidInput,
    "invalid-answer": types.TransformError_InvalidAnswer,
}
