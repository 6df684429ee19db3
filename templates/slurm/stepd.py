"""What runs the tasks of a step on one node, for an srun there or elsewhere."""
#% if pipes
def serve(link):
    """Runs the tasks of one node: sends (1 or 2, rank, bytes), (0, rank, exit code) and at last (); is told signals
    as numbers and standard input as (rank or None, bytes)."""
    #% if container
    global box, image_env
    #% end
    #% if opt:unbuffered|container
    hear(link)
    #% end
    where, tasks = link.recv()
    #% if shared
    if not where:
        stand_in(link, *tasks)
    #% end
    #% if container
    image_env = None
    if wishes.get("container-image") or wishes.get("container-name"):
        import subprocess

        try:
            box, where, image_env = enter(wishes, where, tasks[0][2])
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            refuse(link, tasks, f"error: container: {error}")
            return
    #% end
    processes, sources = {}, {}
    #% if pmix
    if serve_pmix(link, tasks, sources):
        return
    #% end
    #% if agent
    # A machine that is shut down tells all its processes: what the tasks say then is still to be heard.
    signal.pthread_sigmask(0, HEARD)
    #% end
    start_tasks(tasks, where, processes, sources)
    #% if stdin
    start_writer()
    #% end
    #% if prepared
    pass_on_end(processes)
    #% end
    try:
        hand_on(link, processes, sources)
        for rest in sources.values():
            if rest[2]:
                link.send(rest)
        link.send(())
        # Until srun is gone: with something unread behind it a connection that is closed takes back what was said.
        while 1:
            link.recv()
    except (EOFError, OSError):
        end_tasks(processes)
    #% if container|pmix
    clear(tasks)
    #% end
    #% if stdin
    os._exit(0)  # with the thread
    #% end


#% if prepared
def pass_on_end(processes):
    """Where machines prepare themselves one that is shut down tells the agents alone; they tell the tasks."""

    def pass_on(*_):
        deliver(processes, 15)
        # It stays pending, as where the machine has told them.
        signal.pthread_sigmask(0, (15,))
        os.kill(os.getpid(), 15)

    signal.signal(15, pass_on)
    signal.pthread_sigmask(1, (15,))


#% end
def end_tasks(processes):
    """srun is gone: its tasks have 30 seconds to end."""
    deliver(processes, 15)
    signal.signal(14, lambda *_: deliver(processes, 9))
    signal.alarm(30)
    while processes:
        ended(processes)


#% if container|pmix
def clear(tasks):
    """Takes away what was for this step alone."""
    #% if pmix
    if calling:
        shutil.rmtree(folder, True)
    #% end
    #% if container
    if image_env is not None and not wishes.get("container-name"):
        first = tasks[0][2]
        subprocess.run(["docker", "rm", "-fv", f"flowc-{first['SLURM_JOB_ID']}.{first['SLURM_STEP_ID']}"], stdout=-3, stderr=-3)
    #% end


#% end
#% if opt:unbuffered|container
def hear(link):
    """What srun was told that its tasks are not."""
    global chunks, wishes
    #% if opt:unbuffered
    chunks = link.recv()
    #% end
    #% if container
    wishes = link.recv()
    #% end


#% end
#% if container|pmix
def refuse(link, tasks, error):
    for number, _, variables in tasks:
        link.send((2, number, f"slurmstepd-{variables['SLURMD_NODENAME']}: {error}\n".encode()))
        link.send((0, number, 1))
    link.send(())


#% end
#% if opt:unbuffered
def read_either(source):
    """From a pipe or a terminal, whose end is an error."""
    try:
        data = os.read(source, 65536)
    except OSError:
        data = b""
    return data


def terminal():
    """Where programs write at once what they say."""
    import tty

    ends = os.openpty()
    tty.setraw(ends[1])
    return ends


