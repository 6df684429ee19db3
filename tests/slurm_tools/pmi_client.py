"""A task that speaks PMI-1 or PMI-2 as MPI's libraries do: `pmi_client.py VERSION WORDS…`. A word is a command and its
values, with commas between, such as `kvs-put,key=a,value=b`; `@` in it is the task's rank. Prints `RANK: answer` for
each."""

import os
import socket
import sys

RANK = os.environ["PMI_RANK"]
link = socket.socket(fileno=int(os.environ["PMI_FD"]))
stream = link.makefile("rb")


def ask(text: str, two: bool) -> str:
    """The answer without its `cmd=`."""
    if two:
        link.sendall(b"%-6d" % len(text) + text.encode())
        return stream.read(int(stream.read(6) or 0)).decode()
    link.sendall(text.encode())
    return stream.readline().decode()


def main() -> None:
    two = sys.argv[1] == "2"
    mark, end = (";", ";") if two else (" ", "\n")
    answers = [ask(f"cmd=init pmi_version={1 + two} pmi_subversion={1 - two}\n", two=False)]
    for word in sys.argv[2:]:
        if word == "exit":
            os._exit(3)
        if word == "stay":
            stream.read()
        text = word.replace("@", RANK)
        if text.startswith("mcmd"):
            answers.append(ask(text.replace(",", "\n") + "\n", two))
        else:
            answers.append(ask("cmd=" + text.replace(",", mark) + end, two))
    print("".join(f"{RANK}: {answer.strip()}\n" for answer in answers), end="", flush=True)


main()
