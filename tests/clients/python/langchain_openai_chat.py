import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool as as_tool
from langchain_openai import ChatOpenAI

import kit


@as_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return kit.WEATHER


def chat(model):
    return ChatOpenAI(base_url=kit.GATEWAY + "/v1", api_key=kit.KEY, model=model, max_retries=0, stream_usage=True)


def question(model):
    answer = chat(model).invoke(kit.QUESTION)
    kit.said(answer.content)
    assert answer.usage_metadata["total_tokens"] > 0


def tool(model):
    asking = chat(model).bind_tools([get_weather])
    messages = [HumanMessage(kit.CALL)]
    answer = asking.invoke(messages)
    (call,) = answer.tool_calls
    assert call["args"] == {"city": "Paris"}, call
    messages += [answer, ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])]
    kit.told(asking.invoke(messages).content)


def stream(model):
    whole = None
    for chunk in chat(model).stream(kit.WORDS):
        whole = chunk if whole is None else whole + chunk
    kit.counted(whole.content)
    assert whole.usage_metadata["output_tokens"] > 0, whole


def error(model):
    kit.fails(openai.RateLimitError, lambda: chat(model).invoke(kit.LIMITED))


CHECKS = [question, tool, stream, error]
kit.run("langchain-openai", "langchain-openai", {check.__name__: check for check in CHECKS})
