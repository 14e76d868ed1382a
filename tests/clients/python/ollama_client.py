import ollama

import kit

client = ollama.Client(host=kit.GATEWAY, headers={"authorization": "Bearer " + kit.KEY})


def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
      city: the city
    """
    return kit.WEATHER


def question(model):
    answer = client.chat(model, [{"role": "user", "content": kit.QUESTION}])
    kit.said(answer.message.content)
    assert answer.done and answer.eval_count > 0


def tool(model):
    messages = [{"role": "user", "content": kit.CALL}]
    answer = client.chat(model, messages, tools=[get_weather])
    (call,) = answer.message.tool_calls
    assert dict(call.function.arguments) == {"city": "Paris"}, call
    messages += [answer.message, {"role": "tool", "tool_name": "get_weather", "content": kit.WEATHER}]
    kit.told(client.chat(model, messages, tools=[get_weather]).message.content)


def stream(model):
    pieces = list(client.chat(model, [{"role": "user", "content": kit.WORDS}], stream=True))
    kit.counted("".join(piece.message.content or "" for piece in pieces))
    assert pieces[-1].done and pieces[-1].done_reason == "stop"


def prompt(model):
    kit.said(client.generate(model, kit.QUESTION).response)


def error():
    failed = kit.fails(ollama.ResponseError, lambda: client.chat(kit.NOBODY, [{"role": "user", "content": "x"}]))
    assert failed.status_code == 404, failed


def models():
    kit.listed(model.model.removesuffix(":latest") for model in client.list().models)
    assert client.show(kit.OWN).capabilities


CHECKS = [question, tool, stream, prompt, error, models]
kit.run("ollama (Python)", "ollama", {check.__name__: check for check in CHECKS})
