"""PMIx, by which the ranks of Open MPI find each other: its own library serves the tasks of a node, as for Slurm's plugin
pmix, and srun hands on what concerns several nodes."""
#% if pmix
NO_PMIX = "error: mpi/pmix: there is no libpmix.so.2 on this machine: `apt-get install libpmix2` on each brings it"


def load_pmix(program, env):
    """The library, that of the program's own MPI first; None where there is none."""
    import ctypes, shutil

    path = env.get("PATH", "")
    found = [file for name in (program, "mpirun") if (file := shutil.which(name, path=path))]
    folders = [*map(os.path.dirname, [*found, *map(os.path.realpath, found)]), *path.split(":")]
    places = [folder + part for folder in folders for part in ("/../lib/openmpi", "/../lib", "/../lib64")]
    for place in [*filter(None, env.get("LD_LIBRARY_PATH", "").split(":")), *places, ""]:
        # Open MPI 4 may have PMIx within a library of its own.
        for name in "libpmix.so.2", "libopen-pal.so.40":
            file = place and place + "/" + name
            if not file or os.path.exists(file):
                try:
                    library = ctypes.CDLL(file or name)
                    library.PMIx_server_init
                    return library
                except (OSError, AttributeError):
                    pass


# What srun has of a fence from the nodes whose ranks it is for: by the ranks, then by node.
fences, aborted = {}, 0


def coordinate_pmix(link, kind, key, *rest):
    """What one node cannot answer: a fence, the end of all, and what another node has."""
    global aborted
    if kind == "end":
        aborted = aborted or key
        # Those that are ended for it are lost too.
        if len(last) > 1:
            import time

            for text in rest:
                say(text)
            now = time.strftime("%Y-%m-%dT%H:%M:%S")
            say(f"error: *** STEP {job}.{step} ON {names[links[link]]} CANCELLED AT {now} DUE TO TASK FAILURE ***")
            stop()
    elif kind == "fence":
        parts = fences.setdefault(key, {})
        parts[link] = rest[0]
        if len(parts) == sum(not key or bool({*key} & {*own}) for own in ranks):
            for each in fences.pop(key):
                each.send([kind, key, b"".join(parts.values())])
    else:
        for each in links:
            if links[each] == nodes[key]:
                each.send([kind, *rest])


# On a node. What the library was given, which must stay; calls that wait for a fence, by its ranks; what is set for good
# where tasks are served: `calling` is what the library asks of srun.
kept, fencing = [], {}
# Ranks that have begun with MPI: the name of the step.
present = {}
library = ask = calling = pointer = space = folder = None


def hold(data):
    """Its address for as long as this program runs."""
    kept.append(ctypes.create_string_buffer(data + b"\0"))
    return ctypes.addressof(kept[-1])


def packed(rows):
    """The address of `(key, type, value)` as the library has them: a number, an address, a text, more rows."""
    data = b""
    for key, kind, value in rows:
        if type(value) is str:
            value = hold(value.encode())
        elif type(value) is list:
            value = hold(struct.pack("3Q", 24, len(value), packed(value)))
        data += struct.pack("512s5Q", b"pmix." + key.encode(), 0, kind, value, 0, 0)
    return hold(data)


def lost(rank, status):
    """Ends the step, once for each rank that has begun with MPI and not ended it."""
    if name := present.pop(rank, 0):
        text = f"error: mpi/pmix: Error handler invoked: status = {status}, source = [slurm.pmix.{name}:{rank}]"
        ask.send(("end", 0, text))


def called(count, *numbers):
    """For a function that the library calls, in a thread of its own: its address. Which of so many arguments are numbers;
    the others are addresses."""

    def take(function):
        kinds = [ctypes.c_int if place in numbers else pointer for place in range(count)]
        kept.append(ctypes.CFUNCTYPE(ctypes.c_int, *kinds)(function))
        return ctypes.cast(kept[-1], pointer).value

    return take


def call_back(function, status, *words):
    ctypes.CFUNCTYPE(None)(function)(status, *map(pointer, words))


def bytes_at(data, size):
    return ctypes.string_at(data, size) if size else b""


def rank_at(process):
    return struct.unpack("I", ctypes.string_at(process + 256, 4))[0]


def told_pmix(kind, key, *rest):
    """From srun: what a fence has brought, what another node wants of a rank here, what it has answered."""
    if kind == "want":

        @called(4, 0)
        def got(status, data, size, _):
            ask.send(("got", *rest, status, bytes_at(data, size)))

        library.PMIx_server_dmodex_request(space + struct.pack("I", key), pointer(got), None)
    else:
        function, value = fencing.pop(key) if kind == "fence" else key
        *status, data = rest
        call_back(function, *status or (0,), hold(data), len(data), value, 0, 0)


