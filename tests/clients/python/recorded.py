"""Reads recorded answers, said again through the gateway's faces, with the official SDKs, and compares with what is expected.

`recorded.py FOLDER`: what `cargo xtask recorded faces DIR --write FOLDER` wrote. Prints counts and every difference.
"""

import collections
import json
import pathlib
import sys

import anthropic
import openai

try:
    import httpx2 as httpx
except ImportError:
    import httpx

# The exceptions by which a program tells failures apart.
CLASSES = {
    "authentication": "AuthenticationError",
    "permission": "PermissionDeniedError",
    "not_found": "NotFoundError",
    "rate_limited": "RateLimitError",
    "quota_exhausted": "RateLimitError",
    "invalid_request": ("BadRequestError", "ConflictError", "UnprocessableEntityError"),
    "unsupported": "BadRequestError",
    "context_length": "BadRequestError",
    "content_filtered": "BadRequestError",
    "payload_too_large": ("APIStatusError", "RequestTooLargeError"),
    "billing": "APIStatusError",
}
SERVER = ("InternalServerError", "OverloadedError", "ServiceUnavailableError", "DeadlineExceededError")
ENDS = {
    "openai-chat": {
        "stop": ["stop"],
        "other": ["stop"],
        "tool_calls": ["tool_calls"],
        "length": ["length"],
        "content_filter": ["content_filter"],
    },
    "openai-responses": {
        "stop": ["completed"],
        "other": ["completed"],
        "tool_calls": ["completed"],
        "length": ["incomplete"],
        "content_filter": ["incomplete"],
    },
    "anthropic-messages": {
        "stop": ["end_turn", "stop_sequence"],
        "other": ["end_turn", "pause_turn"],
        "tool_calls": ["tool_use"],
        "length": ["max_tokens", "model_context_window_exceeded"],
        "content_filter": ["refusal"],
    },
}
Heard = collections.namedtuple("Heard", "text calls end usage")


def clients(said, stream):
    """Both SDKs, with a server that says this."""

    def answer(request):
        headers = dict(said["headers"])
        headers["content-type"] = said["content_type"] if stream else "application/json"
        body = said["streamed"] if stream else said["whole"]
        return httpx.Response(said["status"], headers=headers, content=body.encode())

    def client():
        return httpx.Client(transport=httpx.MockTransport(answer))

    return (
        openai.OpenAI(api_key="x", base_url="http://gateway/v1", max_retries=0, http_client=client()),
        anthropic.Anthropic(api_key="x", base_url="http://gateway", max_retries=0, http_client=client()),
    )


def ask(face, said, stream):
    chat, messages = clients(said, stream)
    asked = [{"role": "user", "content": "hi"}]
    if face == "openai-chat":
        if not stream:
            return of_chat(chat.chat.completions.create(model="m", messages=asked))
        more = {"stream": True, "stream_options": {"include_usage": True}}
        return of_chunks(chat.chat.completions.create(model="m", messages=asked, **more))
    if face == "openai-responses":
        if not stream:
            return of_response(chat.responses.create(model="m", input="hi"))
        ended = None
        for event in chat.responses.create(model="m", input="hi", stream=True):
            if event.type in ("response.completed", "response.incomplete"):
                ended = event.response
            if event.type in ("response.failed", "error"):
                raise RuntimeError(str(event))
        if ended is None:
            raise RuntimeError("the stream has no end")
        return of_response(ended)
    if not stream:
        return of_message(messages.messages.create(model="m", max_tokens=9, messages=asked))
    with messages.messages.stream(model="m", max_tokens=9, messages=asked) as events:
        for _ in events:
            pass
        final = events.get_final_message()
    if final.stop_reason is None:
        raise RuntimeError("the stream has no end")
    return of_message(final)


