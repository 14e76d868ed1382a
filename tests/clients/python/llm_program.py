import os
import pathlib
import subprocess
import sys
import tempfile

import kit

folder = pathlib.Path(tempfile.mkdtemp())
entries = "".join(
    f"- model_id: {name}\n  model_name: {name}\n  api_base: {kit.GATEWAY}/v1\n  api_key_name: multillm\n  supports_tools: true\n"
    for name in (kit.OWN, kit.OTHER, kit.NOBODY)
)
(folder / "extra-openai-models.yaml").write_text(entries)
environment = {**os.environ, "LLM_USER_PATH": str(folder)}


def llm(*arguments, ok=True):
    command = [sys.executable, "-m", "llm", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode == 0) == ok, done
    return done.stdout if ok else done.stderr


llm("keys", "set", "multillm", "--value", kit.KEY)


def question(model):
    kit.said(llm("-m", model, "--no-stream", kit.QUESTION))


def tool(model):
    function = f"def get_weather(city: str) -> str:\n    'The weather of a city.'\n    return {kit.WEATHER!r}\n"
    kit.told(llm("-m", model, "--no-stream", "--functions", function, kit.CALL))


def stream(model):
    kit.counted(llm("-m", model, kit.WORDS))


def error():
    assert kit.NOBODY in llm("-m", kit.NOBODY, kit.QUESTION, ok=False)


CHECKS = [question, tool, stream, error]
kit.run("llm", "llm", {check.__name__: check for check in CHECKS})
