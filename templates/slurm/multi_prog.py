"""The file of `srun --multi-prog`: a program for each rank."""
#% if multi_prog
def read_multi_prog():
    global programs
    programs = {}
    if "multi-prog" in given:
        import shlex

        try:
            config = open(WORDS[0])
        except OSError:
            die(f"error: Could not open multi_prog config file {WORDS[0]}")
        for line in config:
            part = shlex.split(line, comments=True)
            chosen = []
            for item in part[0].split(",") if part else ():
                first, _, end = item.partition("-")
                chosen += range(tasks) if item == "*" else range(int(first), int(end or first) + 1)
            for offset, rank in enumerate(chosen):
                words = [word.replace("%t", str(rank)).replace("%o", str(offset)) for word in part[1:]]
                programs.setdefault(rank, words + WORDS[1:])


#% end
