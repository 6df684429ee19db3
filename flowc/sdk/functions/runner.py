"""The program that runs a function on a machine: the text below, with what is to be run put into its PAYLOAD.

It needs no more than a python3 of 3.8. What it leaves is one archive: `result.json`, and what the result names of files
by their numbers.
"""

from __future__ import annotations

# Marks in a result: a file, by its number in the archive; a mapping whose keys are no texts, as pairs.
FILE, PAIRS = "flowc file", "flowc pairs"
# The name of the result in the archive.
RESULT = "result.json"
# The most bytes of a result without its files, of its files, and of an exception's text.
MOST_RESULT, MOST_FILES, MOST_TEXT = 64 << 20, 1 << 30, 1 << 16

PROGRAM = '''#!/usr/bin/env python3
import asyncio, base64, importlib, inspect, io, json, os, pathlib, pickle, platform, sys, tarfile, tempfile, traceback

payload = json.loads(PAYLOAD)
FILE, PAIRS, RESULT = "flowc file", "flowc pairs", "result.json"
files = []


def shown(value):
    """The value with files and odd mappings marked; TypeError for what JSON does not have."""
    if isinstance(value, pathlib.PurePath):
        return {FILE: number_of(os.path.abspath(str(value))), "name": value.name}
    if isinstance(value, (list, tuple)):
        return [shown(each) for each in value]
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value) and FILE not in value and PAIRS not in value:
            return {key: shown(each) for key, each in value.items()}
        return {PAIRS: [[shown(key), shown(each)] for key, each in value.items()]}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    hint = "give a list of what it yields" if hasattr(value, "__next__") else "give its .tolist() or .item()"
    more = ": " + hint if hasattr(value, "__next__") or hasattr(value, "tolist") else ""
    raise TypeError("a %s is nothing that JSON has%s" % (type(value).__name__, more))


def number_of(path):
    if not os.path.exists(path):
        raise FileNotFoundError("the result names a file that is not there: " + path)
    if path not in files:
        files.append(path)
    return files.index(path)


def check_size():
    size = 0
    for path in files:
        inside = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
        size += sum(os.path.getsize(each) for each in inside or [path] if os.path.isfile(each))
    if size > payload["most_files"]:
        raise ValueError("the files of the result have {:,} bytes, at most {:,} are brought: put them on a volume or "
                         "in a bucket, and give str(path)".format(size, payload["most_files"]))


def ran():
    # What cannot be written is told before the function has taken its time.
    save({}, last=False)
    if os.path.exists(payload["result"]):
        os.unlink(payload["result"])
    folder = tempfile.mkdtemp(prefix="flowc-")
    for name, text in payload["files"].items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(text[0]) if isinstance(text, list) else text.encode())
    sys.path[:0] = [folder]
    sys.path.append(os.getcwd())
    function = getattr(importlib.import_module(payload["module"]), payload["function"])
    value = function(*payload["args"], **payload["kwargs"])
    if inspect.iscoroutine(value):
        value = asyncio.run(value)
    try:
        result = {"value": shown(value)}
        json.dumps(result)
    except (TypeError, ValueError, RecursionError):
        del files[:]
        if not payload["trust"]:
            print("flowc: the result is", ascii(value)[:2000])
            raise
        result = {"pickle": base64.b64encode(pickle.dumps(value)).decode()}
    check_size()
    return result


def text_of(error):
    try:
        return str(error)[: payload["most_text"]]
    except Exception:
        return "(its text cannot be had)"


def save(result, last=True):
    """Write the result, as a whole or not at all."""
    path = payload["result"]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    data = json.dumps(dict(result, python=platform.python_version())).encode()
    if len(data) > payload["most_result"]:
        raise ValueError("the result has {:,} bytes, at most {:,} come back: give the pathlib.Path of a file"
                         .format(len(data), payload["most_result"]))
    with tarfile.open(path + ".new", "w", dereference=True) as archive:
        head = tarfile.TarInfo(RESULT)
        head.size = len(data)
        archive.addfile(head, io.BytesIO(data))
        for number, each in enumerate(files):
            archive.add(each, str(number), filter=lambda one: one if one.isreg() or one.isdir() else None)
    with open(path + ".new", "rb") as file:
        os.fsync(file.fileno())
    if last:
        os.replace(path + ".new", path)


def main():
    try:
        save(ran())
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.flush()
        del files[:]
        save({
            "type": type(error).__name__,
            "message": text_of(error),
            "traceback": traceback.format_exc()[-payload["most_text"] :],
        })
        return 1
    finally:
        sys.stdout.flush()
    return 0


# What a function starts with multiprocessing imports this file again, under another name.
if __name__ == "__main__":
    sys.exit(main())
'''
