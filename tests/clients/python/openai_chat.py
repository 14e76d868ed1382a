import json

import openai

import kit

client = openai.OpenAI(base_url=kit.GATEWAY + "/v1", api_key=kit.KEY, max_retries=0)
TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "The weather", "parameters": kit.SCHEMA},
    }
]


def ask(model, text, **more):
    messages = [{"role": "user", "content": text}]
    return client.chat.completions.create(model=model, messages=messages, **more)


def question(model):
    answer = ask(model, kit.QUESTION)
    kit.said(answer.choices[0].message.content)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer._request_id


def tool(model):
    answer = ask(model, kit.CALL, tools=TOOLS)
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls", answer
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}, call
    messages = [
        {"role": "user", "content": kit.CALL},
        message,
        {"role": "tool", "tool_call_id": call.id, "content": kit.WEATHER},
    ]
    answer = client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    kit.told(answer.choices[0].message.content)


def stream(model):
    text, usage, finish = "", None, None
    for chunk in ask(model, kit.WORDS, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    kit.counted(text)
    assert finish == "stop" and usage.completion_tokens > 0, (finish, usage)


def stream_tool(model):
    messages = [{"role": "user", "content": kit.CALL}]
    with client.chat.completions.stream(model=model, messages=messages, tools=TOOLS) as events:
        for _ in events:
            pass
        (call,) = events.get_final_completion().choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}, call


def error(model):
    limited = kit.fails(openai.RateLimitError, lambda: ask(model, kit.LIMITED))
    assert limited.body["message"], limited.body
    kit.fails(openai.APIError, lambda: list(ask(model, "write 200 words [[fault:drop k=2]]", stream=True)))


def unknown():
    kit.fails(openai.NotFoundError, lambda: ask(kit.NOBODY, kit.QUESTION))
    stranger = openai.OpenAI(base_url=kit.GATEWAY + "/v1", api_key="sk-not-ours", max_retries=0)
    kit.fails(openai.AuthenticationError, stranger.models.list)


def models():
    kit.listed(model.id for model in client.models.list())
    assert client.models.retrieve(kit.OWN).id == kit.OWN


CHECKS = [question, tool, stream, stream_tool, error, unknown, models]
kit.run("openai (Python)", "openai", {check.__name__: check for check in CHECKS})
