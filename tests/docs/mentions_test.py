"""What is found to be missing of what pages name, and what is not."""
import unittest

import mentions

KNOWN = {"serve": {"-c", "--config"}, "key": set(), "key new": {"--consumer"}, "completion": set()}
NAMES = {"keys": {"timeouts", "timeouts.drain", "log", "log.level"},
         "metrics": {"rotary_up", "rotary_up_seconds"}, "paths": {"/api/v1/models"}, "alerts": {"RotaryDown"}}


def told(found):
    return [what for _, what in found]


class Links(unittest.TestCase):
    def test_files_and_sections(self):
        other = "# A `title`: it's\n\n```\n# no title\n```\n\n## Twice\n\n## Twice\n"
        rows = (
            ("a file", "[x](other.md)", []),
            ("a section", "[x](other.md#a-title-its)", []),
            ("the second of a name", "[x](other.md#twice-1)", []),
            ("a section of its own", "# Here\n[x](#here)", []),
            ("elsewhere", "[x](https://example.com/a#b)", []),
            ("in code", "`[x](gone.md)`\n\n```\n[x](gone.md)\n```\n", []),
            ("no file", "[x](gone.md)", ["no file gone.md"]),
            ("a picture", "![x](gone.png)", ["no file gone.png"]),
            ("no section", "[x](other.md#no-title)", ["no section other.md#no-title"]),
            ("none of its own", "[x](#gone)", ["no section #gone"]),
        )
        for name, text, wrong in rows:
            found = mentions.broken_links("docs/page.md", text, read=lambda _: other,
                                          exists=lambda path: path in ("docs/other.md", "docs/page.md"))
            self.assertEqual(told(found), wrong, name)


class Commands(unittest.TestCase):
    def test_are_those_of_the_manual(self):
        rows = (
            ("one", "`rotary serve -c FILE`", []),
            ("with one below", "`rotary key new --consumer a`", []),
            ("its head alone", "`rotary key`", []),
            ("in prose", "so rotary sings", []),
            ("what a command prints", "```console\n$ true\nrotary ready\n```\n", []),
            ("another's options", "`rotary serve -c a | grep -q b`", []),
            ("in quotes", "`rotary key new --consumer '--x'`", []),
            ("a choice", "`rotary completion bash|zsh`", []),
            ("none", "`rotary sing`", ["no command rotary sing"]),
            ("in a script", "```\nbuild/rotary sing &\n```\n", ["no command rotary sing"]),
            ("no such option", "`rotary serve --loud`", ["rotary serve has no --loud"]),
            ("on the next line", "```console\n$ rotary serve \\\n> --loud\n```\n",
             ["rotary serve has no --loud"]),
            ("in a substitution", "`X=$(rotary key new --name a)`", ["rotary key new has no --name"]),
        )
        for name, text, wrong in rows:
            self.assertEqual(told(mentions.unknown_commands(text, KNOWN)), wrong, name)

    def test_a_manual_is_read(self):
        manual = (".SH COMMANDS\n.SS rotary serve\n"
                  "\\fB\\-c\\fR, \\fB\\-\\-config\\fR \\fITEXT\\fR\n.SS rotary key new\n")
        known = mentions.commands_of(manual)
        self.assertEqual(known["serve"], {"-c", "--config", "-h", "--help"})
        self.assertIn("key new", known)


class Names(unittest.TestCase):
    def test_are_those_that_there_are(self):
        rows = (
            ("a key", "`timeouts.drain`", []),
            ("with a value", "`log.level: debug`", []),
            ("another's key", "`tls.crt` `spec.weight` `rotary.yaml`", []),
            ("a metric", "`rotary_up` `rotary_up_seconds_bucket{a=\"b\"}` `rotary_upstream_*`", []),
            ("an address", "`POST /api/v1/models/ID/suspend`", []),
            ("no key", "`timeouts.drian`", ["no key timeouts.drian"]),
            ("no value's key", "`log.levels: debug`", ["no key log.levels"]),
            ("no metric", "`rotary_down`", ["no metric rotary_down"]),
            ("nothing there", "`/api/v1/modles`", ["nothing at /api/v1/modles"]),
            ("no alert", "`RotaryUp`", ["no alert RotaryUp"]),
        )
        for name, text, wrong in rows:
            self.assertEqual(told(mentions.unknown_names(text, NAMES)), wrong, name)

    def test_all_are_read(self):
        names = mentions.all_names()
        self.assertIn("timeouts.drain", names["keys"])
        self.assertTrue(all(len(found) > 9 for found in names.values()))


if __name__ == "__main__":
    unittest.main()
