"""Reads Parley's streams. The class of a resource is looked for in a module with the name of its interface, which is
why this stands in a file of its own."""

from componentize_py_types import Err
from wit_world.exports import chat
from wit_world.imports import http, types
from wit_world.imports.types import ErrorKind

from wire import error, finish, of_problem, parsed, text_of, told, usage


class Decoder(chat.Decoder):
    """Reads one stream: lines of JSON, the last of which has `ended`. What a line needs to know of those before it is
    kept here, and nowhere else."""

    def __init__(self, target: types.Target) -> None:
        self.over = False

    def push(self, frames: list[http.Frame]) -> list[types.ChatEvent]:
        events = []
        try:
            for frame in frames:
                if not self.over:
                    self.read(frame, events)
        except Err as failed:
            self.over = True
            events.append(types.ChatEvent_Failed(failed.value))
        return events

    @told
    def read(self, frame: http.Frame, events: list[types.ChatEvent]) -> None:
        # The host has cut the lines already: a frame is a whole one, however the bytes came.
        line = parsed(frame.data, "a line")
        if line.get("problem") is not None:
            raise Err(of_problem(line["problem"]))
        name, model = text_of(line, "id"), text_of(line, "model")
        if name is not None or model is not None:
            events.append(types.ChatEvent_Started(types.Started(name, model)))
        if say := text_of(line, "say"):
            events.append(types.ChatEvent_Text(say))
        if line.get("tokens") is not None:
            events.append(types.ChatEvent_Usage(usage(line["tokens"])))
        ended = text_of(line, "ended")
        if ended is not None:
            events.append(types.ChatEvent_Finished(finish(ended)))
            # Parley's end marker. `done` is said exactly when the vendor said so.
            events.append(types.ChatEvent_Done())
            self.over = True

    def finish(self) -> list[types.ChatEvent]:
        if self.over:
            return []
        # A cut answer is an error, although all of its text was fine so far.
        words = "the stream ended before the vendor's end marker"
        return [types.ChatEvent_Failed(error(ErrorKind.TRUNCATED, words, True))]
