import unittest

import page

TEXT = """A page.

```yaml file=a/b.yaml
workers: 1
```

```console
$ echo one \\
> two
one two
$ false
[exit 1]
$ sleep 9 &
```

```yaml
only: read
```
"""


class Reading(unittest.TestCase):
    def test_steps_stand_in_turn(self):
        file, echo, false, sleep = page.read(TEXT)
        self.assertEqual((file.name, file.text), ("a/b.yaml", "workers: 1\n"))
        self.assertEqual((echo.text, echo.prints), ("echo one \\\ntwo", ["one two"]))
        self.assertEqual((false.text, false.status, false.prints), ("false", 1, []))
        self.assertTrue(sleep.is_background)
        self.assertFalse(echo.is_background)

    def test_what_can_not_be_run_says_why(self):
        (step,) = page.read("```console skip: needs a container engine\n$ docker run rotary\n```\n")
        self.assertEqual((step.why, step.line), ("needs a container engine", 1))

    def test_what_is_no_page_is_told(self):
        for text in ("```console\nno command\n```\n", "```sh\nno end\n",
                     "```console skip:\n$ false\n```\n", "```console later\n$ false\n```\n",
                     "```console skip: no command\nfalse\n```\n"):
            with self.assertRaises(page.Unreadable):
                page.read(text)


class Matching(unittest.TestCase):
    def test_lines_are_compared_whole(self):
        self.assertTrue(page.matches(["a", "b"], ["a", "b"]))
        self.assertTrue(page.matches(["a"], ["a\r"]))
        for printed in ([], ["a"], ["a", "b", "c"], ["a", "bb"]):
            self.assertFalse(page.matches(["a", "b"], printed))

    def test_an_ellipsis_is_anything(self):
        self.assertTrue(page.matches(["a…c"], ["abbc"]))
        self.assertFalse(page.matches(["a…c"], ["abb"]))
        self.assertTrue(page.matches(["a", "…", "z"], ["a", "b", "c", "z"]))
        self.assertTrue(page.matches(["…"], []))
        self.assertFalse(page.matches(["a", "…", "z"], ["a", "b"]))


if __name__ == "__main__":
    unittest.main()
