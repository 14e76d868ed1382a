import json

import openai

import kit

client = openai.OpenAI(base_url=kit.GATEWAY + "/v1", api_key=kit.KEY, max_retries=0)
TOOLS = [{"type": "function", "name": "get_weather", "description": "The weather", "parameters": kit.SCHEMA, "strict": False}]


def question(model):
    answer = client.responses.create(model=model, input=kit.QUESTION)
    kit.said(answer.output_text)
    assert answer.status == "completed" and answer.usage.total_tokens > 0


def tool(model):
    items = [{"role": "user", "content": kit.CALL}]
    answer = client.responses.create(model=model, input=items, tools=TOOLS, store=False)
    (call,) = [item for item in answer.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Paris"}, call
    items += answer.output
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": kit.WEATHER})
    kit.told(client.responses.create(model=model, input=items, tools=TOOLS, store=False).output_text)


def stream(model):
    text, ended = "", None
    for event in client.responses.create(model=model, input=kit.WORDS, stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        if event.type == "response.completed":
            ended = event.response
    kit.counted(text)
    assert ended and ended.output_text == text


def error(model):
    kit.fails(openai.RateLimitError, lambda: client.responses.create(model=model, input=kit.LIMITED))


def unknown():
    kit.fails(openai.NotFoundError, lambda: client.responses.create(model=kit.NOBODY, input="x"))


CHECKS = [question, tool, stream, error, unknown]
kit.run("openai Responses (Python)", "openai", {check.__name__: check for check in CHECKS})
