"""Everything is tried natively: no WebAssembly, no network, no key.

    componentize-py -d wit -w provider bindings bindings
    python3 -m unittest
"""

import json
import sys
import unittest

# The contract's types, as componentize-py makes them.
sys.path.insert(0, "bindings")

from componentize_py_types import Err
from wit_world.imports import http, types
from wit_world.imports.types import ErrorKind, FinishReason, Mode, Role

import adapter
import chat
import wire

TARGET = types.Target("parley-2", "{}", "parley")


def says(role: Role, text: str, extra: str | None = None) -> types.Message:
    return types.Message(role, [types.Part_Text(types.Text(text, [], None, None, None))], extra)


def ask(*messages: types.Message, **more) -> types.ChatRequest:
    sampling = types.Sampling(None, None, None, None, [], None, None, None)
    form, choice = types.ResponseFormat_Text(), types.ToolChoice_Auto()
    request = types.ChatRequest(list(messages), [], [], choice, None, form, [], sampling, None, None, False, None)
    for name, value in more.items():
        owner = sampling if hasattr(sampling, name) else request
        setattr(owner, name, value)
    return request


def response(body: str, status: int = 200) -> http.Response:
    return http.Response(status, [], body)


def lines(*data: str) -> list[types.ChatEvent]:
    decoder = chat.Decoder(TARGET)
    events = [event for line in data for event in decoder.push([http.Frame(None, line)])]
    return events + decoder.finish()


class Asked(unittest.TestCase):
    def encoded(self, request: types.ChatRequest, mode: Mode = Mode.WHOLE, settings: str = "{}") -> http.Request:
        return adapter.Chat().encode(types.Target("parley-2", settings, "parley"), request, mode)

    def test_a_question_is_written_as_parley_wants_it(self):
        question = ask(
            says(Role.SYSTEM, "Be kind."),
            says(Role.USER, "Good evening."),
            says(Role.USER, "How are you?", '{"aside": 1.50}'),
            max_tokens=50,
            stop=["END"],
            extra='{"mood":"calm"}',
        )
        request = self.encoded(question, Mode.STREAM, '{"voice":"brisk"}')
        text = request.body[0].value
        self.assertEqual(
            json.loads(text),
            {
                "model": "parley-2",
                "live": True,
                "voice": "brisk",
                "limit": 50,
                "until": ["END"],
                "mood": "calm",
                "turns": [
                    {"by": "host", "say": "Be kind."},
                    {"by": "guest", "say": "Good evening.\nHow are you?", "aside": 1.5},
                ],
            },
        )
        self.assertIn('"aside":1.50', text, "the caller's digits")
        self.assertEqual(request.path, ["v1", "talk"])
        self.assertEqual(request.framing, http.Framing.NDJSON)

    def test_open_tails_are_merged_key_by_key(self):
        made = wire.merged({"a": '{"x":1,"y":2}', "b": "3"}, '{"a":{"y":{},"z":9007199254740993},"b":{"c":0}}')
        self.assertEqual(wire.written(made), '{"a":{"x":1,"y":{},"z":9007199254740993},"b":{"c":0}}')

    def test_what_parley_cannot_do_is_refused_by_name(self):
        tool = types.Tool("look", None, types.ToolInput_Schema("{}"), None, None, None, None)
        for more, named in [({"tools": [tool]}, "tools"), ({"seed": 1}, "seed"), ({"top_k": 3}, "top_k")]:
            with self.assertRaises(Err) as refused:
                self.encoded(ask(says(Role.USER, "Hello"), **more))
            self.assertEqual(refused.exception.value.kind, ErrorKind.UNSUPPORTED)
            self.assertIn(named, refused.exception.value.message)

    def test_a_defect_is_told_with_its_place(self):
        with self.assertRaises(Err) as failed:
            self.encoded(ask(says(Role.USER, "Hello")), settings="no JSON")
        self.assertRegex(failed.exception.value.message, r"\w+\.py:\d+: JSONDecodeError")


class Answered(unittest.TestCase):
    def test_a_streamed_answer_is_the_whole_one_in_pieces(self):
        body = '{"id":"t-1","say":"Good evening.","ended":"done","tokens":{"heard":7,"said":3}}'
        whole = adapter.Chat().decode(TARGET, response(body))
        events = lines(
            '{"id":"t-1"}',
            '{"say":"Good "}',
            '{"say":"evening.","note":"new fields are ignored"}',
            '{"ended":"done","tokens":{"heard":7,"said":3}}',
        )
        said = "".join(event.value for event in events if isinstance(event, types.ChatEvent_Text))
        self.assertEqual(whole.content[0].value.text, said)
        self.assertIn(types.ChatEvent_Usage(whole.usage), events)
        self.assertIn(types.ChatEvent_Finished(whole.finish), events)
        self.assertEqual(events[-1], types.ChatEvent_Done())

    def test_an_answer_that_leaves_things_out_is_still_one(self):
        answer = adapter.Chat().decode(TARGET, response('{"say":"Hm.","tokens":null}'))
        self.assertEqual(answer.finish.reason, FinishReason.OTHER)
        self.assertIsNone(answer.usage.prompt_tokens)
        for nothing in ["", "<html>", "[]", "{}", '{"say":1}', "[" * 100_000]:
            with self.assertRaises(Err) as failed:
                adapter.Chat().decode(TARGET, response(nothing))
            self.assertEqual(failed.exception.value.kind, ErrorKind.MALFORMED_RESPONSE, nothing[:9])

    def test_a_cut_stream_and_a_broken_one_are_errors(self):
        self.assertEqual(lines('{"say":"Good "}')[-1].value.kind, ErrorKind.TRUNCATED)
        broken = lines('{"say":"Good "}', '{"problem":{"code":"crowded","text":"Too many guests."}}', '{"say":"!"}')
        self.assertEqual(broken[0], types.ChatEvent_Text("Good "))
        self.assertEqual(broken[1].value.kind, ErrorKind.OVERLOADED)
        self.assertEqual(len(broken), 2, "nothing follows a failure")

    def test_half_a_character_is_no_defect(self):
        answer = adapter.Chat().decode(TARGET, response('{"say":"a\\ud83db"}'))
        self.assertEqual(answer.content[0].value.text, "a\ufffdb")

    def test_failures_are_classified_whatever_the_body_is(self):
        def failure(status: int, body: str) -> types.Error:
            return adapter.Chat().decode_error(TARGET, response(body, status))

        slow = failure(429, '{"problem":{"code":"slow_down","text":"Breathe.","wait_seconds":2.5}}')
        self.assertEqual((slow.kind, slow.retry_after_ms, slow.status), (ErrorKind.RATE_LIMITED, 2500, 429))
        self.assertEqual(slow.message, "Breathe.")
        broke = failure(429, '{"problem":{"code":"out_of_credit"}}')
        self.assertEqual((broke.kind, broke.retryable), (ErrorKind.QUOTA_EXHAUSTED, False))
        for body in ["<html>bad gateway</html>", "", "[]", '{"problem":7}', "null"]:
            self.assertEqual(failure(502, body).kind, ErrorKind.SERVER, body)


if __name__ == "__main__":
    unittest.main()
