"""The program that runs a function on a machine: the text below, with what is to be run put into its PAYLOAD.

It needs no more than a python3 of 3.8; the result is one JSON file in its working directory.
"""

from __future__ import annotations

PROGRAM = '''#!/usr/bin/env python3
import base64, importlib, json, os, pathlib, pickle, sys, tempfile, traceback

payload = json.loads(PAYLOAD)
FILE = "flowc file"


def shown(value):
    """The value with paths marked; TypeError for what JSON does not have."""
    if isinstance(value, pathlib.PurePath):
        return {FILE: os.path.abspath(value)}
    if isinstance(value, (list, tuple)):
        return [shown(each) for each in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value) or FILE in value:
            raise TypeError("a key of a dict is no text")
        return {key: shown(each) for key, each in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        json.dumps(value, allow_nan=False)
        return value
    raise TypeError("a %s is nothing that JSON has" % type(value).__name__)


def ran():
    folder = tempfile.mkdtemp(prefix="flowc-")
    for name, text in payload["files"].items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(text[0]) if isinstance(text, list) else text.encode())
    sys.path.insert(0, folder)
    function = getattr(importlib.import_module(payload["module"]), payload["function"])
    value = function(*payload["args"], **payload["kwargs"])
    try:
        return {"value": shown(value)}
    except (TypeError, ValueError):
        if not payload["trust"]:
            raise
        return {"pickle": base64.b64encode(pickle.dumps(value)).decode()}


try:
    result, status = ran(), 0
except BaseException as error:
    traceback.print_exc()
    result = {"type": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}
    status = 1
sys.stdout.flush()
with open(payload["result"] + ".new", "w") as file:
    json.dump(result, file)
    file.flush()
    os.fsync(file.fileno())
os.replace(payload["result"] + ".new", payload["result"])
sys.exit(status)
'''
