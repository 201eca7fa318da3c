import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sdk"))

from synix_plugin import Output, Reason  # noqa: E402
from synix_plugin.testing import Skipped, read  # noqa: E402

from plugin import MAX_RECORD_BYTES, reader  # noqa: E402

CARDS = Path(__file__).with_name("example.cards").read_bytes()


class Example(unittest.TestCase):
    def test_each_card_becomes_an_artifact(self) -> None:
        run = read(reader, "notes/example.cards", CARDS)
        roof = {"file": "notes/example.cards", "title": "The roof", "date": "2026-03-02"}
        rent = {"file": "notes/example.cards", "title": "The rent"}
        self.assertEqual(
            run.outputs,
            [
                Output("notes/example-1", "card", "Call Ann about the roof.\nIt leaks.", roof),
                Output("notes/example-3", "card", "Pay the rent by Friday.", rent),
            ],
        )
        self.assertEqual(run.places, ["line 1", "line 8"])
        self.assertEqual(run.skipped, [Skipped("line 6", "Nothing", Reason.EMPTY)])

    def test_a_file_in_small_parts_gives_the_same(self) -> None:
        whole, parts = read(reader, "a.cards", CARDS), read(reader, "a.cards", CARDS, part_bytes=1)
        self.assertEqual((whole.outputs, whole.skipped), (parts.outputs, parts.skipped))

    def test_a_damaged_card_does_not_lose_the_file(self) -> None:
        run = read(reader, "a.cards", b"x" * (MAX_RECORD_BYTES + 1) + b"\n\n\xff\n\nGood.\n")
        self.assertEqual([output.label for output in run.outputs], ["a-3"])
        self.assertEqual([one.reason for one in run.skipped], [Reason.UNREADABLE] * 2)

    def test_short_cards_are_left_out(self) -> None:
        run = read(reader, "a.cards", b"Short.\n\nLong enough.\n", {"min_chars": 10})
        self.assertEqual([output.content for output in run.outputs], ["Long enough."])
        self.assertEqual(run.skipped, [Skipped("line 1", "card 1", Reason.FILTERED)])


if __name__ == "__main__":
    unittest.main()
