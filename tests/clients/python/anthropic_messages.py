import anthropic

import kit

client = anthropic.Anthropic(base_url=kit.GATEWAY, api_key=kit.KEY, max_retries=0)
TOOLS = [{"name": "get_weather", "description": "The weather", "input_schema": kit.SCHEMA}]


def ask(model, messages, **more):
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    return client.messages.create(model=model, max_tokens=500, messages=messages, **more)


def text_of(answer):
    return "".join(block.text for block in answer.content if block.type == "text")


def question(model):
    answer = ask(model, kit.QUESTION, system=[{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}])
    kit.said(text_of(answer))
    assert answer.stop_reason == "end_turn" and answer.usage.output_tokens > 0
    assert answer._request_id


def tool(model):
    answer = ask(model, kit.CALL, tools=TOOLS)
    assert answer.stop_reason == "tool_use", answer
    (call,) = [block for block in answer.content if block.type == "tool_use"]
    assert call.input == {"city": "Paris"}, call
    messages = [
        {"role": "user", "content": kit.CALL},
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": kit.WEATHER}]},
    ]
    kit.told(text_of(ask(model, messages, tools=TOOLS)))


def stream(model):
    messages = [{"role": "user", "content": kit.WORDS}]
    with client.messages.stream(model=model, max_tokens=500, messages=messages) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    kit.counted(text)
    assert text_of(final) == text and final.usage.output_tokens > 0 and final.stop_reason == "end_turn"


def stream_tool(model):
    messages = [{"role": "user", "content": kit.CALL}]
    with client.messages.stream(model=model, max_tokens=500, messages=messages, tools=TOOLS) as events:
        final = events.get_final_message()
    (call,) = [block for block in final.content if block.type == "tool_use"]
    assert call.input == {"city": "Paris"}, call


def count(model):
    counted = client.messages.count_tokens(model=model, messages=[{"role": "user", "content": "one two three"}])
    assert counted.input_tokens > 0


def error(model):
    kit.fails(anthropic.RateLimitError, lambda: ask(model, "Hello [[fault:429]]"))
    def broken():
        messages = [{"role": "user", "content": "write 200 words [[fault:drop k=3]]"}]
        with client.messages.stream(model=model, max_tokens=900, messages=messages) as events:
            return events.get_final_message()
    kit.fails(Exception, broken)


def unknown():
    kit.fails(anthropic.NotFoundError, lambda: ask(kit.NOBODY, kit.QUESTION))
    stranger = anthropic.Anthropic(base_url=kit.GATEWAY, api_key="sk-ant-not-ours", max_retries=0)
    kit.fails(anthropic.AuthenticationError, lambda: stranger.models.list())


def models():
    kit.listed(model.id for model in client.models.list(limit=1000))


CHECKS = [question, tool, stream, stream_tool, count, error, unknown, models]
kit.run("anthropic (Python)", "anthropic", {check.__name__: check for check in CHECKS})