#% end
def start_tasks(tasks, where, processes, sources):
    """Fills `processes` (rank of each), `sources` (what each descriptor tells of) and `writers` (their standard input)."""
    #% if stdin
    global writers
    writers = {}
    #% end
    #% if umask
    os.umask(int(tasks[0][2]["SLURM_UMASK"], 8))
    #% end
    #% if !stdin
    feed = [os.open("/dev/null", 0)]
    #% end
    for rank, words, env in tasks:
        #% if stdin
        feed = os.pipe()
        writers[rank] = feed[1]
        #% end
        output, errors = os.pipe(), os.pipe()
        #% if opt:unbuffered
        if chunks:
            [*map(os.close, output)]
            output = terminal()
        #% end
        #% if container
        # What the image says goes before what the machine says.
        env.update(image_env or {})
        #% end
        #% if pmi
        served = env.get("SLURM_PMI2_PROC_MAPPING")
        if served:
            mine, theirs = pair(rank, env)
            sources[mine] = 4, rank, b""
        #% end
        #% if pmix
        if calling:
            env.update(pmix_variables(rank))
        #% end
        process = start(words, env, where, feed[0], output[1], errors[1])
        #% if pmi
        if served:
            os.close(theirs)
        #% end
        os.close(output[1])
        os.close(errors[1])
        #% if stdin
        os.close(feed[0])
        #% end
        processes[process] = rank
        sources[os.pidfd_open(process)] = 0, rank, b""
        sources[output[0]] = 1, rank, b""
        sources[errors[0]] = 2, rank, b""


#% if stdin
def start_writer():
    """Writing blocks while a task does not read, which must not keep anything else from it: hence a thread."""
    global todo
    import threading

    todo, said = Pipe()
    threading.Thread(target=write, args=(writers, said), daemon=True).start()


#% end
def signal_tasks(processes, message):
    """Gives tasks a signal, unless their machine is shut down and has told them: a second one would cut short what they do
    at the first."""
    #% if agent
    message in signal.sigpending() or deliver(processes, message)
    #% end
    #% if !agent
    # Who serves them is called srun too: what is pending may be for all that are.
    deliver(processes, message)
    #% end
    #% if prepared
    if message == 15:
        # The machines of a bid are shut down one soon after the other.
        signal.signal(15, 1)
    #% end


def said_whole(text, data):
    """Up to where it is handed on: lines stay whole, as long as they are not too long."""
    cut = text.rfind(b"\n") + 1
    if not data or len(text) - cut > 9999:
        cut = len(text)
    return cut


def hand_on(link, processes, sources):
    """When all have ended, what they wrote is still to be read; a daemon that left its session may hold the pipe."""
    while ready := wait([
        link,
        #% if stdin
        todo,
        #% end
        *sources,
    ], None if processes else 0):
        for source in ready:
            if source == link:
                message = link.recv()
                #% if pmi|pmix
                if type(message) in (dict, list):
                    told_by_srun(message)
                    continue
                #% end
                #% if stdin
                if type(message) is tuple:
                    todo.send(message)
                    continue
                #% end
                signal_tasks(processes, message)
                continue
            #% if stdin
            if source == todo:
                link.send(todo.recv())
                continue
            #% end
            stream, rank, text = sources.pop(source)
            if not stream:
                os.close(source)
                link.send((0, *ended(processes)))
                continue
            #% if pmi|pmix
            if stream > 3:
                if listen(source, link):
                    sources[source] = stream, rank, b""
                else:
                    os.close(source)
                continue
            #% end
            #% if opt:unbuffered
            data = read_either(source)
            #% end
            #% if !opt:unbuffered
            data = os.read(source, 65536)
            #% end
            text += data
            cut = said_whole(text, data)
            #% if opt:unbuffered
            if chunks:
                cut = len(text)
            #% end
            if cut:
                link.send((stream, rank, text[:cut]))
            if data:
                sources[source] = stream, rank, text[cut:]
            else:
                os.close(source)


#% end
#% if stdin
def write(writers, said):
    """Hands standard input on to the tasks; says (3, 0, 0) for each message."""
    while 1:
        rank, data = said.recv()
        for number, descriptor in [*writers.items()]:
            view = memoryview(data if rank in (None, number) else b"")
            try:
                while view:
                    view = view[os.write(descriptor, view) :]
            except OSError:
                pass
            # The end, or the task reads no more.
            if view or not data:
                os.close(writers.pop(number))
        said.send((3, 0, 0))


#% end