def of_chat(answer):
    (choice,) = answer.choices
    calls = []
    for call in choice.message.tool_calls or []:
        function = getattr(call, "function", None)
        calls.append((function.name, function.arguments) if function else (call.custom.name, call.custom.input))
    usage = answer.usage and (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    text = choice.message.content or getattr(choice.message, "refusal", None) or ""
    return Heard(text, calls, choice.finish_reason, usage)


def of_chunks(chunks):
    """Gathered as programs do it: the SDK's own gatherer takes an end by length or by a filter for a failure."""
    text, calls, end, usage = "", {}, None, None
    for chunk in chunks:
        if chunk.usage:
            usage = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        for choice in chunk.choices:
            end = choice.finish_reason or end
            text += choice.delta.content or choice.delta.refusal or ""
            for piece in choice.delta.tool_calls or []:
                name, said = calls.get(piece.index, ("", ""))
                function = piece.function.model_dump() if piece.function else getattr(piece, "custom", None) or {}
                said += function.get("arguments") or function.get("input") or ""
                calls[piece.index] = (name + (function.get("name") or ""), said)
    if end is None:
        raise RuntimeError("the stream has no end")
    return Heard(text, [calls[index] for index in sorted(calls)], end, usage)


def of_response(answer):
    text, calls = "", []
    for item in answer.output:
        if item.type == "message":
            text += "".join(getattr(part, "text", None) or getattr(part, "refusal", None) or "" for part in item.content)
        if item.type == "function_call":
            calls.append((item.name, item.arguments))
        if item.type == "custom_tool_call":
            calls.append((item.name, item.input))
    usage = answer.usage and (answer.usage.input_tokens, answer.usage.output_tokens)
    return Heard(text, calls, answer.status, usage)


def of_message(answer):
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = [(block.name, json.dumps(block.input)) for block in answer.content if block.type == "tool_use"]
    usage = answer.usage
    read = usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Heard(text, calls, answer.stop_reason, (read, usage.output_tokens))


def doubts(expect):
    found = expect.get("doubt") or []
    return {doubt["field"] if isinstance(doubt, dict) else doubt for doubt in found}


def differences(face, expect, heard):
    doubted = doubts(expect)
    texts = [text for text in [expect.get("content"), *(expect.get("content_alt") or [])] if text is not None]
    if "content" not in doubted and heard.text.strip() not in [text.strip() for text in texts]:
        yield f"text {heard.text!r}"
    if "tool_calls" not in doubted:
        wanted = expect.get("tool_calls") or []
        if len(wanted) != len(heard.calls) or not all(map(same_call, wanted, heard.calls)):
            yield f"calls {heard.calls!r}"
    if "finish_reason" not in doubted:
        reasons = [expect.get("finish_reason"), expect.get("or_finish")]
        if heard.end not in [word for reason in reasons for word in ENDS[face].get(reason, [])]:
            yield f"end {heard.end!r} and not {reasons[0]!r}"
    usage = expect.get("usage") or {}
    wanted = (usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
    if "usage" not in doubted and all(wanted) and heard.usage != wanted:
        yield f"usage {heard.usage!r} and not {wanted!r}"


def same_call(wanted, heard):
    name, arguments = heard
    if "arguments_raw" in wanted:
        # A wire whose arguments are an object has no place for half of one.
        same = arguments == wanted["arguments_raw"] or "_raw" in arguments
    else:
        try:
            same = json.loads(arguments) == wanted["arguments"]
        except ValueError:
            same = False
    return name == wanted["name"] and same


def failed_right(said, error):
    names = [kind.__name__ for kind in type(error).__mro__]
    wanted = CLASSES.get(said["kind"], SERVER)
    wanted = (wanted,) if isinstance(wanted, str) else wanted
    return any(name in names for name in wanted) and bool(str(error))


def judge(case):
    face, said, expect = case["face"], case["said"], case["expect"]
    if said["status"] >= 400:
        try:
            heard = ask(face, said, False)
        except Exception as error:
            if not failed_right(said, error):
                yield f"{said['kind']} became {type(error).__name__}"
            return
        yield f"{said['kind']} was heard as {heard!r}"
        return
    for stream in (False, True):
        how = "streamed" if stream else "whole"
        if not stream and said["whole"] is None:
            continue
        try:
            heard = ask(face, said, stream)
        except Exception as error:
            # A reader that trips over what it reads has not understood that it broke off.
            tripped = isinstance(error, (TypeError, AttributeError, KeyError, IndexError))
            if said["whole"] is not None or tripped:
                yield f"{how}: {type(error).__name__}: {error}"
            continue
        if said["whole"] is None:
            yield f"{how}: what broke off was heard as whole: {heard!r}"
            continue
        for difference in differences(face, expect, heard):
            yield f"{how}: {difference}"


def main():
    right, every = collections.Counter(), collections.Counter()
    faces = ("openai-chat", "openai-responses", "anthropic-messages")
    for file in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        case = json.loads(file.read_text())
        if case["face"] not in faces:
            continue
        key = (case["vendor"], case["face"])
        every[key] += 1
        found = list(judge(case))
        right[key] += not found
        for difference in found:
            print(f"{case['name']} {case['face']}: {difference[:400]}")
    for key in sorted(every):
        print(f"{key[0]:<12} {key[1]:<20} {right[key]:>4}/{every[key]}")
    total = sum(every.values())
    print(f"{sum(right.values())} of {total} are read right by openai {openai.__version__} and anthropic {anthropic.__version__}")
    sys.exit(0 if total and sum(right.values()) == total else 1)


main()
