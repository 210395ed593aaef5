"""Cassandra's `.pomdp` format, read and written: the format of the POMDP literature's and of lecturers' examples.

All of its grammar is read: preamble in any order, names or numbers, comments, ``start`` as a distribution, a state,
``uniform``, ``include`` and ``exclude``, entries one by one, by rows and by matrices over any number of lines,
wildcards, ``uniform``, ``identity`` and ``reset``, rewards by end state and observation, and ``values: cost``.  A later
line replaces what earlier ones said of the same entry; what no line says is zero.

* Decimals are read as the rationals that they are.  If every row of probabilities then sums to one the model is exact;
  else, as with 0.333333, it is in float64, and rows that are off by more than 1e-9 are divided by their sum.
* Costs become negative rewards.  A model keeps the expected reward r(s, a), so that is what is written.
* Models of more than `EXACT_ENTRIES` entries are in float64.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from mdplab.arrays import floats, is_ball, is_exact, rational, rational_number, total
from mdplab.errors import InstanceError, ModelError
from mdplab.models import POMDP

EXACT_ENTRIES = 100_000
ROW_SLACK = Fraction(1, 10**5)  # how far a row may be off: five digits behind the point, as files of the time have them

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\Z")
_TOKEN = re.compile(r":|\*|[^\s:*#]+")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-.]*\Z")
_PREAMBLE = ("discount", "values", "states", "actions", "observations")
_RESERVED = (*_PREAMBLE, "start", "include", "exclude", "uniform", "identity", "reset", "T", "O", "R")


@dataclass(frozen=True, eq=False)
class PomdpFile:
    """What a `.pomdp` file holds: a model, and the names of what it is made of (their numbers where there are none)."""

    model: POMDP
    states: tuple[str, ...]
    actions: tuple[str, ...]
    observations: tuple[str, ...]


def read_pomdp(path: str | Path) -> PomdpFile:
    """The model and names in a `.pomdp` file.

    Raises
    ------
    InstanceError
        If the file does not exist or breaks the grammar; the message names file, line, what was found and expected.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InstanceError(f"{path}: there is no such file")
    try:
        return from_pomdp(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InstanceError(f"{path}: not a text in UTF-8 ({error.reason} at byte {error.start})") from error
    except InstanceError as error:
        raise InstanceError(f"{path}, {error}") from error


def from_pomdp(text: str) -> PomdpFile:
    """The model and names of a text in Cassandra's format; raises InstanceError with the line of a mistake."""
    return _Parser(text).file()


class _Parser:
    """One pass over the tokens; `at` is the next one."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, int]] = []
        for number, line in enumerate(text.splitlines(), 1):
            self.tokens += [(token, number) for token in _TOKEN.findall(line.partition("#")[0])]
        self.last_line = max(1, len(text.splitlines()))
        self.at = 0

    # -- tokens ------------------------------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> str:
        """The token `ahead` of the next one; empty at the end."""
        i = self.at + ahead
        return self.tokens[i][0] if i < len(self.tokens) else ""

    @property
    def line(self) -> int:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else self.last_line

    def fail(self, expected: str, found: str | None = None) -> InstanceError:
        shown = found if found is not None else (repr(self.peek()) if self.peek() else "the end of the file")
        return InstanceError(f"line {self.line}: found {shown}; expected {expected}")

    def take(self, expected: str) -> str:
        if not self.peek():
            raise self.fail(expected)
        self.at += 1
        return self.tokens[self.at - 1][0]

    def colon(self, after: str) -> None:
        if self.peek() != ":":
            raise self.fail(f"':' after {after}")
        self.at += 1

    def number(self, expected: str) -> Any:
        sign = self.take(expected) if self.peek() in ("+", "-") else ""
        token = self.peek()
        if not _NUMBER.match(token):
            raise self.fail(expected)
        self.at += 1
        return Fraction(sign + token)

    def is_number(self) -> bool:
        return bool(_NUMBER.match(self.peek())) or (self.peek() in ("+", "-") and bool(_NUMBER.match(self.peek(1))))

    def numbers(self, count: int, what: str, words: str) -> list[Any]:
        begin, found = self.line, list[Any]()
        while self.is_number() and len(found) < count:
            found.append(self.number("a number"))
        if len(found) < count or self.is_number():
            how_many = f"{len(found)} numbers" if len(found) < count else f"more than {count} numbers"
            raise InstanceError(f"line {begin}: {what} has {how_many}; expected {count}{words}")
        return found

    # -- the file ----------------------------------------------------------------------------------------------------

    def file(self) -> PomdpFile:
        self.preamble()
        S, A, O = (len(self.names[key]) for key in ("states", "actions", "observations"))  # noqa: E741
        self.S, self.A, self.O = S, A, O
        exact = A * S * (S + O) <= EXACT_ENTRIES
        kind, zero = (object, rational_number(0)) if exact else (float, 0.0)
        self.convert: Callable[[Any], Any] = rational_number if exact else float
        self.start = self.read_start()
        self.P, self.Z = np.full((A, S, S), zero, dtype=kind), np.full((A, S, O), zero, dtype=kind)
        self.lines = {"T": np.zeros((A, S), dtype=int), "O": np.zeros((A, S), dtype=int)}
        ends, seen = self.reward_axes()
        self.R = np.full((A, S, S if ends else 1, O if seen else 1), zero, dtype=kind)
        while self.peek():
            self.entry()
        return PomdpFile(self.model(), *(self.names[key] for key in ("states", "actions", "observations")))

    def preamble(self) -> None:
        self.names: dict[str, tuple[str, ...]] = {}
        self.discount: Any = None
        self.sign: int | None = None
        while self.peek() in _PREAMBLE:
            key = self.take("a line of the preamble")
            self.colon(f"{key!r}")
            if key == "discount":
                self.discount = self.number("a number from 0 to 1")
                if not 0 <= self.discount <= 1:
                    self.at -= 1
                    raise self.fail("a discount from 0 to 1")
            elif key == "values":
                word = self.peek()
                if word not in ("reward", "cost"):
                    raise self.fail("'reward' or 'cost' after 'values:'")
                self.at += 1
                self.sign = 1 if word == "reward" else -1
            else:
                self.names[key] = self.listed(key)
        for key in ("states", "actions", "observations"):
            if key not in self.names:
                raise self.fail(f"the preamble to say '{key}:'")
        if self.discount is None:
            raise self.fail("the preamble to say 'discount:'")

    def listed(self, key: str) -> tuple[str, ...]:
        if self.peek().isdecimal():
            count = int(self.take("a number"))
            if not 1 <= count <= 10**6:
                self.at -= 1
                raise self.fail(f"at least one and at most a million {key}")
            return tuple(map(str, range(count)))
        names: list[str] = []
        while self.peek() and not self.begins_section():
            name = self.peek()
            if not _NAME.match(name):
                raise self.fail(f"a name of one of the {key}, which begins with a letter, or a section")
            if name in names:
                raise self.fail(f"different names of {key}")
            names.append(self.take("a name"))
        if not names:
            raise self.fail(f"the number of {key} or their names")
        return tuple(names)

    def begins_section(self) -> bool:
        word, after = self.peek(), self.peek(1)
        return (word in (*_PREAMBLE, "start", "T", "O", "R") and after == ":") or (
            word == "start" and after in ("include", "exclude")
        )

    def read_start(self) -> np.ndarray:
        S = self.S
        if self.peek() != "start":
            return self.uniform(S)
        begin = self.line
        self.at += 1
        if self.peek() in ("include", "exclude"):
            word = self.take("include or exclude")
            self.colon(f"'start {word}'")
            chosen = []
            while self.peek() and not self.begins_section():
                chosen.append(self.index("states", wildcard=False))
            kept = [s for s in range(S) if (s in chosen) == (word == "include")]
            if not chosen or not kept:
                raise InstanceError(f"line {begin}: 'start {word}:' leaves no state; expected at least one")
            out = self.zeros(S)
            out[kept] = self.convert(Fraction(1, len(kept)))
            return out
        self.colon("'start'")
        if self.peek() == "uniform":
            self.at += 1
            return self.uniform(S)
        if not self.is_number() or (S > 1 and self.peek().isdecimal() and not self.follows_number()):
            out = self.zeros(S)
            out[self.index("states", wildcard=False)] = self.convert(1)
            return out
        p = self.numbers(S, "start", f", one for each state, or 'uniform', or one of the {S} states")
        return self.distribution(p, "start", begin)

    def follows_number(self) -> bool:
        return bool(_NUMBER.match(self.peek(1)))

    def zeros(self, n: int) -> np.ndarray:
        out = np.empty(n, dtype=object if self.convert is rational_number else float)
        out[:] = self.convert(0)
        return out

    def uniform(self, n: int) -> np.ndarray:
        return self.zeros(n) + self.convert(Fraction(1, n))

    def index(self, key: str, wildcard: bool = True) -> Any:
        """An index, or slice(None) for `*`."""
        token, names = self.peek(), self.names[key]
        if token == "*" and wildcard:
            self.at += 1
            return slice(None)
        if token in names:
            found = names.index(token)
        elif token.isdecimal() and int(token) < len(names):
            found = int(token)
        else:
            also = ", or '*'" if wildcard else ""
            shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            raise self.fail(f"one of the {len(names)} {key} ({shown}){also}")
        self.at += 1
        return found

    def reward_axes(self) -> tuple[bool, bool]:
        """Whether some reward depends on the end state, and on the observation: how large an array is needed."""
        ends = seen = False
        for i in range(len(self.tokens) - 1):
            if self.tokens[i][0] == "R" and self.tokens[i + 1][0] == ":":
                rest = [token for token, _ in self.tokens[i + 2 : i + 9]]  # a : s : t : o
                colons = [j for j, token in enumerate(rest[:6]) if token == ":" and j in (1, 3, 5)]
                ends |= len(colons) < 2 or rest[4] != "*"
                seen |= len(colons) < 3 or rest[6] != "*"
        return ends, seen

    def entry(self) -> None:
        kind = self.peek()
        if kind not in ("T", "O", "R"):
            raise self.fail("'T:', 'O:' or 'R:'")
        begin = self.line
        self.at += 1
        self.colon(f"{kind!r}")
        keys = {"T": ("actions", "states", "states"), "O": ("actions", "states", "observations")}.get(
            kind, ("actions", "states", "states", "observations")
        )
        where: list[Any] = [self.index("actions")]
        while len(where) < len(keys) and self.peek() == ":":
            self.at += 1
            where.append(self.index(keys[len(where)]))
        {"T": self.transition, "O": self.observation, "R": self.reward}[kind](where, begin)

    def transition(self, where: list[Any], begin: int) -> None:
        self.lines["T"][tuple(where[:2])] = begin
        S = self.S
        if len(where) == 3:
            self.P[tuple(where)] = self.probability()
        elif self.peek() == "uniform":
            self.at += 1
            self.P[tuple(where)] = self.uniform(S)
        elif len(where) == 2 and self.peek() == "reset":
            self.at += 1
            self.P[tuple(where)] = self.start
        elif len(where) == 1 and self.peek() == "identity":
            self.at += 1
            self.P[where[0]] = np.stack([self.unit(S, s) for s in range(S)])
        elif len(where) == 2:
            self.P[tuple(where)] = self.array(S, "a row of T", ", one for each end state, or 'uniform' or 'reset'")
        else:
            words = f", {S} rows of {S}, or 'uniform' or 'identity'"
            self.P[where[0]] = self.array(S * S, "a matrix of T", words).reshape(S, S)

    def observation(self, where: list[Any], begin: int) -> None:
        self.lines["O"][tuple(where[:2])] = begin
        S, O = self.S, self.O  # noqa: E741
        if len(where) == 3:
            self.Z[tuple(where)] = self.probability()
        elif self.peek() == "uniform":
            self.at += 1
            self.Z[tuple(where)] = self.uniform(O)
        elif len(where) == 2:
            self.Z[tuple(where)] = self.array(O, "a row of O", ", one for each observation, or 'uniform'")
        else:
            words = f", {S} rows of {O}, or 'uniform'"
            self.Z[where[0]] = self.array(S * O, "a matrix of O", words).reshape(S, O)

    def reward(self, where: list[Any], begin: int) -> None:
        S, O = self.S, self.O  # noqa: E741
        full = [*where]
        # An axis that no reward of the file tells apart has length one here.
        for axis in range(2, len(full)):
            if self.R.shape[axis] == 1:
                full[axis] = slice(None)
        if len(where) == 4:
            self.R[tuple(full)] = self.convert(self.number("a number, the reward"))
        elif len(where) == 3:
            self.R[tuple(full)] = self.array(O, "a row of R", ", one for each observation")
        elif len(where) == 2:
            words = f", {S} rows of {O}, one row for each end state"
            self.R[tuple(full)] = self.array(S * O, "a matrix of R", words).reshape(S, O)
        else:
            raise self.fail("':' and a start state after 'R: action'")

    def probability(self) -> Any:
        p = self.number("a probability")
        if not 0 <= p <= 1:
            self.at -= 1
            raise self.fail("a probability from 0 to 1")
        return self.convert(p)

    def array(self, count: int, what: str, words: str) -> np.ndarray:
        out = self.zeros(count)
        out[:] = [self.convert(x) for x in self.numbers(count, what, words)]
        return out

    def unit(self, n: int, i: int) -> np.ndarray:
        out = self.zeros(n)
        out[i] = self.convert(1)
        return out

    # -- the model ---------------------------------------------------------------------------------------------------

    def distribution(self, p: Sequence[Any], what: str, line: int) -> np.ndarray:
        whole, least = sum(p), min(p)
        if least < 0 or abs(whole - 1) > ROW_SLACK:
            found = f"has the entry {float(least):g}" if least < 0 else f"sums to {float(whole):.9g}"
            raise InstanceError(f"line {line}: {what} {found}; expected probabilities that sum to 1")
        out = self.zeros(len(p))
        out[:] = [self.convert(x) for x in p]
        return out

    def model(self) -> POMDP:
        for kind, x, ends in (("T", self.P, "end states"), ("O", self.Z, "observations")):
            sums, least = x.sum(axis=-1), x.min(axis=-1)
            for a, s in np.ndindex(sums.shape):
                off = abs(sums[a, s] - 1)
                if (off > self.convert(ROW_SLACK)) or least[a, s] < 0:
                    row = f"{kind}: {self.names['actions'][a]} : {self.names['states'][s]}"
                    line = self.lines[kind][a, s]
                    where = f"line {line}" if line else f"line {self.last_line}"
                    given = f"sums to {float(Fraction(str(sums[a, s]))):.9g} over {ends}" if line else "is never given"
                    if least[a, s] < 0:
                        given = "has a negative entry"
                    raise InstanceError(f"{where}: {row} {given}; expected probabilities that sum to 1")
        P, Z, start = self.P, self.Z, self.start
        exact = is_exact(P) and all(np.all(x.sum(axis=-1) == 1) for x in (P, Z, start))
        if not exact:
            P, Z, start = _scaled(P), _scaled(Z), _scaled(start)
        R = self.R * ((self.sign or 1) * self.convert(1))
        # E[R | a, s, t] (A, S, S or 1), then E[R | a, s] (A, S)
        inner = total(R * Z[:, None, :, :]) if R.shape[3] > 1 else R[..., 0]
        r = np.moveaxis(total(inner * P) if inner.shape[2] > 1 else inner[..., 0], 0, 1)
        P, γ = np.moveaxis(P, 0, 1), self.convert(self.discount)
        if exact:
            return POMDP(P, Z, r, γ, start)
        return POMDP(floats(P), floats(Z), floats(r), float(floats(γ)), floats(start))


def _scaled(x: np.ndarray) -> np.ndarray:
    """Rows that are off by more than rounding divided by their sums."""
    sums = np.asarray(x.sum(axis=-1))[..., None]
    off = abs(sums - 1) > (rational("1/1000000000")[()] if is_exact(x) else 1e-9)
    return np.where(off, x / sums, x)


def to_pomdp(
    model: POMDP,
    states: Sequence[str] | None = None,
    actions: Sequence[str] | None = None,
    observations: Sequence[str] | None = None,
) -> str:
    """The text of one model in Cassandra's format; reading it gives every number back.

    Raises
    ------
    InstanceError
        If the format cannot hold the model: a batch, an observation before the first action, balls, a rational that
        is no decimal (take `model.floats()` then), or a name that the format does not know from its own words.
    """
    if model.batch:
        raise InstanceError(f"the format holds one model, not a batch of shape {model.batch}; take model[index]")
    if model.first is not None:
        raise InstanceError("the format has no observation before the first action, and the model has one (first)")
    given = {
        "states": _checked_names("states", states, model.S),
        "actions": _checked_names("actions", actions, model.A),
        "observations": _checked_names("observations", observations, model.O),
    }
    sizes = dict(zip(given, (model.S, model.A, model.O), strict=True))
    S, A = ([*(given[key] or map(str, range(sizes[key])))] for key in ("states", "actions"))
    lines = [f"discount: {_decimal('discount', model.discount)}", "values: reward"]
    lines += [f"{key}: {' '.join(names) if names else sizes[key]}" for key, names in given.items()]
    lines += ["", "start: " + (_row("start", model.start) if model.S > 1 else "uniform")]
    for kind, x in (("T", np.moveaxis(model.P, -2, -3)), ("O", model.Z)):
        for a in range(model.A):
            lines += ["", *_matrix(f"{kind}: {A[a]}", S, x[a])]
    lines += [""]
    for s, a in np.ndindex(model.S, model.A):
        if model.r[s, a] != 0:
            lines.append(f"R: {A[a]} : {S[s]} : * : * {_decimal(f'r[{s}, {a}]', model.r[s, a])}")
    return "\n".join(lines) + "\n"


def write_pomdp(
    model: POMDP,
    path: str | Path,
    states: Sequence[str] | None = None,
    actions: Sequence[str] | None = None,
    observations: Sequence[str] | None = None,
) -> None:
    """Write one model to a `.pomdp` file; raises InstanceError as `to_pomdp` does."""
    Path(path).expanduser().write_text(to_pomdp(model, states, actions, observations), encoding="utf-8")


def _checked_names(key: str, names: Sequence[str] | None, n: int) -> list[str] | None:
    if names is None or list(names) == [str(i) for i in range(n)]:
        return None
    if len(names) != n or len(set(names)) < n:
        raise InstanceError(f"there are {len(set(names))} different names of {key}; expected {n}")
    for name in names:
        if not _NAME.match(name) or name in _RESERVED:
            raise InstanceError(f"{name!r} is no name of one of the {key}; expected letters, digits, '_', '-' and '.'")
    return list(names)


def _matrix(head: str, states: list[str], x: np.ndarray) -> list[str]:
    """The lines of T or O for one action: one word, a matrix, or row by row where some are uniform."""
    if head.startswith("T") and (x == np.eye(len(x), dtype=int)).all():
        return [head, "identity"]
    even = [_is_uniform(row) for row in x]
    if all(even):
        return [head, "uniform"]
    if not any(even):
        return [head, *(_row(f"{head} : {s}", row) for s, row in zip(states, x, strict=True))]
    rows = zip(states, x, even, strict=True)
    return [f"{head} : {s} {'uniform' if same else _row(f'{head} : {s}', row)}" for s, row, same in rows]


def _is_uniform(x: np.ndarray) -> bool:
    # Also without a word a row of two halves is one; in float64 only numbers give back the same bits.
    return is_exact(x) and len(x) > 1 and bool((x * len(x) == 1).all())


def _row(name: str, x: np.ndarray) -> str:
    if name == "start" and _is_uniform(x):
        return "uniform"
    return " ".join(_decimal(name, y) for y in x)


def _decimal(name: str, x: Any) -> str:
    """A number as a decimal that reads back the same, with a digit on either side of the point."""
    if is_ball(x):
        raise InstanceError(f"{name} is a ball; the format holds decimals")
    if not is_exact(x):
        return np.format_float_positional(float(x), unique=True, trim="0")
    f = Fraction(str(x))
    places, rest = 0, f.denominator
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1:
        raise InstanceError(f"{name} holds {x}, which no decimal equals; write model.floats()")
    digits = f"{abs(f.numerator) * 10**places // f.denominator:0{places + 1}d}"
    whole, fraction = (digits[:-places], digits[-places:]) if places else (digits, "0")
    return f"{'-' if f < 0 else ''}{whole}.{fraction}"


def load(path: str | Path) -> POMDP:
    """The model in a `.pomdp` file; raises InstanceError as `read_pomdp` does."""
    try:
        return read_pomdp(path).model
    except ModelError as error:
        raise InstanceError(f"{path}: {error}") from error
