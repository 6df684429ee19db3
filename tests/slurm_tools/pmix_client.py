"""A task that talks to pmix_library.c: `pmix_client.py WORDS…`, where a word such as `fence:*:a@` is a command and its
values, and `@` is the task's rank. Prints `RANK: answer` for each. `exit` ends it in the middle of things, `stay` does
not end."""

import os
import socket
import sys
import time

RANK = os.environ.get("PMIX_RANK")


def main() -> None:
    if RANK is None:
        print("alone")
        return
    link = socket.socket(socket.AF_UNIX)
    link.connect(os.environ["PMIX_DOOR"])
    lines = link.makefile("rb")
    for word in ("init:@", *sys.argv[1:]):
        if word == "exit":
            os._exit(3)
        if word == "stay":
            time.sleep(60)
        link.sendall(word.replace("@", RANK).replace(":", " ").encode() + b"\n")
        print(f"{RANK}: {lines.readline().decode().strip()}", flush=True)


main()
