import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sdk"))

from synix_plugin import Unit, loads, InvalidAnswer  # noqa: E402
from synix_plugin.testing import execute, execute_unit, split, text_input  # noqa: E402

from plugin import transform  # noqa: E402

INPUTS = [text_input("b", "two", topic="x"), text_input("a", "one", topic="x"), text_input("c", "three")]


class Topics(unittest.TestCase):
    def test_execute_divides_the_inputs(self) -> None:
        made = execute(transform, INPUTS)
        self.assertEqual([(one.label, one.content) for one in made], [("x", "one\ntwo"), ("none", "three")])

    def test_split_and_one_unit(self) -> None:
        self.assertEqual(split(transform, INPUTS), [Unit("x", [1, 0]), Unit("none", [2])])
        self.assertEqual(execute_unit(transform, Unit("y", [2]), INPUTS)[0].label, "y")

    def test_an_answer_that_is_no_json(self) -> None:
        self.assertEqual(loads('{"a": ["[[["]}'), {"a": ["[[["]})
        for text in ("{", "[" * 4000 + "]" * 4000, ""):
            with self.assertRaises(InvalidAnswer):
                loads(text)


if __name__ == "__main__":
    unittest.main()
