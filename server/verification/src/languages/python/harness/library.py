"""Values of classes of the standard library that specs use.

Each is made from choices: a function that gives a number below another. The same recipe so serves the
inputs of a seed and Hypothesis, which makes the choices smaller when it shrinks.
"""
from kinds import Fixed


class Made(Fixed):
    """Objects of one class: boundary values by hand, the others by its recipe."""

    def __init__(self, head, name):
        self.head, self.name = head, name
        fixed, self.recipe = CLASSES[name]
        super().__init__("%s(%s)" % (head, arguments) for arguments in fixed)

    def random(self, rng, size):
        if rng.below(4) == 0:
            return super().random(rng, size)
        return "%s(%s)" % (self.head, self.recipe(rng.below))

    def strategy(self, st):
        made = st.composite(lambda draw: "%s(%s)" % (self.head, self.recipe(lambda n: draw(st.integers(0, n - 1)))))
        return st.one_of(st.sampled_from(self.texts), made())


def _decimal(below):
    """Up to 18 digits, more than a float holds; the sum of some needs no more than the 28 that are kept."""
    sign = "-" if below(2) else ""
    digits = str(below(10 ** (1 + below(18))))
    if below(8) == 0:
        return "'%s%sE+%d'" % (sign, digits[:4], 1 + below(9))
    places = below(9)
    if places == 0:
        return "'%s%s'" % (sign, digits)
    digits = digits.rjust(places + 1, "0")
    return "'%s%s.%s'" % (sign, digits[:-places], digits[-places:])


def _fraction(below):
    return "%d, %d" % (below(2001) - 1000, 1 + below(60))


def _complex(below):
    return "%r, %r" % ((below(401) - 200) / 4, (below(401) - 200) / 4)


def _date(below):
    year, month = 1896 + below(209), 1 + below(12)
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 30 if month in (4, 6, 9, 11) else 31 if month != 2 else 29 if is_leap else 28
    return "%d, %d, %d" % (year, month, days - below(days))


def _time(below):
    return "%d, %d, %d" % (below(24), below(60), below(60)) + (", %d" % below(1000000) if below(3) == 0 else "")


def _datetime(below):
    return "%s, %s" % (_date(below), _time(below))


def _timedelta(below):
    return "%d, %d" % (below(801) - 400, below(86400)) + (", %d" % below(1000000) if below(3) == 0 else "")


_PARTS = ("a", "b.txt", "x.tar.gz", "..", ".hidden", "no ext", "A", "c.d", "trailing.", "été.md")


def _path(below, roots=("", "", "/"), separator="/"):
    return repr(roots[below(len(roots))] + separator.join(_PARTS[below(len(_PARTS))] for _ in range(1 + below(4))))


def _windows_path(below):
    return _path(below, ("", "C:\\", "C:", "\\\\host\\share\\", "D:/"), "/" if below(3) == 0 else "\\")


_PATHS = (["'a'", "'a/b.txt'", "'/tmp/x.tar.gz'", "'.'", "'.hidden'", "'a.b/c'", "'/'", "'../a'"], _path)
_WINDOWS_PATHS = (["'a'", "'a\\\\b.txt'", "'C:\\\\tmp\\\\x.tar.gz'", "'C:/a'", "'.'", "'C:a'", "'\\\\\\\\host\\\\share\\\\a.b'"], _windows_path)

# The same moment in several zones, and several moments that a clock on the wall shows alike.
ZONED = (
    "2024-03-10T12:00:00+00:00", "2024-03-10T14:00:00+02:00", "2024-03-10T12:00:00+02:00", "2024-03-10T06:30:00-05:30",
    "1999-12-31T23:30:00-01:00", "2000-01-01T00:30:00+00:00", "2024-03-10T12:00:00-08:00",
)

# Regular expressions that match much, little, nothing, and something within only.
PATTERNS = ("'a'", "'[a-z]+'", "'\\\\d'", "''", "'x y'", "'.b'", "'$^'", "'[A-Z ]'")

# By the last part of a name: arguments that are written down, and a recipe for others.
CLASSES = {
    "Decimal": (["'0'", "'1'", "'1.5'", "'-2.25'", "'100.10'", "'0.1'", "'-0.005'", "'1E+3'", "'12345678901234567.89'"], _decimal),
    "Fraction": (["0", "1, 2", "-3, 4", "5"], _fraction),
    "date": (["2024, 1, 1", "2024, 2, 29", "1999, 12, 31", "2023, 3, 1"], _date),
    "datetime": (["2024, 1, 1", "2024, 2, 29, 23, 59, 59", "1999, 12, 31, 12"], _datetime),
    "timedelta": (["0", "1", "-1", "0, 3600", "365"], _timedelta),
    "time": (["0", "23, 59, 59", "12, 30"], _time),
    "Path": _PATHS,
    "PurePath": _PATHS,
    "PosixPath": _PATHS,
    "PurePosixPath": _PATHS,
    "PureWindowsPath": _WINDOWS_PATHS,
    "complex": (["0", "1, 2", "-1.5"], _complex),
}
