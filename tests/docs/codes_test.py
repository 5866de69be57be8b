"""Pages that list what the code has: each error code with its status in docs/troubleshooting.md, each
key that waits for a restart in docs/upgrading.md; and no other."""
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

    def test_the_page_has_the_keys_that_wait_for_a_restart(self):
        source = text_of("src/config/settings/setting_keys.cpp")
        waiting = set(re.findall(r'\{"([\w.]+)",[^{}]*?at_restart\}', source))
        page = text_of("docs/upgrading.md")
        row = re.search(r"^\| (.*) \| waits for a restart \|$", page, re.MULTILINE).group(1)
        self.assertGreater(len(waiting), 4)
        self.assertEqual(set(re.findall(r"`([\w.]+)`", row)), waiting)


if __name__ == "__main__":
    unittest.main()
