"""What srun does when a task ends, and when itself is told to."""
#% if srun
#% if pipes
def cast(message, *_):
    for link in links:
        try:
            link.send(message)
        except OSError:
            pass


#% end
#% if !pipes
def cast(number, *_):
    deliver(processes, number)


#% end
#% if ending
def stop(*_):
    """Asks the tasks to end; 30 seconds later they must."""
    if last:
        cast(last.pop())
        signal.alarm(30)


def told(*_):
    last[:] = 9, 15
    stop()


#% end
def done(node, rank, code):
    if code:
        say(
            f"error: {names[node]}: task {rank}: "
            + (signal.strsignal(-code) if code < 0 else f"Exited with exit code {code}")
        )
        # For who waits 384 is 128, and yet it beats 255.
        codes.append(384 - code if code < 0 else code)
        #% if opt:kill-on-bad-exit
        if given.get("kill-on-bad-exit", ENV.get("SLURM_KILL_BAD_EXIT", "0")) != "0" and len(last) > 1:
            say(f"Terminating StepId={job}.{step}")
            stop()
        #% end
    #% if opt:wait
    if patience and len(last) > 1:
        last.pop()
        signal.alarm(patience)
    #% end


#% end
