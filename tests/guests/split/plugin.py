"""Joins the inputs of each topic; asks nothing."""

from synix_plugin import Config, Header, Input, Output, Shape, Transform, Unit


class Topics(Transform):
    name = "topics"
    version = "0.1.0"
    summary = "Joins the inputs of each topic"
    shape = Shape.GROUPED
    capabilities = ()
    config_schema = {"type": "object", "additionalProperties": False}

    def split(self, inputs: list[Header], config: Config) -> list[Unit]:
        topics: dict[str, list[int]] = {}
        for position in sorted(range(len(inputs)), key=lambda one: inputs[one].label):
            topics.setdefault(topic_of(inputs[position]), []).append(position)
        return [Unit(topic, positions) for topic, positions in topics.items()]

    def execute(self, unit: Unit, inputs: list[Input], config: Config) -> list[Output]:
        return [Output(unit.key, "digest", "\n".join(one.text() for one in inputs), {"count": len(inputs)})]


def topic_of(header: Header) -> str:
    """The metadata are whatever stands in a note; a unit's key has 1 to 512 characters and no control characters."""
    topic = header.metadata.get("topic")
    usable = isinstance(topic, str) and 0 < len(topic) <= 100 and topic.isascii() and topic.isprintable()
    return topic if usable else "none"


transform = Topics()
