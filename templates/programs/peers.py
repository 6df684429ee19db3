"""What a machine does for `ssh` in its containers (ssh.sh): `peers PLACE ADDRESS...`, the place of FOLDER in them and the
job's machines in their order.

A request is a folder in FOLDER with the command `c`, pipes for its input, output and errors, and in the end its status `s`;
its name and the rank of the machine that is meant come through the pipe `door`. The other machine starts the command in the
container `flowc`. Both sides prove, by a question that is new each time, that they know the job's script.
"""
import hmac, os, socket, subprocess, sys, threading, time
from multiprocessing.connection import Connection

FOLDER = "/run/flowc/peers/"
SECRET = open("/var/lib/foundry/flowc/run", "rb").read()
PLACE, *HOSTS = sys.argv[1:]
PORT = 6818


def go(task, *given):
    one = threading.Thread(target=task, args=given, daemon=True)
    one.start()
    return one


def linked(peer, mine, other):
    # A peer that vanished is noticed after two minutes, also while something is sent to it.
    peer.settimeout(None)
    for option in (1, 9, 1), (6, 4, 30), (6, 5, 10), (6, 18, 120000):
        peer.setsockopt(*option)
    link = Connection(peer.detach())
    question = os.urandom(32)
    link.send_bytes(question)
    link.send_bytes(hmac.digest(SECRET, mine + link.recv_bytes(99), "sha256"))
    if link.recv_bytes(99) != hmac.digest(SECRET, other + question, "sha256"):
        raise OSError
    return link


def hand_on(link, lock, mark, file):
    """Sends what is read, each piece behind its mark, and an empty one at the end."""
    text = b"."
    while text:
        text = os.read(file.fileno(), 9999)
        with lock:
            link.send_bytes(mark + text)


def feed(link, file):
    try:
        while text := link.recv_bytes():
            file.write(text)
            file.flush()
    except (OSError, EOFError):
        pass
    file.close()


def serve(peer):
    link = linked(peer, b"a", b"s")
    command = link.recv_bytes().decode(errors="surrogateescape")
    tries = 0
    # The container may be on its way for long; in it, ten minutes for what its command does before it calls sshd.
    while tries < 600 and not os.path.exists(FOLDER + "ready"):
        tries += not subprocess.call(["docker", "exec", "flowc", "true"])
        time.sleep(1)
    start = 'PATH="$0:$PATH"; [ ! -e "$0/env" ] || . "$0/env"; exec sh -c "$1"'
    job = subprocess.Popen(
        ["docker", "exec", "-i", "flowc", "sh", "-c", start, PLACE, command],
        stdin=-1, stdout=-1, stderr=-1,
    )
    go(feed, link, job.stdin)
    lock = threading.Lock()
    for one in go(hand_on, link, lock, b"1", job.stdout), go(hand_on, link, lock, b"2", job.stderr):
        one.join()
    link.send_bytes(b"0%d" % job.wait())


def ask(name, rank):
    place = FOLDER + name + "/"
    out = open(place + "o", "wb", 0)
    errors = open(place + "e", "wb", 0)
    status = b"255"
    try:
        for tries in range(600):
            try:
                link = linked(socket.create_connection((HOSTS[int(rank)], PORT), 9), b"s", b"a")
                break
            except (OSError, EOFError):
                time.sleep(1)
        link.send_bytes(open(place + "c", "rb").read())
        go(lambda: hand_on(link, threading.Lock(), b"", open(place + "i", "rb", 0)))
        while (text := link.recv_bytes())[0] != 48:
            (out if text[0] == 49 else errors).write(text[1:])
        status = text[1:]
    except Exception:
        errors.write(b"flowc: machine %s of the job does not answer\n" % rank.encode())
    finally:
        open(place + "s", "wb").write(status)
        out.close()
        errors.close()


def door():
    for line in open(os.open(FOLDER + "door", 2)):
        go(ask, *line.split())


go(door)
entrance = socket.create_server(("", PORT))
while 1:
    peer, source = entrance.accept()
    if source[0] in HOSTS:
        go(serve, peer)
    else:
        peer.close()
