"""Write synix plugins in Python: transforms, and readers.

A transform is a pure function from a unit and the model's answers to outputs: a subclass of `Transform`, one instance
of which stands in the module `plugin` under the name `transform`. Calls of `complete` whose answer is not known yet do
not return: `execute` runs again from its start when the answer is there.

A reader is a pure function from a file to artifacts: a subclass of `Reader`, one instance of which is in the module
`plugin` under the name `reader`. It hands over artifacts with `emit` and reports what it leaves out with `skip`.
"""

from .model import Blob, Header, Input, Message, Output, Request, Response, Role, Shape, Unit, Usage, trim
from .reading import File, Reader, Reason, at, emit, skip
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
    "Blob", "Config", "File", "Header", "Input", "InvalidAnswer", "InvalidConfig", "InvalidInput", "LlmError", "Message",
    "Output", "Reader", "Reason", "Request", "Response", "Role", "Shape", "Transform", "TransformError", "Unit", "Usage",
    "at", "complete", "complete_all", "emit", "loads", "log", "skip", "trim",
]
