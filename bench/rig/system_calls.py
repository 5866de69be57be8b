"""System calls of a process while something happens, counted by perf without slowing it down."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

from rig import figures, machine
from rig.processes import poll


class SystemCalls:
    """Counts the system calls of a process and its children; `count` stays None where perf is not
    there or may not count."""

    def __init__(self, pid):
        self.count, self.pid, self.process = None, pid, None

    def __enter__(self):
        if not shutil.which("perf"):
            return
        self.folder = tempfile.mkdtemp(prefix="rig-perf-")
        paths = [os.path.join(self.folder, name) for name in ("control", "ack")]
        for path in paths:
            os.mkfifo(path)
        pids = ",".join(map(str, machine.tree(self.pid)))
        self.process = subprocess.Popen(
            ["perf", "stat", "-x,", "-D", "-1", "-e", "raw_syscalls:sys_enter", "-p", pids,
             "--control=fifo:%s,%s" % tuple(paths)], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, start_new_session=True)
        self.control = os.open(paths[0], os.O_RDWR)
        self.ack = os.open(paths[1], os.O_RDWR | os.O_NONBLOCK)
        self._tell(b"enable\n")

    def _tell(self, command):
        """perf answers each command once it is carried out."""
        os.write(self.control, command)
        poll(lambda: self.process.poll() is not None or self._acknowledged(), 5)

    def _acknowledged(self):
        try:
            return bool(os.read(self.ack, 16))
        except BlockingIOError:
            return False

    def __exit__(self, *_):
        if not self.process:
            return
        self._tell(b"disable\n")
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=10)
        os.close(self.control)
        os.close(self.ack)
        shutil.rmtree(self.folder)
        with contextlib.suppress(ValueError):
            self.count = figures.counted_by_perf(said)
