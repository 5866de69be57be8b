#!/usr/bin/env python3
"""What pages name has to exist: files and sections that they link to, commands and options of
rotary, keys of rotary.yaml, metrics, alerts, addresses of the admin listener.

usage: mentions.py ROTARY   the binary
"""
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
HISTORY = ("CHANGELOG.md", "bench/results")  # tell of what was
FENCE = re.compile(r"^\s*(```|~~~)")
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:^|[\s(|;&!\"])(?:\S*/)?rotary ([a-z]+)([^|;&()]*)")


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def pages():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build")) and f != "node_modules")
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def split(text):
    """(prose, code): lines with their numbers; of console blocks the commands alone."""
    prose, code, inside, console = [], [], False, False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            inside, console = not inside, line.strip().startswith("```console")
        elif not inside:
            prose.append((number, line))
        elif not console:
            code.append((number, line))
        elif line.startswith("$ "):
            code.append((number, line[2:]))
        elif line.startswith("> ") and code:
            code[-1] = (code[-1][0], code[-1][1].rstrip("\\") + " " + line[2:])
    return prose, code


def anchors(text):
    """As GitHub names headings."""
    found = set()
    for _, line in split(text)[0]:
        heading = re.match(r"#+ (.*)", line)
        if heading:
            words = re.sub(r"[^\w\- ]", "", heading.group(1).replace("`", "").lower())
            name, count = words.replace(" ", "-"), 0
            while name in found:
                count += 1
                name = "%s-%d" % (words.replace(" ", "-"), count)
            found.add(name)
    return found


def broken_links(page, text, read=text_of, exists=None):
    exists = exists or (lambda path: os.path.exists(os.path.join(ROOT, path)))
    for number, line in split(text)[0]:
        for target in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            whole = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if not exists(whole):
                yield number, "no file %s" % target
            elif anchor and anchor not in anchors(read(whole) if path else text):
                yield number, "no section %s" % target


def commands_of(manual):
    """{command: its options}, from the manual page."""
    found = {}
    for section in manual.split("\n.SS rotary ")[1:]:
        name, _, rest = section.replace("\\-", "-").partition("\n")
        found[name] = set(re.findall(r"\\fB(--?[\w-]+)\\fR", rest)) | {"--help", "-h"}
    return found


def code_of(text):
    prose, code = split(text)
    return code + [(number, span) for number, line in prose for span in SPAN.findall(line)]


def unknown_commands(text, known):
    for number, code in code_of(text):
        for name, rest in COMMAND.findall(code):
            below = {one.split(" ")[1] for one in known if one.startswith(name + " ")}
            words = rest.split()
            if below and words and words[0] in below:
                name += " " + words[0]
            if name not in known and not below:
                yield number, "no command rotary %s" % name
                continue
            quoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", rest)
            for option in re.findall(r"(?<!\S)(--?[a-zA-Z][\w-]*)", quoted):
                if option not in known.get(name, ()):
                    yield number, "rotary %s has no %s" % (name, option)


def keys_of(reference):
    """Keys of rotary.yaml."""
    part = reference[reference.index("## rotary.yaml"):reference.index("## Resources")]
    return {key.replace("[]", "") for key in re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)}


def unknown_names(text, names):
    """Of keys, metrics, alerts and the admin listener's addresses."""
    tops = {key.split(".")[0] for key in names["keys"]}
    for number, span in code_of(text):
        key = re.match(r"([a-z_]+)\.[a-z_.]+(?=$|[: ])", span)
        if key and key.group(1) in tops and not span.endswith((".yaml", ".yml", ".json", ".md", ".html")):
            if key.group() not in names["keys"]:
                yield number, "no key %s" % key.group()
        for metric in re.findall(r"(?<![\w/.-])rotary_[a-z_]+[a-z](?![\w*…])", span):
            if not {metric, re.sub(r"_(bucket|sum|count)$", "", metric)} & names["metrics"]:
                yield number, "no metric %s" % metric
        for path in re.findall(r"/api/v1/[a-z-]+", span):
            if path not in names["paths"]:
                yield number, "nothing at %s" % path
        for alert in re.findall(r"\bRotary[A-Z][A-Za-z]+", span):
            if alert not in names["alerts"]:
                yield number, "no alert %s" % alert


def all_names():
    return {"keys": keys_of(text_of("config/REFERENCE.md")),
            "metrics": set(re.findall(r"^\| `(\w+)`", text_of("docs/reference/metrics.md"), re.MULTILINE)),
            "paths": set(re.findall(r"/api/v1/[a-z-]+", text_of("src/admin/admin_routes.cpp"))),
            "alerts": set(re.findall(r"alert: (\w+)", text_of("deploy/prometheus/alerts.yaml")))}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    manual = subprocess.run([sys.argv[1], "completion", "man"], capture_output=True, text=True, check=True)
    known, names, found, count = commands_of(manual.stdout), all_names(), [], 0
    for page in pages():
        if page.startswith(HISTORY[1]):
            continue
        text, count = text_of(page), count + 1
        wrong = list(broken_links(page, text))
        if page not in HISTORY:
            wrong += list(unknown_commands(text, known))
        if page == "README.md" or page.startswith("docs/"):
            wrong += list(unknown_names(text, names))
        found += ["%s:%d: %s" % (page, number, what) for number, what in wrong]
    if found or count < 20:
        sys.exit("\n".join(found) or "only %d pages" % count)
    print("%d pages" % count)


if __name__ == "__main__":
    main()
