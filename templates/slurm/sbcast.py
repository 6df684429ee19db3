"""sbcast."""
#% if sbcast
def keep_copy(copy, copy_mode, copy_flags, *copy_times):
    """What each node does with it; of what goes wrong there it tells the number and the words."""
    try:
        with open(os.open(copy, int(copy_flags), 0o700), "wb") as copied:
            while copy_data := os.read(0, 1 << 20):
                copied.write(copy_data)
        os.chmod(copy, int(copy_mode) & 0o777)
        copy_times and os.utime(copy, tuple(map(float, copy_times)))
    except OSError as copy_error:
        print(copy_error.errno, ENV["SLURMD_NODENAME"] + "):", copy_error.strerror)


def sbcast():
    """A step with a task on each node, whose input is the file."""
    if WORDS[:1] == [""]:
        return keep_copy(*WORDS[1:])
    # Names of its own: what other parts call something keeps its short name.
    copy_words = "@sbcast.always@"
    #% if rare
    copy_words += " @sbcast.rare@"
    #% end
    copy_given, copy_files = asked(copy_words)
    if len(copy_files) != 2:
        os.write(2, f'Need two file names, have {len(copy_files)} names\nTry "sbcast --help" for more information\n'.encode())
        os._exit(1)
    copy_from, copy = copy_files
    try:
        copy_fact = os.stat(copy_from)
        os.open(copy_from, 0)
    except OSError as copy_error:
        die(f"error: Can't open `{copy_from}`: {copy_error.strerror}", 255)
    if copy_fact.st_mode >> 12 == 4:
        die(f"error: Can't mmap file `{copy_from}`, No such device.", 255)
    if copy[-1:] == "/":
        die("error: Target filename cannot be a directory.")
    if not copy_fact.st_size:
        say(f"error: Warning: file `{copy_from}` is empty.")
    import subprocess

    copy_nodes = ENV["SLURM_JOB_NUM_NODES"]
    copy_step = ["srun", "--overlap", "-N", copy_nodes, "-n", copy_nodes, "--ntasks-per-node=1", "-i"]
    # A whole path: `none` and numbers have a meaning to srun. 577 is made or written anew, 193 is made alone.
    copy_step += [os.path.abspath(copy_from), sys.argv[0], "", os.path.abspath(copy), str(copy_fact.st_mode), "577" if "force" in copy_given else "193"]
    copy_step += (str(copy_fact.st_atime), str(copy_fact.st_mtime)) * ("preserve" in copy_given)
    copy_done = subprocess.Popen(copy_step, -1, None, None, -1)
    copy_lines = copy_done.communicate()[0].decode().splitlines()
    copy_code = copy_done.returncode
    for copy_line in copy_lines:
        copy_code, copy_said = copy_line.split(" ", 1)
        say("error: REQUEST_FILE_BCAST(" + copy_said)
    os._exit(int(copy_code))


#% end
