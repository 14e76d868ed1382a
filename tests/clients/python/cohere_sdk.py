import json

import cohere
from cohere.errors import NotFoundError

import kit

client = cohere.ClientV2(base_url=kit.GATEWAY, api_key=kit.KEY)
TOOLS = [
    {
        "type": "function",
        "function": {"name": "get_weather", "description": "The weather", "parameters": kit.SCHEMA},
    }
]


def question(model):
    answer = client.chat(model=model, messages=[{"role": "user", "content": kit.QUESTION}])
    kit.said(answer.message.content[0].text)
    assert answer.usage.tokens.output_tokens > 0


def tool(model):
    messages = [{"role": "user", "content": kit.CALL}]
    answer = client.chat(model=model, messages=messages, tools=TOOLS)
    (call,) = answer.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}, call
    messages.append({"role": "assistant", "tool_calls": answer.message.tool_calls, "tool_plan": answer.message.tool_plan})
    messages.append({"role": "tool", "tool_call_id": call.id, "content": kit.WEATHER})
    kit.told(client.chat(model=model, messages=messages, tools=TOOLS).message.content[0].text)


def stream(model):
    text, ended = "", False
    for event in client.chat_stream(model=model, messages=[{"role": "user", "content": kit.WORDS}]):
        if event.type == "content-delta":
            text += event.delta.message.content.text
        ended |= event.type == "message-end"
    kit.counted(text)
    assert ended


def error():
    kit.fails(NotFoundError, lambda: client.chat(model=kit.NOBODY, messages=[{"role": "user", "content": "x"}]))


CHECKS = [question, tool, stream, error]
kit.run("cohere (Python)", "cohere", {check.__name__: check for check in CHECKS})
