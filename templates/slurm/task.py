"""Processes of tasks: their start, signals for them, their end."""
#% if lookup
def path_of(name, where, folders):
    """As slurmd looks for a program: what is in no folder of PATH may be in this one. (Python does not even try to start
    what has no name.)"""
    places = [where] if name[0] == "." else folders.split(":") * ("/" not in name)
    return next((path for place in places if os.access(path := os.path.join(place, name), 1)), name)


#% end
#% if tmpdir
def make_folder(env, complain):
    """As slurmd does for each task."""
    folder = env.setdefault("TMPDIR", "/tmp")
    try:
        os.mkdir(folder, 448)
    except OSError as error:
        if not os.access(folder, 3):
            complain(f"Unable to create TMPDIR [{folder}]: {error.strerror}")
            env["TMPDIR"] = "/tmp"


#% end
#% if srun
def hear_as_usual():
    """What came since the fork is for the program (0: its default); before, it would have gone to the handlers of srun
    and be lost. What the script or Python ignores is not ignored by the task."""
    for part in [
        #% if ignores
        *{*range(1, 32)} - {9, 19},
        #% end
        #% if !ignores
        13, 25, *HEARD,
        #% end
    ]:
        signal.signal(part, 0)
    signal.pthread_sigmask(1, HEARD)


def start(words, env, where, *streams):
    """Starts a program in a session of its own and gives its process id. The caller has blocked HEARD."""
    #% if !pipes
    import ctypes

    parent = os.getpid()
    #% end
    process = os.fork()
    if process:
        # From now on signals reach it.
        while os.getpgid(process) != process:
            pass
        return process

    def complain(text):
        os.write(2, f"slurmstepd-{env['SLURMD_NODENAME']}: error: {text}\n".encode())

    try:
        #% if pipes
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        #% end
        #% if !pipes
        # Nobody else would notice that srun was killed.
        ctypes.CDLL(None).prctl(1, 9)
        if os.getppid() != parent:
            os._exit(9)
        #% end
        os.setsid()
        hear_as_usual()
        #% if container
        if box:
            # Into the files of the container.
            import ctypes

            if ctypes.CDLL(None, use_errno=True).setns(os.open(f"/proc/{box}/ns/mnt", 0), 0):
                raise OSError(ctypes.get_errno(), "cannot enter the container")
        #% end
        #% if chdir
        try:
            os.chdir(where)
        except OSError as error:
            complain(f"couldn't chdir to `{where}': {error.strerror}: going to /tmp instead")
            os.chdir("/tmp")
        #% end
        #% if tmpdir
        make_folder(env, complain)
        #% end
        env["SLURM_TASK_PID"] = str(os.getpid())
        #% if lookup
        words[0] = path_of(words[0] or " ", where, env.get("PATH", ""))
        os.execve(words[0], words, env)
        #% end
        #% if !lookup
        os.execvpe(words[0], words, env)
        #% end
    except OSError as error:
        complain(f"execve(): {words[0]}: {error.strerror}")
        os._exit(error.errno)


def ended(processes):
    """Waits for one of the processes and kills what it left behind; gives its value and exit code, -n for signal n."""
    process = 0
    # Who runs srun by `exec` leaves it children of its own.
    while process not in processes:
        process, status = os.wait()
    deliver([process], 9)
    #% if pmix
    # The library may notice when nobody listens any more.
    lost(processes[process], -61)
    #% end
    return processes.pop(process), os.waitstatus_to_exitcode(status)


def deliver(processes, number):
    for process in [*processes]:
        try:
            os.killpg(process, number)
        except OSError:
            pass


#% end
