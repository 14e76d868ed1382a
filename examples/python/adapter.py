"""The adapter of Parley, a vendor that does not exist, in Python.

Put your vendor's facts in the place of Parley's: `INFO` below says what the plugin is, `Chat.encode` builds requests,
`Chat.decode` and `Chat.decode_error` read what came whole; `chat.py` reads what comes piece by piece, and `wire.py` holds
what both need of Parley's JSON.

A plugin performs nothing. It has no network, no clock and no files, and no key ever reaches it: it says into which
header the host shall put one. So every function here is a pure one, and `python3 -m unittest` tries them all.

What is peculiar to Python:

- This module must not be called like the world (`provider`). The classes `Metadata` and `Chat` are found in it by the
  names of the interfaces; the class of a resource, `Decoder`, in a module with the name of its interface, `chat.py`.
- Whatever raises where nobody catches it ends the exchange without a word: there is no standard error in a plugin.
  `wire.told` makes an error with file and line of it.
- `json` keeps no digit of `1.50` and no half of a character. What belongs to somebody else goes through as text
  (`wire.members`, `wire.merged`), and texts go out by way of `wire.whole`.
- What is deep (`[[[[…`) ends the component's stack before Python's own bound is reached: a trap, and no exception.
  `wire.loads` looks first.
- Everything at the top of a module runs once, when the component is made. What is random there is the same for ever.
"""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.metadata import Capability, Info, Secret, Setting, Support
from wit_world.imports import http, types
from wit_world.imports.types import ErrorKind

from wire import error, finish, kind_of, loads, merged, of_problem, parsed, refined, text_of, told, unsupported, usage, written

INFO = Info(
    name="parley",
    title="Parley",
    version="0.1.0",
    documentation="https://parley.example/docs/talk",
    # Where requests go unless the configuration says otherwise. The path of a request is appended to it.
    default_base_url="https://api.parley.example",
    base_url_env=["PARLEY_BASE_URL"],
    # The host reads it from the first of these variables that is set, or from where the configuration says.
    secrets=[Secret(name="api_key", env=["PARLEY_API_KEY"], required=True)],
    settings=[
        Setting(
            name="voice",
            description="The voice that answers, `calm` or `brisk`. Default: the vendor's.",
            schema='{"enum":["calm","brisk"]}',
        )
    ],
    # The truth, please: what is not named here, or NO, must be an `unsupported` error in `encode`.
    capabilities=[Capability(name, Support.YES) for name in ("streaming", "system", "stop")]
    + [Capability(name, Support.NO) for name in ("tools", "image-file", "json", "reasoning")],
    # What this wire is called: a word that no other vendor's has.
    wires=["parley"],
    passes=[],
)


class Metadata(exports.Metadata):
    """What the plugin says of itself."""

    def describe(self) -> Info:
        return INFO


