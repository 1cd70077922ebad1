"""digits - the patterns of libphonenumber as sets of digit strings.

libphonenumber says what a number looks like by a regular expression over digits:
literals, [classes], \\d, groups, alternatives, ? and {n,m}. Such an expression describes a
finite set, and two questions about that set are asked here: which strings are in it
(emergency numbers), and which can still follow a given prefix (rate decks). Both are
answered by derivatives (Brzozowski 1964): what may follow once a digit has been read.

An expression is a tuple, hashable so that results are remembered:
    NOTHING                 the empty set
    END                     the empty string only
    ("set", frozenset)      one digit of these
    ("cat", first, rest)    one after the other
    ("alt", frozenset)      any of these
"""
import functools
import re

try:
    from re import _constants as constants, _parser as parser  # Python 3.11 and later
except ImportError:
    import sre_constants as constants
    import sre_parse as parser

DIGITS = "0123456789"
NOTHING = ("nothing",)
END = ("end",)


def cat(first, rest):
    if NOTHING in (first, rest):
        return NOTHING
    if first == END:
        return rest
    if rest == END:
        return first
    if first[0] == "cat":  # leaning right, so that equal sets look equal more often
        return ("cat", first[1], cat(first[2], rest))
    return ("cat", first, rest)


def alt(choices):
    flat = set()
    for choice in choices:
        flat |= choice[1] if choice[0] == "alt" else {choice}
    flat.discard(NOTHING)
    single = [choice[1] for choice in flat if choice[0] == "set"]
    if len(single) > 1:
        flat = {choice for choice in flat if choice[0] != "set"} | {("set", frozenset().union(*single))}
    if not flat:
        return NOTHING
    return flat.pop() if len(flat) == 1 else ("alt", frozenset(flat))


def _one_of(members):
    digits = set()
    for operator, argument in members:
        if operator is constants.LITERAL:
            digits.add(chr(argument))
        elif operator is constants.RANGE:
            digits |= {chr(code) for code in range(argument[0], argument[1] + 1)}
        elif operator is constants.CATEGORY and argument is constants.CATEGORY_DIGIT:
            digits |= set(DIGITS)
        else:
            raise ValueError(f"not a class of digits: {operator} {argument}")
    if not digits <= set(DIGITS):
        raise ValueError(f"not digits: {sorted(digits)}")
    return ("set", frozenset(digits))


def _repeat(least, most, item):
    if most is constants.MAXREPEAT:
        raise ValueError("a repetition without end is no finite set")
    optional = END
    for _ in range(most - least):
        optional = alt([END, cat(item, optional)])
    for _ in range(least):
        optional = cat(item, optional)
    return optional


def _convert(tokens):
    result = END
    for operator, argument in reversed(list(tokens)):
        if operator is constants.LITERAL:
            item = _one_of([(operator, argument)])
        elif operator is constants.IN:
            item = _one_of(argument)
        elif operator is constants.BRANCH:
            item = alt([_convert(branch) for branch in argument[1]])
        elif operator is constants.SUBPATTERN:
            item = _convert(argument[3])
        elif operator is constants.MAX_REPEAT:
            item = _repeat(argument[0], argument[1], _convert(argument[2]))
        else:
            raise ValueError(f"no expression over digits: {operator}")
        result = cat(item, result)
    return result


@functools.lru_cache(maxsize=None)
def expression(pattern):
    """The expression of a pattern. ValueError for one that is more than digits (look-ahead,
    back-reference, a repetition without end)."""
    return _convert(parser.parse(pattern))


@functools.lru_cache(maxsize=None)
def _ends(e):
    """True when the empty string is in the set."""
    if e == END:
        return True
    if e[0] == "cat":
        return _ends(e[1]) and _ends(e[2])
    return e[0] == "alt" and any(_ends(choice) for choice in e[1])


@functools.lru_cache(maxsize=None)
def _after(e, digit):
    """What may follow once digit has been read; NOTHING when it cannot be."""
    if e[0] == "set":
        return END if digit in e[1] else NOTHING
    if e[0] == "alt":
        return alt([_after(choice, digit) for choice in e[1]])
    if e[0] == "cat":
        rest = cat(_after(e[1], digit), e[2])
        return alt([rest, _after(e[2], digit)]) if _ends(e[1]) else rest
    return NOTHING


# Sets as numbered nodes: NODES[n] is (the empty string is in the set, the ten nodes after
# each digit). Equal sets have equal numbers, whatever patterns they came from.
DEAD, ANY = 0, 1  # nothing; any string of digits
NODES = [(False, (DEAD,) * 10), (True, (ANY,) * 10)]
_known = {NODES[DEAD]: DEAD}


def _node(ends, following):
    key = (ends, following)
    if key not in _known:
        _known[key] = len(NODES)
        NODES.append(key)
    return _known[key]


@functools.lru_cache(maxsize=None)
def _node_of(e):
    return _node(_ends(e), tuple(_node_of(_after(e, digit)) if _after(e, digit) != NOTHING else DEAD
                                 for digit in DIGITS))


def node(pattern):
    """The node of the strings that pattern matches in full; DEAD for None or ""."""
    return _node_of(expression(pattern)) if pattern else DEAD


def beginning(n):
    """The node of all strings that begin with one of n's."""
    ends, following = NODES[n]
    if ends or n == DEAD:
        return ANY if ends else DEAD
    return _node(False, tuple(beginning(child) for child in following))


def strings(pattern):
    """Every string that pattern matches in full, sorted; each checked against re itself."""
    found = []
    todo = [("", node(pattern))]
    while todo:
        so_far, n = todo.pop()
        ends, following = NODES[n]
        if ends:
            found.append(so_far)
        todo += [(so_far + digit, child) for digit, child in zip(DIGITS, following) if child != DEAD]
    matcher = re.compile(pattern)
    for string in found:
        if not matcher.fullmatch(string):
            raise AssertionError(f"{string} is not in {pattern}")
    return sorted(found)
