"""What the commands share that submit jobs, and that ask and end what was submitted: `flowc/tasks/` does it, here it
gets the words of a command line, and a terminal.

`world` is that of a command; `compiling` makes a request document of sources, `submitting` submits it; `staying` waits
for the end; `bill` says who ends what is paid for them.
"""
