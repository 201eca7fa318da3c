import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sdk"))

from synix_plugin import Blob, InvalidInput, Output, Request  # noqa: E402
from synix_plugin.testing import ScriptedModel, execute, text_input  # noqa: E402

from plugin import transform  # noqa: E402


def model(request: Request) -> str:
    asked = request.messages[0].parts[0]
    assert isinstance(asked, str)
    return " call Ada\npay rent \n" if asked.startswith("List") else "pay rent\n\ncall Ada"


class Example(unittest.TestCase):
    def test_both_lists_become_outputs(self) -> None:
        with ScriptedModel(model):
            outputs = execute(transform, [text_input("monday", "Ada asked for a call; the rent is due.")])
        about = {"source": "monday", "count": 2}
        self.assertEqual(
            outputs,
            [
                Output("monday-items", "action-items", "call Ada\npay rent", about),
                Output("monday-ordered", "action-items-ordered", "pay rent\n\ncall Ada", about),
            ],
        )

    def test_the_second_question_holds_the_first_answer(self) -> None:
        with ScriptedModel(model) as ran:
            execute(transform, [text_input("monday", "notes")], {"limit": 3})
        listing, ordering = (request.messages[0].parts[0] for request in ran.requests)
        self.assertIn("at most 3.", str(listing))
        self.assertTrue(str(ordering).endswith("\n\ncall Ada\npay rent"))

    def test_a_picture_is_refused_before_anything_is_asked(self) -> None:
        with ScriptedModel(model) as ran, self.assertRaisesRegex(InvalidInput, "`face` is image/png, not text"):
            execute(transform, [text_input("face", Blob("image/png", b"\0"))])
        self.assertEqual(ran.requests, [])


if __name__ == "__main__":
    unittest.main()
