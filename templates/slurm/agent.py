"""The agent of a machine: whom it answers, and how srun reaches it."""
#% if agent
def linked(peer, mine, other):
    """Frames on a connection, after both sides have proved that they know the secret of the job.

    A peer that vanished is noticed after two minutes, also while something is sent to it."""
    for option in (1, 9, 1), (6, 4, 30), (6, 5, 10), (6, 18, 120000):
        peer.setsockopt(*option)
    link = Connection(peer.detach())

    def answer(text):
        return hmac.digest(open(SECRET, "rb").read(), text, "sha256")

    question = os.urandom(32)
    link.send_bytes(question)
    link.send_bytes(answer(mine + link.recv_bytes(99)))
    # The question is new each time: the time that the comparison takes tells nothing.
    if link.recv_bytes(99) != answer(other + question):
        raise OSError("wrong secret")
    return link


def dial(name, address):
    for tries in range(35):
        try:
            peer = socket.create_connection((address, PORT), 9)
            peer.settimeout(None)
            #% if prepared
            link = linked(peer, b"s", b"a")
            # It comes when the machine has prepared itself.
            if text := link.recv():
                die(f"error: {name}: {text}")
            return link
            #% end
            #% if !prepared
            return linked(peer, b"s", b"a")
            #% end
        except (OSError, EOFError) as error:
            if tries == 4:
                say(f"waiting for the agent of {name}: {error}")
        # Ten minutes in all.
        time.sleep(tries)
    die(f"error: {name}: no agent after 10 minutes")


def agent():
    """`agent COUNT` waits until /etc/hosts lists so many nodes, the last one the head, and serves the steps of srun, each
    in a process of its own. On the head it prints the list of nodes and stays in the background; where the others have
    something to prepare it stays there too, and `agent` waits on the head until they have."""
    #% if prepared
    global NAME
    NAME = "flowc"
    if not WORDS:
        for line in open(STATE):
            dial(*line.split())
        return
    #% end
    here = socket.gethostname().split(".")[0]
    for _ in range(120):
        nodes = [line.split()[:2] for line in open("/etc/hosts") if line[:1].isdigit() and line[:3] != "127"][::-1]
        names = [name.split(".")[0] for _, name in nodes]
        if len(nodes) >= int(WORDS[0]) and here in names:
            break
        time.sleep(5)
    else:
        die(f"/etc/hosts does not list {here} and {WORDS[0]} nodes after 10 minutes: {names}")
    open(STATE, "w").writelines(f"{name} {node[0]}\n" for name, node in zip(names, nodes))
    rank = names.index(here)
    door = socket.create_server((nodes[rank][0], PORT), backlog=99)
    #% if prepared
    if rank and os.fork():
        return
    #% end
    if not rank and os.fork():
        # As Slurm writes names with numbers in a row.
        stem = here.rstrip("0123456789")
        low, high = names[0][len(stem) :], names[-1][len(stem) :]
        row = [stem + str(int(low or 0) + place).zfill(len(low)) for place in range(len(names))]
        print(f"{stem}[{low}-{high}]" if names == row else ",".join(names))
        return
    os.dup2(2, 1)
    signal.signal(17, signal.SIG_IGN)
    while 1:
        peer = door.accept()[0]
        if not os.fork():
            try:
                signal.signal(17, signal.SIG_DFL)
                signal.alarm(30)
                link = linked(peer, b"a", b"s")
                signal.alarm(0)
                #% if prepared
                text = ""
                while rank and not (text := open(READY).read()):
                    time.sleep(1)
                link.send(text.strip())
                #% end
                serve(link)
            finally:
                os._exit(0)
        peer.close()


#% end
