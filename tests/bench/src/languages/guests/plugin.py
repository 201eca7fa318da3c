"""Asks the model the text of its input."""

from synix_plugin import Config, Input, Output, Request, Shape, Transform, Unit, complete


class OneQuestion(Transform):
    name = "items"
    version = "0.1.0"
    summary = "Asks the model the text of its input"
    shape = Shape.PER_INPUT
    config_schema = {"type": "object"}

    def execute(self, unit: Unit, inputs: list[Input], config: Config) -> list[Output]:
        answer = complete(Request.user(inputs[0].text(), max_tokens=100))
        return [Output(inputs[0].label, "text", answer.text)]


transform = OneQuestion()
