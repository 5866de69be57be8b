"""Each error code has its row in docs/troubleshooting.md, with its status; and no other has."""
import os
import re
import unittest

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


class Codes(unittest.TestCase):
    def test_the_page_has_those_that_are_sent(self):
        source = text_of("src/wire/problem.cpp")
        sent = set(re.findall(r'return \{(\d+), \w+,\s*"(\w+)"', source))
        sent |= set(re.findall(r'return \{(499), "client_error", "(client_gone)"', source))
        page = text_of("docs/troubleshooting.md")
        told = set(re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE))
        self.assertGreater(len(sent), 25)
        self.assertEqual(told, sent)


if __name__ == "__main__":
    unittest.main()
