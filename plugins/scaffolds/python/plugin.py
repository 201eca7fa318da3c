"""Extracts the action items of each input, then orders them by urgency."""

from synix_plugin import Config, Input, Output, Request, Shape, Transform, Unit, complete, trim

LIST = 'List the action items in this text, one per line, at most {limit}. Write "none" if there are none.\n\n'
ORDER = "Order these action items by urgency, most urgent first, one per line.\n\n"


class ActionItems(Transform):
    name = "{{name}}"
    version = "0.1.0"
    summary = "Extracts action items and orders them by urgency"
    shape = Shape.PER_INPUT
    capabilities = ("llm",)
    config_schema = {
        "type": "object",
        "properties": {
            "limit": {
                "type": "integer", "minimum": 1, "maximum": 20, "default": 5, "description": "Most items to list",
            }
        },
        "additionalProperties": False,
    }

    def execute(self, unit: Unit, inputs: list[Input], config: Config) -> list[Output]:
        limit = config.get("limit", 5)
        return [output for one in inputs for output in extract(one, limit)]


def extract(given: Input, limit: int) -> list[Output]:
    items = ask(LIST.format(limit=limit) + given.text())
    ordered = ask(ORDER + items)
    return [
        output(given, "-items", "action-items", items),
        output(given, "-ordered", "action-items-ordered", ordered),
    ]


def ask(text: str) -> str:
    return trim(complete(Request.user(text, max_tokens=300, temperature=0.0)).text)


def output(given: Input, end: str, kind: str, text: str) -> Output:
    count = sum(1 for line in text.split("\n") if trim(line))
    return Output(given.label + end, kind, text, {"source": given.label, "count": count})


transform = ActionItems()
