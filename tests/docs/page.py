"""A page of docs/, as what a reader would do with it.

```yaml file=NAME   is written to NAME, in an empty folder that the page begins with
```console          has commands behind "$ " (and their further lines behind "> "), and below each
                    what it prints; "…" stands for anything, a line of its own for any lines;
                    "[exit N]" at the end says that it fails so
```console skip: WHY is only read, since a machine of the tests has not what it needs
Every other block is only read.
"""
import re
from dataclasses import dataclass, field

FENCE = re.compile(r"^```(\S*)\s*(.*)$")
EXIT = re.compile(r"^\[exit (\d+)\]$")
ANY = "…"


@dataclass
class File:
    name: str
    text: str
    line: int


@dataclass
class Command:
    text: str
    line: int
    prints: list = field(default_factory=list)
    status: int = 0

    @property
    def is_background(self):
        return self.text.endswith(" &")


@dataclass
class Skipped:
    why: str
    line: int


class Unreadable(Exception):
    pass


def read(text):
    """What is done, in turn: Files and Commands."""
    steps, block, begin, kind, more = [], None, 0, "", ""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and block is None:
            kind, more = fence.groups()
            block, begin = [], number
        elif fence:
            steps += steps_of(kind, more, block, begin)
            block = None
        elif block is not None:
            block.append(line)
    if block is not None:
        raise Unreadable("line %d: the block does not end" % begin)
    return steps


def steps_of(kind, more, block, begin):
    if more.startswith("file="):
        return [File(more[len("file="):], "\n".join(block) + "\n", begin)]
    if more.startswith("skip:"):
        why = more[len("skip:"):].strip()
        if not why or not block or not all(line.startswith("$ ") for line in block[:1]):
            raise Unreadable("line %d: what is skipped is a command, with its reason" % begin)
        return [Skipped(why, begin)]
    if kind == "console" and more:
        raise Unreadable("line %d: console %s: not known" % (begin, more))
    return commands(block, begin) if kind == "console" else []


def commands(block, begin):
    found = []
    for number, line in enumerate(block, begin + 1):
        if line.startswith("$ "):
            found.append(Command(line[2:], number))
        elif not found:
            raise Unreadable("line %d: a console block begins with a command" % number)
        elif line.startswith("> ") and not found[-1].prints:
            found[-1].text += "\n" + line[2:]
        elif EXIT.match(line):
            found[-1].status = int(EXIT.match(line).group(1))
        else:
            found[-1].prints.append(line)
    return found


def matches(expected, printed):
    """Whether lines that were printed are those of the page."""
    pattern = ""
    for line in expected:
        if line.strip() == ANY:
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split(ANY)) + r"[ \t]*\n"
    text = "".join(line.rstrip("\r") + "\n" for line in printed)
    return re.fullmatch(pattern, text) is not None
