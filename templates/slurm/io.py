"""Standard streams of the tasks of a step: where they go and come from."""
#% if pipes
#% if output
def open_output():
    global files, targets
    files = {}
    # Two for each task may be more than the 1024 that a program usually may open.
    import resource

    resource.setrlimit(7, (resource.getrlimit(7)[1],) * 2)
    targets = {
        (stream, rank): target(stream, node, rank) for stream in (1, 2) for node, own in zip(nodes, ranks) for rank in own
    }


def target(stream, node, rank):
    """Where a stream of a task goes: a descriptor, or 0 when it is dropped; of its input (0) the file's name."""
    name = option("output", "STDOUTMODE")
    #% if opt:error
    if stream == 2:
        name = option("error", "STDERRMODE") or name
    #% end
    #% if input_each
    if not stream:
        name = option("input", "STDINMODE")
    #% end
    if not name or name == "all":
        return stream
    if name.isdecimal() and int(name) < tasks:
        return stream * (int(name) == rank)
    if name.lower() == "none":
        return 0
    found = {
        #% if index_digit
        "b": ENV.get("SLURM_ARRAY_TASK_ID", "0")[-1],
        #% end
        "t": rank, "n": nodes.index(node), "N": names[node].split(".")[0], "s": step, "j": job,
        "J": f"{job}.{step}", "x": ENV.get("SLURM_JOB_NAME"), "A": ENV.get("SLURM_ARRAY_JOB_ID", job),
        "a": ENV.get("SLURM_ARRAY_TASK_ID", "4294967294"), "u": ENV.get("SLURM_JOB_USER"), "%": "%",
    }
    #% if backslash
    # Then the name is as it stands.
    if "\\" in name:
        name, found = name.replace("\\", ""), {}
    #% end
    name = os.path.join(
        where,
        re.sub("%([0-9]*)(.)", lambda part: str(found.get(part[2], part[0])).zfill(min(10, int(part[1] or 0))), name),
    )
    #% if input_each
    if not stream:
        return name
    #% end
    if name not in files:
        try:
            mode = os.O_TRUNC
            #% if opt:open-mode
            if (option("open-mode") or "t")[0].lower() == "a":
                mode = os.O_APPEND
            #% end
            files[name] = os.open(name, mode | os.O_WRONLY | os.O_CREAT, 0o666)
        except OSError as error:
            die(f"error: Could not open {(0, 'stdout', 'stderr')[stream]} file: {error.strerror}")
    return files[name]


#% end
#% if stdin
def open_input():
    """`unsaid`: the nodes that have not yet handed on what was read last."""
    global only, source, unsaid
    name = option("input", "STDINMODE") or "all"
    only = None
    source = 0
    if name.isdecimal() and int(name) < tasks:
        only = int(name)
    elif name.lower() == "none":
        source = os.open("/dev/null", 0)
    #% if input_each
    elif "%" in name:
        # Each task reads a file of its own, on its own machine.
        source = os.open("/dev/null", 0)
        programs.update({
            rank: ["sh", "-c", 'exec "$@"<"$0"', target(0, node, rank), *programs.get(rank, WORDS)]
            for node, own in zip(nodes, ranks) for rank in own
        })
    #% end
    elif name != "all":
        try:
            source = os.open(os.path.join(where, name), 0)
        except OSError as error:
            die(f"error: Could not open stdin file: {error.strerror}")
    unsaid = set()


#% end
def attend():
    """Hands on what the tasks say and are told, until all have ended."""
    global unsaid
    while links:
        for link in wait([
            *links,
            #% if shared
            *([keeper] if keeper else []),
            #% end
            #% if stdin
            *([] if unsaid else [source]),
            #% end
        ]):
            #% if stdin
            if link == source:
                try:
                    data = os.read(source, 8192)
                except OSError:
                    data = b""
                cast((only, data))
                # After the end nothing more is read.
                unsaid = {*links} if data else {0}
                continue
            #% end
            #% if shared
            if heard(link):
                continue
            #% end
            node = links[link]
            try:
                message = link.recv()
            except (EOFError, OSError) as error:
                # The other nodes see that srun is gone and end their tasks.
                die(f"error: Node failure on {names[node]}: {error or 'connection lost'}")
            #% if stdin
            if not message or message[0] == 3:
                unsaid.discard(link)
            #% end
            if not message:
                del links[link]
                continue
            stream, rank, data = message
            #% if stdin
            if stream == 3:
                continue
            #% end
            #% if pmix
            if stream > 6:
                coordinate_pmix(link, *data)
                continue
            #% end
            #% if pmi
            if stream > 3:
                coordinate(link, stream, rank, data)
                continue
            #% end
            if not stream:
                done(node, rank, data)
                continue
            show(stream, rank, data)


def show(stream, rank, data):
    """Writes what a task said."""
    #% if label
    if option("label", "LABELIO"):
        mark = b"%*d: " % (len(str(tasks - 1)), rank)
        data = b"".join(mark + line + b"\n" for line in data.removesuffix(b"\n").split(b"\n"))
    #% end
    #% if output
    stream = targets[stream, rank]
    data *= stream > 0
    #% end
    try:
        while data:
            data = data[os.write(stream, data) :]
    except OSError as error:
        #% if read_in_part
        # Whom nobody reads any more runs on.
        if error.errno != 32:
            die(f"error: cannot write: {error.strerror}")
        #% end
        #% if !read_in_part
        die(f"error: cannot write: {error.strerror}")
        #% end


#% end
