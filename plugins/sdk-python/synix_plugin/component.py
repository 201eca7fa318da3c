"""Between a `Transform` and the generated bindings; runs only inside a component."""

from __future__ import annotations

import json
import sys
from typing import Any

from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world.imports import llm, types  # type: ignore[import-not-found]

from . import bridge, model, nesting
from .bridge import json_text, told
from .transform import LlmError, Transform, set_host


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
                    types.Unit(one.key, one.inputs, json_text(one.config)) for one in _list(made, "split", model.Unit)
                ]

            return told(units, _answers)

        def execute(self, unit: Any, inputs: list[Any], config: str) -> list[Any]:
            def outputs() -> list[Any]:
                own = None if unit.config is None else json.loads(unit.config)
                given = model.Unit(unit.key, unit.inputs, own)
                made = transform.execute(given, [_input(one) for one in inputs], json.loads(config))
                return [bridge.output(one) for one in _list(made, "execute", model.Output)]

            return told(outputs, _answers)

    nesting.guard()
    set_host(_Host())
    sys.stdout, sys.stderr = bridge.Lines("info"), bridge.Lines("warn")
    return WitWorld


def _check(transform: Any) -> None:
    """Runs when the component is built."""
    if not isinstance(transform, Transform):
        hint = '; for a reader, set `kind = "reader"` in [tool.synix] of pyproject.toml' if transform is None else ""
        raise TypeError(f"`transform` in plugin.py is {transform!r}, not an instance of a Transform{hint}")
    if transform.shape not in _SHAPES:
        raise TypeError(f"{type(transform).__name__}.shape is not a Shape")
    bridge.check_description(transform)


def _list(made: Any, name: str, what: type) -> list[Any]:
    items = list(made) if isinstance(made, (list, tuple)) else None
    if items is None or not all(isinstance(one, what) for one in items):
        raise TypeError(f"`{name}` gave {made!r:.200}, not a list of {what.__name__}")
    return items


#: What was answered in this unit; an instance runs one.
_answers: list[str] = []


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
        bridge.write(level, message)


def _request(request: model.Request) -> Any:
    messages = [llm.Message(llm.Role[one.role.name], [_part(part) for part in one.parts]) for one in request.messages]
    temperature = None if request.temperature is None else float(request.temperature)
    return llm.Request(
        messages,
        request.max_tokens,
        temperature,
        list(request.stop),
        json_text(request.response_format),
        request.model,
        request.sample,
        json_text(request.options),
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


_SHAPES = {
    model.Shape.PER_INPUT: types.Shape.PER_INPUT,
    model.Shape.GROUPED: types.Shape.GROUPED,
    model.Shape.ALL: types.Shape.ALL,
}