class Chat(exports.Chat):
    """Questions, and answers that come whole."""

    @told
    def encode(self, target: types.Target, request: types.ChatRequest, mode: types.Mode) -> http.Request:
        refuse(request)
        settings = json.loads(target.settings)
        sampling = request.sampling
        body = {
            "model": json.dumps(target.model),
            "turns": "[" + ",".join(written(turn) for turn in turns(request.messages)) + "]",
            "live": json.dumps(mode is types.Mode.STREAM),
        }
        # What the caller did not ask for is left out, so that the vendor's default counts.
        wishes = {
            "voice": settings.get("voice"),
            "limit": sampling.max_tokens,
            "warmth": sampling.temperature,
            "breadth": sampling.top_p,
            "until": sampling.stop or None,
        }
        body.update((name, json.dumps(wish)) for name, wish in wishes.items() if wish is not None)
        body = merged(body, request.extra)
        return http.Request(
            method=http.Method.POST,
            # Segments, not a path: a `/` in one of them stays inside it.
            path=["v1", "talk"],
            query=[],
            # The host puts the key here, after everything else is settled.
            headers=[
                http.Header("x-parley-key", http.HeaderValue_Secret(http.SecretRef("api_key", "", False)))
            ],
            body=[http.BodyPart_Text(written(body))],
            # How the host cuts the answer: lines of JSON here, SSE for server-sent events.
            framing=http.Framing.NDJSON if mode is types.Mode.STREAM else http.Framing.WHOLE,
            warnings=[],
        )

    @told
    def decode(self, target: types.Target, response: http.Response) -> types.ChatResponse:
        answer = parsed(response.body, "the answer")
        if answer.get("problem") is not None:
            raise Err(of_problem(answer["problem"]))
        say = text_of(answer, "say")
        # JSON of some other kind would read as an answer without anything in it.
        if say is None:
            raise Err(error(ErrorKind.MALFORMED_RESPONSE, "the answer says nothing"))
        return types.ChatResponse(
            id=text_of(answer, "id"),
            model=text_of(answer, "model"),
            content=[types.Part_Text(types.Text(say, [], None, None, None))],
            finish=finish(text_of(answer, "ended")),
            usage=usage(answer.get("tokens")),
            extra=None,
        )

    def decode_error(self, target: types.Target, response: http.Response) -> types.Error:
        # It must find an answer whatever the body is: proxies answer with HTML, and with nothing at all.
        try:
            problem = loads(response.body)["problem"]
            problem = problem if isinstance(problem, dict) else {}
        except (ValueError, LookupError, TypeError):
            problem = {}
        kind, retryable = kind_of(response.status)
        should = dict(response.headers).get("x-should-retry")
        retryable = {"true": True, "false": False}.get(should, retryable)
        words = problem.get("text")
        if not isinstance(words, str) or not words.strip():
            words = " ".join(response.body.split())[:2000] or f"HTTP status {response.status} without a body"
        failure = error(kind, words, retryable)
        failure.status = response.status
        return refined(failure, problem)


def refuse(request: types.ChatRequest) -> None:
    """Nothing that the caller asked for is dropped in silence: what Parley cannot do is refused by name."""
    sampling = request.sampling
    asked = [
        (request.tools, "tools"),
        (request.server_tools, "tools that it runs itself"),
        (not isinstance(request.response_format, types.ResponseFormat_Text), "JSON output"),
        (request.reasoning_effort is not None, "reasoning effort"),
        (any(output != "text" for output in request.outputs), "answers other than text"),
        (sampling.top_k is not None, "top_k"),
        (sampling.seed is not None, "a seed"),
        (sampling.frequency_penalty is not None or sampling.presence_penalty is not None, "penalties"),
    ]
    for is_asked, what in asked:
        if is_asked:
            raise Err(unsupported(what))


def turns(messages: list[types.Message]) -> list[dict[str, str]]:
    """The conversation. Parley wants the speakers to alternate: what one says in several messages becomes one turn."""
    speakers = {types.Role.SYSTEM: "host", types.Role.USER: "guest", types.Role.ASSISTANT: "parley"}
    found: list[tuple[str, list[str], list[str]]] = []
    for message in messages:
        by = speakers.get(message.role)
        if by is None:
            raise Err(unsupported("tools"))
        say, tails = "", []
        for part in message.content:
            match part:
                case types.Part_Text(text):
                    say += text.text
                    tails.append(text.extra)
                case types.Part_Media():
                    raise Err(unsupported("pictures and files"))
                # Only what this plugin returned comes back as these, and it never returns any.
                case types.Part_Reasoning() | types.Part_Opaque():
                    pass
                case _:
                    raise Err(unsupported("tools"))
        # Parley has a turn and nothing smaller, so open tails are merged into that.
        tails = [tail for tail in [*tails, message.extra] if tail is not None]
        if found and found[-1][0] == by:
            found[-1][1].append(say)
            found[-1][2].extend(tails)
        else:
            found.append((by, [say], tails))
    made = []
    for by, says, tails in found:
        turn = {"by": json.dumps(by), "say": json.dumps("\n".join(says), ensure_ascii=False)}
        for tail in tails:
            turn = merged(turn, tail)
        made.append(turn)
    return made
