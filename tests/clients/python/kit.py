"""What the scripts share: where the gateway is, what is asked, and a line of JSON for each check."""

import importlib.metadata
import json
import os
import sys
import traceback

GATEWAY = os.environ["GATEWAY"]
KEY = os.environ["GATEWAY_KEY"]
OWN = os.environ["OWN"]
OTHER = os.environ["OTHER"]

QUESTION = "Say hi"
CALL = "Please use get_weather city=Paris"
WEATHER = "21 degrees and sunny"
WORDS = "write 12 words"
LIMITED = "Hello [[fault:429-no-retry]]"
NOBODY = "nobody-knows-this-model"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}


def said(text):
    """The simulator repeats what it was told."""
    assert "You said: " + QUESTION in text, text


def told(text):
    """After the result of a tool it quotes that."""
    assert WEATHER in text, text


def counted(text):
    assert len(text.split()) == 12, text


def listed(names):
    names = list(names)
    assert OWN in names and OTHER in names, names


def fails(kind, call):
    """The call fails with this class."""
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}: {answer!r}")


def run(client, distribution, checks, models=(OWN, OTHER)):
    """Runs each check with each model; those that take none, once."""
    version = importlib.metadata.version(distribution)
    failed = False
    for name, check in checks.items():
        wanted = check.__code__.co_argcount
        for model in models if wanted else [None]:
            line = {"client": client, "version": version, "check": name, "model": model}
            try:
                check(model) if wanted else check()
                line["ok"] = True
            except BaseException as error:
                failed = True
                line["ok"] = False
                last = traceback.extract_tb(error.__traceback__)[-1]
                line["why"] = f"{type(error).__name__}: {error} ({os.path.basename(last.filename)}:{last.lineno})"[:600]
            print(json.dumps(line), flush=True)
    sys.exit(1 if failed else 0)
