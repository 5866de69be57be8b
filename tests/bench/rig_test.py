"""The parts of ./dev bench that need no proxy: arithmetic, tables, pictures, processes."""
import copy
import os
import re
import socket
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as xml

from rig import figures, machine, plot, report, workloads
from rig.peers import all_peers
from rig.processes import Stage, Talker

TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2387 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 811 1 0
   1: 0100007F:2387 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 812 1 0
   2: 0100007F:2388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 813 1 0
"""
TCP6 = """  sl  local_address                         remote_address                        st …
   0: 00000000000000000000000000000000:2387 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 9
"""


class Figures(unittest.TestCase):
    def test_what_the_kernel_writes_is_read(self):
        self.assertEqual(figures.schedstat_ns("123456789 55 7\n"), 123456789)
        self.assertEqual(figures.pss_bytes("55a0-7ffc ---p 00000000 [rollup]\nRss:  9 kB\n"
                                           "Pss:        1234 kB\nPss_Anon: 1 kB\n"), 1234 * 1024)
        # Of 10, 20, 30 idle, 40 waiting, 50, 60, 70, 80: guests are counted among the users.
        self.assertEqual(figures.busy_ticks("cpu  10 20 30 400 500 60 70 80 5 6\ncpu0 1\n"), 270)
        self.assertEqual(figures.listening_inodes(TCP, 0x2387), {811})
        self.assertEqual(figures.listening_inodes(TCP6, 0x2387), {9})
        self.assertEqual(figures.listening_inodes(TCP, 0x1234), set())

    def test_what_perf_did_not_count_is_no_zero(self):
        self.assertEqual(figures.counted_by_perf("4031,,raw_syscalls:sys_enter,9,100.00,,\n"), 4031)
        with self.assertRaises(ValueError):
            figures.counted_by_perf("<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n")

    def test_medians_ratios_and_spread(self):
        self.assertEqual(figures.median([3, 1, 2]), 2)
        self.assertEqual(figures.spread([10, 10, 10]), 0)
        self.assertEqual(figures.spread([5]), 0)
        self.assertAlmostEqual(figures.spread([8, 9, 10, 11, 12]), 0.1)
        # Pairs of one round, not the medians of each: that would be 3 to 4.
        self.assertEqual(figures.ratio([1, 8, 3], [2, 4, 6]), 0.5)
        self.assertIsNone(figures.ratio([], [1]))

    def test_rounds_take_turns(self):
        self.assertEqual(figures.order_of_round("ABC", 0), ["A", "B", "C"])
        self.assertEqual(figures.order_of_round("ABC", 1), ["C", "B", "A"])


class Workloads(unittest.TestCase):
    def test_names_and_peers_are_known(self):
        self.assertEqual(len(workloads.BY_NAME), len(workloads.ALL))
        known = all_peers("rotary")
        for workload in workloads.ALL:
            self.assertIn("rotary", workload.peers)
            self.assertEqual([key for key in workload.peers if key not in known], [])

    def test_sizes_are_variants(self):
        varied = workloads.BY_NAME["routes"].varied()
        self.assertEqual([label for label, _ in varied], ["1 route", "1,000 routes",
                                                          "10,000 routes"])
        self.assertEqual([w.routes for _, w in varied], [1, 1000, 10000])
        self.assertEqual([w.scale for _, w in varied], [False, True, True])
        varied = workloads.BY_NAME["limited"].varied()
        self.assertEqual([w.limited for _, w in varied], [False, True])
        self.assertEqual([w.scale for _, w in varied], [False, True])


def contestant(key, label, trouble="", **values):
    return {"key": key, "label": label, "trouble": trouble, "remark": "", "figures": values}


def record(name, *contestants, unit="request", rate=0):
    return {"name": name, "title": name.title(), "unit": unit, "rate": rate, "begun": 0,
            "seconds": 1, "rounds": 2, "round_seconds": 3.0, "others": 0.25, "asked": 5, "seen": 5, "doubt": "",
            "revision": "abc", "contestants": list(contestants)}


def speeds(*cpu):
    return {"cpu_us": list(cpu), "rate": [1000.0] * len(cpu), "p50_us": [1500] * len(cpu),
            "p99_us": [9000] * len(cpu), "core": [0.5] * len(cpu), "start_s": [0.1]}


CHAT = record("chat", contestant("nginx", "nginx", **speeds(20, 22)),
              contestant("haproxy", "HAProxy", **speeds(16, 18)),
              contestant("rotary", "Rotary", **speeds(10, 11)),
              contestant("bifrost", "Bifrost", "can't be had"))
ROUTES = record("routes", contestant("rotary", "Rotary, 1 route", **speeds(10, 10)),
                contestant("rotary", "Rotary, 9 routes", **speeds(15, 15)),
                contestant("rotary", "Rotary, 99 routes", "ended: no room"))
IDLE = record("idle", contestant("nginx", "nginx", pss_bytes=[16384.0], idle_ms_per_s=[0.1]),
              contestant("rotary", "Rotary", pss_bytes=[8192.0], idle_ms_per_s=[0.2]))


class Report(unittest.TestCase):
    def test_a_row_has_its_median_and_its_ratio(self):
        said = report.section(CHAT)
        self.assertIn("| Rotary | 10.50 | 2 % | 0.50 | 1,000 | 1.50 | 9.00 | – | 50 % | 0.1 |", said)
        self.assertIn("others had 25 % of the machine", said)

    def test_a_contestant_that_is_out_is_named_with_the_reason(self):
        said = report.section(CHAT)
        self.assertIn("Bifrost: can't be had.", said)
        self.assertNotIn("| Bifrost", said)

    def test_a_rate_that_was_not_kept_is_told_beside_the_figures(self):
        slow = copy.deepcopy(CHAT)
        slow["contestants"][0]["remark"] = "answered 9 a second, not 10"
        said = report.section(slow)
        self.assertIn("nginx: answered 9 a second, not 10.", said)
        self.assertIn("| nginx | 21.00 |", said)

    def test_a_count_that_does_not_fit_is_told(self):
        self.assertIn("**5 seen, 6 asked.**", report.section(CHAT | {"doubt": "5 seen, 6 asked"}))

    def test_sizes_stand_beside_the_first(self):
        self.assertIn("| Rotary, 9 routes | 15.00 | 0 % | 1.50 |", report.section(ROUTES))
        self.assertIn("| Routes | Rotary, 9 routes | 15.00 µs |  |  | 1.50 |",
                      report.summary([ROUTES]))

    def test_another_build_is_the_base(self):
        both = copy.deepcopy(CHAT)
        both["contestants"].append(contestant("beside", "Before", **speeds(14, 15.4)))
        self.assertIn("| Rotary | 10.50 | 2 % | 0.71 |", report.section(both))
        self.assertIn("| Chat | Rotary | 10.50 µs | 0.50 | 0.62 |", report.summary([both]))

    def test_a_size_that_failed_is_no_base(self):
        failed = copy.deepcopy(ROUTES)
        failed["contestants"][0] |= {"trouble": "ended", "figures": {}}
        self.assertIn("| Rotary, 9 routes | 15.00 | 0 % | – |", report.section(failed))

    def test_idle_connections_have_memory(self):
        self.assertIn("| Rotary | 8.0 | 0.50 | 0.20 |", report.section(IDLE))
        self.assertIn("| Idle | Rotary | 8.0 KB | 0.50 | – |  |", report.summary([IDLE]))

    def test_tables_are_whole(self):
        for line in report.section(CHAT).splitlines() + report.summary([CHAT, IDLE]).splitlines():
            if line.startswith("|"):
                self.assertIn(line.count("|"), (11, 7))

    def test_results_are_written_as_they_come_and_kept(self):
        known = {"cpu": "A", "cores": 2, "virtual": True, "memory_gib": 1, "kernel": "6",
                 "system": "S", "congestion_control": "bbr"}
        with tempfile.TemporaryDirectory() as folder:
            first = report.Results(folder, fresh=True)
            first.begin(known, "abc", {})
            first.add(CHAT)
            self.assertEqual(sorted(os.listdir(folder)), ["README.md", "beside-nginx.svg",
                                                          "chat.svg", "results.json"])
            second = report.Results(folder, fresh=False)
            second.begin(known, "def", {})
            second.add(IDLE)
            self.assertIn("Rotary at abc, def", second.table())
            self.assertEqual(set(second.all["workloads"]), {"chat", "idle"})


class Pictures(unittest.TestCase):
    def widths(self, picture):
        tree = xml.fromstring(picture)
        return [float(rect.get("width")) for rect in tree.iter("{http://www.w3.org/2000/svg}rect")
                if rect.get("height") == str(plot.BAR - 2)]

    def test_bars_grow_with_their_values(self):
        one, two, none = self.widths(plot.bars("A < B", [("a", [("x", 1)]), ("b", [("x", 2)]),
                                                         ("c", [("x", 0)])]))
        self.assertAlmostEqual(two, 2 * one, delta=0.2)
        self.assertEqual(none, 1)

    def test_a_scale_of_logarithms_has_equal_steps(self):
        widths = self.widths(plot.bars("t", [(str(n), [("x", n)]) for n in (10, 100, 1000)],
                                       log=True))
        self.assertAlmostEqual(widths[2] - widths[1], widths[1] - widths[0], delta=0.2)

    def test_a_scale_is_of_round_numbers_that_reach_the_highest(self):
        self.assertEqual(plot.round_scale(10), [0, 2, 4, 6, 8, 10])
        self.assertEqual(plot.round_scale(109), [0, 25, 50, 75, 100, 125])
        for highest in (0.013, 0.7, 1, 26.2, 99.9, 101, 7053):
            self.assertGreaterEqual(plot.round_scale(highest)[-1], highest)
            self.assertLessEqual(len(plot.round_scale(highest)), 7)

    def test_lines_pass_over_what_was_not_measured(self):
        picture = plot.lines("t", {"nginx": [1, None, 3], "Rotary": [1, 2, 3]}, ["a", "b", "c"],
                             "µs")
        points = re.findall(r'points="([^"]*)"', picture)
        self.assertEqual([len(words.split()) for words in points], [2, 3])
        xml.fromstring(picture)


class Machine(unittest.TestCase):
    def test_the_holder_of_a_port_is_told_from_others(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            self.assertTrue(machine.holds_port(os.getpid(), port))
            with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
                self.assertFalse(machine.holds_port(other.pid, port))
                other.stdin.close()
        self.assertFalse(machine.holds_port(os.getpid(), port))

    def test_time_on_the_cpu_is_counted(self):
        before = machine.cpu_ns(os.getpid())
        while machine.cpu_ns(os.getpid()) < before + 20_000_000:
            pass
        self.assertGreater(machine.pss(os.getpid()), 100_000)

    def test_proxy_and_load_have_cores(self):
        proxy, load = machine.cores(1)
        self.assertEqual(proxy, [0])
        self.assertTrue(load)

    def test_what_a_stage_started_ends_with_it(self):
        with tempfile.TemporaryDirectory() as folder:
            with Stage(folder) as stage:
                stage.start("a", ["sh", "-c", "sleep 1000 & wait"], [0])
                talker = Talker(stage, "b", ["sh", "-c", "echo ready; read go; echo {}; read end"],
                                [0])
                talker.go()
                self.assertEqual(talker.answer(), {})
                pids = [p.pid for p in stage.running]
                self.assertEqual(len(pids), 2)
                talker.process.stdin.close()
                talker.process.stdout.close()
            self.assertEqual([pid for pid in pids if os.path.exists("/proc/%d" % pid)], [])


if __name__ == "__main__":
    unittest.main()