def pmix_host(name, step_nodes, place):
    """What the library may ask for, and whom it tells of events; what has no function here is not supported."""

    @called(4)
    def come(process, *_):
        present[rank_at(process)] = name
        # It was done at once.
        return -157

    @called(4)
    def leave(process, thing, function, value):
        present.pop(rank_at(process), 0)
        if function:
            call_back(function, 0, value)
        return 0

    @called(8, 2)
    def abort(process, thing, status, text, some, count, function, value):
        ask.send(("end", status & 255))
        call_back(function, 0, value)
        return 0

    @called(8)
    def fence(some, count, wishes, wished, data, size, function, value):
        key = tuple(sorted(rank_at(some + 260 * number) for number in range(count)))
        # A number beyond all ranks means each of them.
        key *= key[-1] < 1 << 31
        fencing[key] = function, value
        ask.send(("fence", key, bytes_at(data, size)))
        return 0

    @called(5)
    def want(process, wishes, wished, *call):
        rank = rank_at(process)
        (owner,) = (number for number, (_, own) in enumerate(step_nodes) if rank in own)
        ask.send(("want", owner, rank, place, call))
        return 0

    @called(9, 1)
    def event(_, status, source, *more):
        lost(rank_at(source), status)
        return 0

    return struct.pack("40Q", come, leave, abort, fence, want, *[0] * 35), event


def pmix_facts(name, step_nodes, place):
    """What the ranks of this place ask for."""

    def short_form(function, parts):
        found = pointer()
        function(parts.encode(), ctypes.byref(found))
        return found.value

    _, mine = step_nodes[place]
    lists = [",".join(map(str, each)) for _, each in step_nodes]
    total = sum(len(each) for _, each in step_nodes)
    rows = [
        ("nsdir", 3, folder),
        ("tmpdir", 3, "/tmp"),
        ("jobid", 3, name),
        ("nmap", 49, short_form(library.PMIx_generate_regex, ",".join(each for each, _ in step_nodes))),
        ("pmap", 49, short_form(library.PMIx_generate_ppn, ";".join(lists))),
        ("lpeers", 3, lists[place]),
        ("lldr", 14, mine[0]),
        *((key + ".size", 14, total) for key in ("univ", "job", "max", "app")),
        *((key + ".size", 14, len(mine)) for key in ("local", "node")),
    ]
    for node, (host, each) in enumerate(step_nodes):
        for local, rank in enumerate(each):
            row = [(key, kind, rank) for key, kind in (("rank", 40), ("grank", 14), ("apprank", 14))]
            row += [("appnum", 6, 0), ("lrank", 13, local), ("nrank", 13, local), ("hname", 3, host), ("nodeid", 14, node)]
            rows.append(("pdata", 39, row))
    return rows


def open_pmix(library_, name, step_nodes, place):
    """Serves the tasks of this node: of the step of this name, which has `(node, ranks)`, those in this place. Gives what is
    wrong where it cannot."""
    global library, ask, calling, struct, shutil, ctypes, pointer, space, folder
    import ctypes, shutil, struct, tempfile

    library, pointer = library_, ctypes.c_void_p
    folder, space = tempfile.mkdtemp(prefix="pmix."), struct.pack("256s", b"slurm.pmix." + name.encode())
    # Without files that a task in a container does not see.
    os.environ["PMIX_MCA_gds"] = "hash"
    module, event = pmix_host(name, step_nodes, place)
    rows = [("srvr.tmpdir", 3, folder), ("hname", 3, step_nodes[place][0])]
    if status := library.PMIx_server_init(module, pointer(packed(rows)), pointer(len(rows))):
        return f"error: mpi/pmix: PMIx_server_init: {status}"
    calling, ask = Pipe(False)
    library.PMIx_Register_event_handler(None, None, None, None, pointer(event), None, None)
    rows = pmix_facts(name, step_nodes, place)
    count = len(step_nodes[place][1])
    library.PMIx_server_register_nspace(space, count, pointer(packed(rows)), pointer(len(rows)), None, None)


def serve_pmix(link, tasks, sources):
    """The same for a step of which srun says how it starts MPI. Refuses it, and says so, where that must be by PMIx."""
    if not (asked_for := link.recv()):
        return 0
    kind, *what = asked_for
    library_ = load_pmix(tasks[0][1][0], tasks[0][2])
    wrong = open_pmix(library_, *what) if library_ else NO_PMIX
    if not wrong:
        sources[calling] = 5, 0, b""
    elif kind == "pmix":
        refuse(link, tasks, wrong)
        return 1
    return 0


def pmix_variables(rank):
    """What tells a task where its server is."""
    process, found = space + struct.pack("I", rank), ctypes.POINTER(ctypes.c_char_p)()
    library.PMIx_server_register_client(process, os.getuid(), os.getgid(), None, None, None)
    library.PMIx_server_setup_fork(process, ctypes.byref(found))
    return dict(os.fsdecode(text).split("=", 1) for text in iter(iter(found).__next__, None))


#% end
