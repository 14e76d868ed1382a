import asyncio

from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

import kit


def agent(model, **more):
    provider = OpenAIProvider(base_url=kit.GATEWAY + "/v1", api_key=kit.KEY)
    return Agent(OpenAIChatModel(model, provider=provider), **more)


def question(model):
    kit.said(agent(model).run_sync(kit.QUESTION).output)


def tool(model):
    asked = agent(model)
    seen = []

    @asked.tool_plain
    def get_weather(city: str) -> str:
        """The weather of a city."""
        seen.append(city)
        return kit.WEATHER

    kit.told(asked.run_sync(kit.CALL).output)
    assert seen == ["Paris"], seen


def stream(model):
    async def streamed():
        async with agent(model).run_stream(kit.WORDS) as result:
            return await result.get_output()

    kit.counted(asyncio.run(streamed()))


def error():
    failed = kit.fails(ModelHTTPError, lambda: agent(kit.NOBODY).run_sync(kit.QUESTION))
    assert failed.status_code == 404, failed


CHECKS = [question, tool, stream, error]
kit.run("pydantic-ai", "pydantic-ai-slim", {check.__name__: check for check in CHECKS})
