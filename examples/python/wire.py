"""Parley's JSON and words, in both directions.

In answers everything is optional, whatever the vendor's documentation promises: a field that is missing one day must not
lose the answer. Fields that are not named here are ignored.
"""

import functools
import json
import re
import traceback

from componentize_py_types import Err
from wit_world.imports import types
from wit_world.imports.types import ErrorKind, FinishReason


def told(function):
    """Makes an error of whatever a function raises, so that a defect is told with its place."""

    @functools.wraps(function)
    def inner(*arguments):
        try:
            return function(*arguments)
        except Err:
            raise
        except Exception as defect:
            frame = traceback.extract_tb(defect.__traceback__)[-1]
            place = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
            raise Err(error(ErrorKind.OTHER, f"{place}: {type(defect).__name__}: {defect}")) from None

    return inner


def members(text: str) -> dict[str, str]:
    """The members of a JSON object, each as it was written: with its order of keys and its digits."""
    read = json.JSONDecoder().raw_decode
    at, found = skip(text, skip(text, 0) + 1), {}
    while text[at] != "}":
        name, at = read(text, at)
        at = skip(text, skip(text, at) + 1)
        _, end = read(text, at)
        found[name] = text[at:end]
        at = skip(text, end)
        if text[at] == ",":
            at = skip(text, at + 1)
    return found


def skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def merged(own: dict[str, str], tail: str | None) -> dict[str, str]:
    """An open tail, merged last: objects key by key, anything else replaces."""
    if tail is None:
        return own
    try:
        if not isinstance(loads(tail), dict):
            raise ValueError("it is no object")
    except ValueError as fault:
        raise Err(error(ErrorKind.INVALID_REQUEST, f"extra cannot be read: {fault}")) from None
    made = dict(own)
    for name, value in members(tail).items():
        known = made.get(name, "")
        both = known.startswith("{") and value.startswith("{")
        made[name] = written(merged(members(known), value)) if both else value
    return made


def written(object_: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in object_.items()) + "}"


# Deeper things are nobody's answer, and a component's stack ends before Python's own bound is reached: a trap, and no
# exception.
DEEPEST = 200


def loads(text: str) -> object:
    """`json.loads` that raises for what is too deep."""
    depth = deepest = 0
    for piece in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', text, re.DOTALL):
        if not piece[0].startswith('"'):
            depth += 1 if piece[0] in "[{" else -1
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            raise ValueError("it is too deep")
    return json.loads(text)


def parsed(text: str, what: str) -> dict:
    try:
        value = loads(text)
    except ValueError as fault:
        raise Err(error(ErrorKind.MALFORMED_RESPONSE, f"{what} cannot be read: {fault}")) from None
    if not isinstance(value, dict):
        raise Err(error(ErrorKind.MALFORMED_RESPONSE, f"{what} is no object"))
    return value


def text_of(object_: dict, name: str) -> str | None:
    """A member that is a text; absent and null are the same."""
    value = object_.get(name)
    if value is not None and not isinstance(value, str):
        raise Err(error(ErrorKind.MALFORMED_RESPONSE, f"{name!r} is no text"))
    return None if value is None else whole(value)


def whole(text: str) -> str:
    """Half a character, which JSON can say and no component can take, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def usage(tokens: object) -> types.Usage:
    """What the vendor does not say stays unknown. It is not zero."""

    def count(name: str) -> int | None:
        value = tokens.get(name) if isinstance(tokens, dict) else None
        # True is an int in Python.
        good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
        return value if good else None

    return types.Usage(count("heard"), count("said"), None, None, None, None, [], None, None, [])


def finish(ended: str | None) -> types.Finish:
    """Parley's word for why it stopped. A new word is OTHER, never an error."""
    known = {
        "done": FinishReason.STOP,
        "until": FinishReason.STOP,
        "limit": FinishReason.LENGTH,
        "withheld": FinishReason.CONTENT_FILTER,
    }
    return types.Finish(known.get((ended or "").lower(), FinishReason.OTHER), ended)


def error(kind: ErrorKind, message: str, retryable: bool = False) -> types.Error:
    return types.Error(kind, whole(message), None, None, None, retryable)


def unsupported(what: str) -> types.Error:
    return error(ErrorKind.UNSUPPORTED, f"parley does not know {what}")


def kind_of(status: int) -> tuple[ErrorKind, bool]:
    """What a status means everywhere, and whether the same request may succeed later."""
    known = {
        401: (ErrorKind.AUTHENTICATION, False),
        402: (ErrorKind.BILLING, False),
        403: (ErrorKind.PERMISSION, False),
        404: (ErrorKind.NOT_FOUND, False),
        408: (ErrorKind.TIMEOUT, True),
        409: (ErrorKind.INVALID_REQUEST, True),
        413: (ErrorKind.PAYLOAD_TOO_LARGE, False),
        429: (ErrorKind.RATE_LIMITED, True),
        503: (ErrorKind.OVERLOADED, True),
        504: (ErrorKind.TIMEOUT, True),
        529: (ErrorKind.OVERLOADED, True),
    }
    other = (ErrorKind.INVALID_REQUEST, False) if status < 500 else (ErrorKind.SERVER, True)
    return known.get(status, other)


def of_problem(problem: object) -> types.Error:
    """The error inside an answer that began as a success: it has no status."""
    problem = problem if isinstance(problem, dict) else {}
    words = problem.get("text")
    words = words if isinstance(words, str) else "the vendor failed"
    return refined(error(ErrorKind.SERVER, words, True), problem)


def refined(failure: types.Error, problem: dict) -> types.Error:
    """What the vendor's own code says beyond the status."""
    known = {
        "too_long": (ErrorKind.CONTEXT_LENGTH, False),
        "out_of_credit": (ErrorKind.QUOTA_EXHAUSTED, False),
        "slow_down": (ErrorKind.RATE_LIMITED, True),
        "crowded": (ErrorKind.OVERLOADED, True),
    }
    code, wait = problem.get("code"), problem.get("wait_seconds")
    if isinstance(code, str):
        failure.kind, failure.retryable = known.get(code, (failure.kind, failure.retryable))
        failure.vendor_code = whole(code)
    # Hints in headers (`retry-after`) are the host's to read; only the body's belong here.
    if isinstance(wait, (int, float)) and 0 < wait < 1e9:
        failure.retry_after_ms = round(wait * 1000)
    return failure
