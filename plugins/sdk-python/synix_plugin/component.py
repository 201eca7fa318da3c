"""Between a `Transform` and the generated bindings; runs only inside a component."""

from __future__ import annotations

import io
import json
import sys
import traceback
from typing import Any

from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world.imports import llm, types  # type: ignore[import-not-found]
from wit_world.imports import log as host_log

from . import model, nesting
from .transform import LlmError, Transform, TransformError, set_host

_LINE = 8 << 10


def exports(transform: Transform) -> type:
    """Returns the class that componentize-py looks for."""
    _check(transform)

    class WitWorld:
        def describe(self) -> Any:
            return types.Descriptor(
                transform.name,
                transform.version,
                transform.summary,
                json.dumps(transform.config_schema),
                list(transform.capabilities),
                _SHAPES[transform.shape],
            )

        def split(self, inputs: list[Any], config: str) -> list[Any]:
            def units() -> list[Any]:
                made = transform.split([_header(one) for one in inputs], json.loads(config))
                return [
                    types.Unit(one.key, one.inputs, _json(one.config)) for one in _list(made, "split", model.Unit)
                ]

            return _told(units)

        def execute(self, unit: Any, inputs: list[Any], config: str) -> list[Any]:
            def outputs() -> list[Any]:
                own = None if unit.config is None else json.loads(unit.config)
                given = model.Unit(unit.key, unit.inputs, own)
                made = transform.execute(given, [_input(one) for one in inputs], json.loads(config))
                return [_output(one) for one in _list(made, "execute", model.Output)]

            return _told(outputs)

    nesting.guard()
    set_host(_Host())
    sys.stdout, sys.stderr = _Lines("info"), _Lines("warn")
    return WitWorld


def _check(transform: Any) -> None:
    """Runs when the component is built: the binding would only say that it expected a string."""
    if not isinstance(transform, Transform):
        raise TypeError(f"`transform` in plugin.py is {transform!r}, not an instance of a Transform")
    for name in ("name", "version", "summary"):
        if not isinstance(getattr(transform, name, None), str):
            raise TypeError(f"{type(transform).__name__}.{name} is not a text")
    if transform.shape not in _SHAPES:
        raise TypeError(f"{type(transform).__name__}.shape is not a Shape")
    if not isinstance(transform.config_schema, dict):
        raise TypeError(f"{type(transform).__name__}.config_schema is not a dict")


def _list(made: Any, name: str, what: type) -> list[Any]:
    items = list(made) if isinstance(made, (list, tuple)) else None
    if items is None or not all(isinstance(one, what) for one in items):
        raise TypeError(f"`{name}` gave {made!r:.200}, not a list of {what.__name__}")
    return items


def _told(work: Any) -> Any:
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
        if not any(error.doc in answer for answer in _answers):
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
    own = [frame for frame in frames if not frame.filename.startswith("/2/synix_plugin/component.py")]
    return [f"{_file(frame.filename)}:{frame.lineno} in {frame.name}" for frame in own]


def _file(path: str) -> str:
    for folder, name in (("/1/", ""), ("/2/", "sdk/")):
        if path.startswith(folder):
            return name + path.removeprefix(folder)
    return path


#: What was answered in this unit; an instance runs one.
_answers: list[str] = []
_FRAMES = 20


class _Host:
    def complete_all(self, requests: list[model.Request]) -> list[model.Response]:
        asked = [_request(one) for one in requests]
        try:
            answers = [llm.complete(asked[0])] if len(asked) == 1 else llm.complete_all(asked)
        except Err as error:
            raise _llm_error(error.value) from None
        _answers.extend(one.text for one in answers)
        return [_response(one) for one in answers]

    def log(self, level: str, message: str) -> None:
        _write(level, message)


class _Lines(io.TextIOBase):
    """Makes lines of the log of what is printed."""

    def __init__(self, level: str) -> None:
        self._level, self._open = level, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            _write(self._level, line)
        if len(self._open) > _LINE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._open:
            _write(self._level, self._open)
            self._open = ""


def _write(level: str, message: str) -> None:
    host_log.write(host_log.Level[level.upper()], message)


def _request(request: model.Request) -> Any:
    messages = [llm.Message(llm.Role[one.role.name], [_part(part) for part in one.parts]) for one in request.messages]
    temperature = None if request.temperature is None else float(request.temperature)
    return llm.Request(
        messages,
        request.max_tokens,
        temperature,
        list(request.stop),
        _json(request.response_format),
        request.model,
        request.sample,
        _json(request.options),
    )


def _part(part: str | model.Blob) -> Any:
    if isinstance(part, str):
        return llm.Part_Text(part)
    return llm.Part_Image(types.Blob(part.media_type, part.data))


def _response(response: Any) -> model.Response:
    ending = getattr(response.ending, "value", None)
    ending = ending or type(response.ending).__name__.removeprefix("Ending_").lower()
    usage = model.Usage(response.usage.input_tokens, response.usage.output_tokens)
    return model.Response(response.text, ending, response.model, usage, json.loads(response.details))


def _llm_error(error: Any) -> LlmError:
    if isinstance(error, llm.LlmError_NotGranted):
        return LlmError("models are not granted to this transform", "llm-not-granted")
    if isinstance(error, llm.LlmError_UnknownRole):
        return LlmError(f"no model role `{error.value}`", "llm-unknown-role")
    if isinstance(error, llm.LlmError_InvalidRequest):
        return LlmError(error.value, "llm-invalid-request")
    if isinstance(error, llm.LlmError_OverLimit):
        return LlmError(error.value, "llm-over-limit")
    return LlmError(error.value.message, error.value.code)


def _header(header: Any) -> model.Header:
    metadata = {one.key: json.loads(one.value) for one in header.metadata}
    return model.Header(header.label, header.kind, header.digest, metadata)


def _input(given: Any) -> model.Input:
    content = given.content.value
    if isinstance(given.content, types.Content_Bytes):
        content = model.Blob(content.media_type, content.data)
    return model.Input(_header(given.header), content)


def _output(made: model.Output) -> Any:
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


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


_SHAPES = {
    model.Shape.PER_INPUT: types.Shape.PER_INPUT,
    model.Shape.GROUPED: types.Shape.GROUPED,
    model.Shape.ALL: types.Shape.ALL,
}
_ERRORS = {
    "invalid-config": types.TransformError_InvalidConfig,
    "invalid-input": types.TransformError_InvalidInput,
    "invalid-answer": types.TransformError_InvalidAnswer,
}
