import anthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool as as_tool

import kit


@as_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return kit.WEATHER


def chat(model):
    return ChatAnthropic(base_url=kit.GATEWAY, api_key=kit.KEY, model=model, max_retries=0, max_tokens=500)


def text_of(message):
    if isinstance(message.content, str):
        return message.content
    return "".join(part.get("text", "") for part in message.content)


def question(model):
    answer = chat(model).invoke(kit.QUESTION)
    kit.said(text_of(answer))
    assert answer.usage_metadata["total_tokens"] > 0


def tool(model):
    asking = chat(model).bind_tools([get_weather])
    messages = [HumanMessage(kit.CALL)]
    answer = asking.invoke(messages)
    (call,) = answer.tool_calls
    assert call["args"] == {"city": "Paris"}, call
    messages += [answer, ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])]
    kit.told(text_of(asking.invoke(messages)))


def stream(model):
    whole = None
    for chunk in chat(model).stream(kit.WORDS):
        whole = chunk if whole is None else whole + chunk
    kit.counted(text_of(whole))
    assert whole.usage_metadata["output_tokens"] > 0, whole


def error(model):
    kit.fails(anthropic.RateLimitError, lambda: chat(model).invoke("Hello [[fault:429]]"))


CHECKS = [question, tool, stream, error]
kit.run("langchain-anthropic", "langchain-anthropic", {check.__name__: check for check in CHECKS})
