"""The agent of a machine: whom it answers, and how srun reaches it."""
#% if agent
#% if guarded
def proof(text):
    """That both secrets are known here, of 32 bytes each."""
    return b"".join(hmac.digest(open(name, "rb").read().strip(), text, "sha256") for name in (SECRET, KEY))


def proven(found, text):
    """Whether somebody has answered a text as this machine would; with the key too, once all machines have it. The text
    is new each time: how long it takes tells nothing."""
    size = 64 if os.path.getsize(KEY) > 64 else 32
    return found[:size] == proof(text)[:size]


def linked(peer):
    """Frames on a connection. A peer that vanished is noticed after two minutes, also while something is sent to it."""
    for option in (1, 18, 1), (1, 9, 1), (6, 4, 30), (6, 5, 10), (6, 18, 120000):
        peer.setsockopt(*option)
    return Connection(peer.detach())


#% end
#% if !guarded
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
        raise OSError("secret")
    return link


#% end
def dial(name, address):
    for tries in range(35):
        try:
            #% if guarded
            # From the address by which the others know this machine.
            here = dict(map(str.split, open(STATE)))[socket.gethostname().split(".")[0]]
            peer = socket.create_connection((address, PORT), 9, (here, 0))
            peer.settimeout(None)
            question = os.urandom(32)
            peer.send(question + proof(b"s" + peer.recv(32)))
            if not proven(peer.recv(64, 256), b"a" + question):
                raise OSError("secret")
            link = linked(peer)
            #% end
            #% if !guarded
            peer = socket.create_connection((address, PORT), 9)
            peer.settimeout(None)
            #% if !prepared
            return linked(peer, b"s", b"a")
            #% end
            #% if prepared
            link = linked(peer, b"s", b"a")
            #% end
            #% end
            #% if prepared
            # It comes when the machine has prepared itself.
            if text := link.recv():
                die(f"error: {name}: {text}")
            #% end
            #% if guarded|prepared
            return link
            #% end
        except (OSError, EOFError) as error:
            if tries == 4:
                say(f"waiting for the agent of {name}: {error}")
        # Ten minutes in all.
        time.sleep(tries)
    die(f"error: {name}: no agent after 10 minutes")


#% if guarded
def guard(door, addresses, rank):
    """Serves who comes through the door from one of the addresses and proves that it knows the secrets."""
    # Who has proved nothing gets no process. Where there are many the oldest goes: a machine of the job answers at once.
    door.listen(4096)
    door.setblocking(False)
    waiting = {}
    ready = select.poll()
    ready.register(door, 1)
    while 1:
        for number, _ in ready.poll():
            try:
                if number not in waiting:
                    peer, source = door.accept()
                    if source[0] in addresses:
                        # It is ready when the whole answer is there.
                        peer.setsockopt(1, 18, 96)
                        question = os.urandom(32)
                        peer.send(question)
                        number = peer.fileno()
                        waiting[number] = peer, question
                        ready.register(number, 1)
                    if len(waiting) < 500:
                        # Of others it is closed here.
                        peer = 0
                        continue
                    number = [*waiting][0]
                ready.unregister(number)
                peer, question = waiting.pop(number)
                found = peer.recv(96, 64)
                if proven(found[32:], b"s" + question) and not os.fork():
                    try:
                        waiting.clear()
                        signal.signal(17, 0)
                        peer.send(proof(b"a" + found[:32]))
                        link = linked(peer)
                        #% if prepared
                        text = ""
                        while rank and not (text := open(READY).read()):
                            time.sleep(1)
                        link.send(text.strip())
                        #% end
                        serve(link)
                    finally:
                        os._exit(1)
                peer.close()
            except OSError:
                pass


#% end
def listed(names, here):
    """Prints the list of nodes."""
    #% if het_job
    list_groups(names)
    #% end
    #% if !het_job
    # As Slurm writes names with numbers in a row.
    stem = here.rstrip("0123456789")
    low = names[0][len(stem) :]
    row = [stem + str(int(low or 0) + place).zfill(len(low)) for place in range(len(names))]
    print(f"{stem}[{low}-{names[-1][len(stem):]}]" if names == row else ",".join(names))
    #% end


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
    #% if guarded
    # There is a key where somebody has brought one.
    open(KEY, "a")
    #% end
    rank = names.index(here)
    door = socket.create_server((nodes[rank][0], PORT))
    #% if prepared
    if rank and os.fork():
        return
    #% end
    if not rank and os.fork():
        listed(names, here)
        return
    os.dup2(2, 1)
    signal.signal(17, 1)
    #% if guarded
    guard(door, [socket.gethostbyname(address) for address, _ in nodes], rank)
    #% end
    #% if !guarded
    while 1:
        peer = door.accept()[0]
        if not os.fork():
            try:
                signal.signal(17, 0)
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
                os._exit(1)
        peer.close()
    #% end


#% end
