"""The references: what they are made of, and that they are looked at."""
import unittest

import reference

PAGE = """# HELP a_seconds How long.
# TYPE a_seconds histogram
a_seconds_bucket{reason="x",le="0.1"} 1
a_seconds_sum{reason="x"} 0.1
a_seconds_count{reason="y"} 1
# HELP b_total How many.
# TYPE b_total counter
b_total 0
"""


class Metrics(unittest.TestCase):
    def test_series_are_gathered_to_their_names(self):
        found = reference.families(PAGE)
        self.assertEqual(found["a_seconds"], ("histogram", "How long.", {"reason": {"x", "y"}}))
        self.assertEqual(found["b_total"], ("counter", "How many.", {}))

    def test_what_the_code_has_and_the_page_has_not_is_missing(self):
        self.assertIn("rotary_requests_total", reference.missing(reference.families(PAGE)))


class Log(unittest.TestCase):
    def test_fields_are_those_of_a_line(self):
        fields = reference.access_fields()
        self.assertEqual(fields[0], ("start_time", "text", True))
        self.assertIn(("ttft_ms", "number", False), fields)
        self.assertIn(("cached_tokens", "number", False), fields)
        self.assertEqual(fields[-1], ("error.reason", "text", False))
        text = reference.text_of("src/proxy/access_log.cpp")
        written = set(reference.re.findall(r'R"\([{,]"([^"]+)":\)"', text))
        self.assertEqual({name for name, _, _ in fields}, written)

    def test_events_have_their_fields(self):
        events = reference.events()
        self.assertGreater(len(events), 50)
        self.assertIn(("info", "draining", ("why", "milliseconds")), events)

    def test_the_line_of_a_try_has_the_fields_that_are_told(self):
        text = reference.text_of("src/proxy/try_log.cpp")
        fields = reference.fields_behind(text, text.index("context.log.log(") + len("context.log.log("))
        self.assertGreater(len(fields), 5)
        told = reference.words.TEXT_FORM.partition("for each attempt: ")[2]
        self.assertEqual(fields, reference.re.findall("`([a-z_]+)`", told))


if __name__ == "__main__":
    unittest.main()
