"""Two kinds of pictures, as SVG: bars that lie, and lines."""
import math
from html import escape

COLOURS = {"nginx": "#7a8794", "others": "#7a8794", "HAProxy": "#b58a3c", "Rotary": "#1f6feb"}
OTHERS = ("#3b8f5a", "#9467bd", "#c0504d", "#17a2b8", "#8c6d31", "#5f6b7a")
WIDTH, LABELS, BAR, GAP, TOP = 760, 250, 15, 9, 46


def bars(title, rows, unit="", mark=None, log=False):
    """`rows`: [(label, [(series, value), …]), …]; a group of bars a row. `mark` draws a line at a
    value; with `log` a bar's length is the logarithm of its value."""
    values = [value for _, group in rows for _, value in group]
    low = 0 if not log else math.log10(min(values) / 2)
    high = math.log10(max(values)) if log else max(values + [mark or 0]) * 1.02
    room = WIDTH - LABELS - 80

    def length(value):
        place = math.log10(value) if log else value
        return max(1.0, (place - low) / (high - low) * room)

    names = list(dict.fromkeys(name for _, group in rows for name, _ in group))
    parts, y = legend(names) if len(names) > 1 else [], TOP + (18 if len(names) > 1 else 0)
    top = y
    for label, group in rows:
        middle = y + len(group) * BAR / 2 + 4
        parts.append(text(LABELS - 8, middle, label, "end"))
        for name, value in group:
            parts.append('<rect x="%d" y="%.1f" width="%.1f" height="%d" fill="%s"/>' % (
                LABELS, y, length(value), BAR - 2, colour(name, names)))
            parts.append(text(LABELS + length(value) + 5, y + BAR - 4, number(value)))
            y += BAR
        y += GAP
    if mark is not None:
        x = LABELS + length(mark)
        parts.insert(0, '<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#333" '
                     'stroke-dasharray="4 3"/>' % (x, x, top - 4, y))
    return document(title + (" (%s)" % unit if unit else ""), parts, y + 8)


def lines(title, series, ticks, unit):
    """`series`: {name: [value, …]}, a value, or None, for each of the ticks, which are words."""
    height, left, bottom = 330, 70, 290
    known = [value for values in series.values() for value in values if value is not None]
    scale = round_scale(max(known))
    high = scale[-1]
    step = (WIDTH - left - 60) / max(1, len(ticks) - 1)

    def at(place, value):
        return left + 20 + place * step, bottom - value / high * (bottom - TOP - 30)

    parts = legend(list(series))
    for value in scale:
        _, y = at(0, value)
        parts.append('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>' % (
            left, WIDTH - 20, y, y))
        parts.append(text(left - 6, y + 4, "%g" % value, "end"))
    for place, word in enumerate(ticks):
        parts.append(text(at(place, 0)[0], bottom + 20, word, "middle"))
    for name, values in series.items():
        points = [at(place, value) for place, value in enumerate(values) if value is not None]
        parts.append('<polyline fill="none" stroke-width="2" stroke="%s" points="%s"/>' % (
            colour(name, list(series)), " ".join("%.1f,%.1f" % point for point in points)))
        parts += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>' % (
            x, y, colour(name, list(series))) for x, y in points]
    return document("%s (%s)" % (title, unit), parts, height)


def round_scale(highest):
    """Round numbers, evenly, from nothing to no less than the highest value."""
    power = 10 ** math.floor(math.log10(highest))
    step = next(share * power for share in (0.2, 0.25, 0.5, 1, 2, 2.5)
                if share * power * 5 >= highest)
    return [step * i for i in range(math.ceil(highest / step) + 1)]


def colour(name, names):
    if len(names) == 1:
        return "#1f6feb"
    others = [other for other in names if other not in COLOURS]
    return COLOURS.get(name) or OTHERS[others.index(name) % len(OTHERS)]


def legend(names):
    parts, x = [], LABELS
    for name in names:
        parts.append('<rect x="%d" y="%d" width="11" height="11" fill="%s"/>' % (
            x, TOP - 9, colour(name, names)))
        parts.append(text(x + 16, TOP + 1, name))
        x += 34 + 7 * len(name)
    return parts


def text(x, y, words, anchor="start"):
    return ('<text x="%.1f" y="%.1f" text-anchor="%s" paint-order="stroke" stroke="white" '
            'stroke-width="3">%s</text>' % (x, y, anchor, escape(words)))


def number(value):
    if value >= 1000:
        return format(round(value), ",")
    return "%.1f" % value if value >= 10 else "%.2f" % value


def document(title, parts, height):
    return "\n".join(
        ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
         'font-family="sans-serif" font-size="12">' % (WIDTH, height),
         '<rect width="100%" height="100%" fill="white"/>',
         '<text x="16" y="24" font-size="15" font-weight="bold">%s</text>' % escape(title)] +
        parts + ["</svg>", ""])
