from google import genai
from google.genai import errors, types

import kit

client = genai.Client(api_key=kit.KEY, http_options=types.HttpOptions(base_url=kit.GATEWAY))
TOOL = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(name="get_weather", description="The weather", parameters_json_schema=kit.SCHEMA)
    ]
)


def question(model):
    answer = client.models.generate_content(model=model, contents=kit.QUESTION)
    kit.said(answer.text)
    assert answer.usage_metadata.total_token_count > 0


def tool(model):
    config = types.GenerateContentConfig(
        tools=[TOOL], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
    )
    answer = client.models.generate_content(model=model, contents=kit.CALL, config=config)
    (call,) = answer.function_calls
    assert call.args == {"city": "Paris"}, call
    result = types.Part.from_function_response(name=call.name, response={"result": kit.WEATHER})
    if call.id:
        result.function_response.id = call.id
    contents = [
        types.Content(role="user", parts=[types.Part(text=kit.CALL)]),
        answer.candidates[0].content,
        types.Content(role="user", parts=[result]),
    ]
    kit.told(client.models.generate_content(model=model, contents=contents, config=config).text)


def stream(model):
    chunks = list(client.models.generate_content_stream(model=model, contents=kit.WORDS))
    kit.counted("".join(chunk.text or "" for chunk in chunks))
    assert chunks[-1].usage_metadata.total_token_count > 0


def error():
    failed = kit.fails(errors.ClientError, lambda: client.models.generate_content(model=kit.NOBODY, contents="x"))
    assert failed.code == 404, failed


def models():
    kit.listed(model.name.removeprefix("models/") for model in client.models.list())


CHECKS = [question, tool, stream, error, models]
kit.run("google-genai (Python)", "google-genai", {check.__name__: check for check in CHECKS})
