"""Write synix transforms in Python.

A transform is a pure function from a unit and the model's answers to outputs: a subclass of `Transform`, one instance
of which stands in the module `plugin` under the name `transform`. Calls of `complete` whose answer is not known yet do
not return: `execute` runs again from its start when the answer is there.
"""

from .model import Blob, Header, Input, Message, Output, Request, Response, Role, Shape, Unit, Usage, trim
from .transform import (
    Config,
    InvalidAnswer,
    InvalidConfig,
    InvalidInput,
    LlmError,
    Transform,
    TransformError,
    complete,
    complete_all,
    loads,
    log,
)

__all__ = [
    "Blob", "Config", "Header", "Input", "InvalidAnswer", "InvalidConfig", "InvalidInput", "LlmError", "Message",
    "Output", "Request", "Response", "Role", "Shape", "Transform", "TransformError", "Unit", "Usage", "complete",
    "complete_all", "loads", "log", "trim",
]
