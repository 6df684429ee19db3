"""What ends the job, its steps or a try of it."""
#% if requeue|no_requeue|scancel|scontrol_job|write_script
def own(ids):
    """Ends the program unless these are ids of this job or its steps."""
    job = ENV["SLURM_JOB_ID"]
    master = ENV.get("SLURM_ARRAY_JOB_ID", job) + "_" + ENV.get("SLURM_ARRAY_TASK_ID", "")
    for name in ids:
        if name.split(".")[0] not in (job, master):
            die(f"error: only the own job {job} is known here, not {name}")


#% end
#% if relay
def on_head():
    """Has it done by the head's agent, as a step of one task: what it is to end runs there."""
    head, address = open(STATE).read().split()[:2]
    if ENV["SLURMD_NODENAME"] != head:
        link = dial(head, address)
        #% if opt:unbuffered
        link.send(0)
        #% end
        #% if container
        link.send({})
        #% end
        link.send(("/", [(0, [NAME, *WORDS], {**ENV, "SLURMD_NODENAME": head})]))
        #% if pmix
        link.send(None)
        #% end
        while (told_there := link.recv())[0]:
            os.write(2, told_there[2])
        os._exit(told_there[2])


#% end
#% if requeue|scancel
def end_job(word):
    """The startup script reads the word when the body has ended, for which it has 30 seconds. Where the file is there
    already the body has been told."""
    told = os.path.exists("/run/flowc.end")
    with open("/run/flowc.end", "w") as file:
        file.write(word)
    if told:
        return
    body = int(ENV["FLOWC_BODY"])
    signal.signal(15, signal.SIG_IGN)
    for number in 15, 18:
        os.killpg(body, number)
    if not os.fork():
        # Of the body's own process group, it ends with it.
        os.closerange(0, 3)
        signal.sigtimedwait((), 30)
        os.killpg(body, 9)


#% end
#% if scancel
def scancel():
    text = "@scancel.always@"
    #% if rare
    text += " @scancel.rare@"
    #% end
    given, names = asked(text)
    number = 0
    if "signal" in given:
        text = given["signal"].upper().replace("SIG", "")
        number = int(text) if text.isdecimal() else getattr(signal, "SIG" + text, 0)
        if not 0 < number < 65:
            os.write(2, f"Unknown job signal: {given['signal']}\n".encode())
            os._exit(1)
    if not names:
        die("error: No job identification provided")
    own(names)
    #% if relay
    on_head()
    #% end
    for name in names:
        step = name.partition(".")[2]
        if not step and number in (0, 9):
            end_job("cancel")
            continue
        if "batch" in given or "full" in given:
            # The shell alone, or all that it started but this program: srun hands it on to its tasks.
            signal.pthread_sigmask(0, (number or 15,))
            (os.killpg if "full" in given else os.kill)(int(ENV["FLOWC_BODY"]), number or 15)
            continue
        if step and not step.isdecimal():
            die(f"error: Invalid job id {name}")
        try:
            pids = open("/run/flowc.step." + ENV["SLURM_JOB_ID"]).read().split()
        except OSError:
            pids = []
        for pid in pids[int(step) :][:1] if step else pids:
            try:
                # The number may belong to another program by now.
                mark = f"SLURM_JOB_ID={ENV['SLURM_JOB_ID']}\0".encode()
                called = open(f"/proc/{pid}/cmdline", "rb").read()
                ours = mark in open(f"/proc/{pid}/environ", "rb").read() and b"srun" in called
                #% if shared
                # An agent stands in for an srun on another machine.
                ours = ours or b"/agent\0" in called
                #% end
                if ours:
                    os.kill(int(pid), number or 15)
                    step = ""
            except OSError:
                pass
        # A signal for a step that has ended is no mistake.
        if step and not number:
            die(f"error: Kill job error on job step id {name}: Invalid job id specified", 225)


#% end
