"""The file of `srun --multi-prog`: a program for each rank."""
#% if multi_prog
def read_multi_prog(file):
    """What is wrong with the file is said before a task runs."""
    global programs
    programs = {}
    try:
        # A line goes on behind a backslash.
        lines = re.split(r"(?<!\\)\n", open(file).read())
    except OSError:
        die(f"error: Could not open multi_prog config file {file}")
    for place, line in enumerate(lines):
        what = line.split(None, 1)
        if what and what[0][0] != "#":
            try:
                read_line(place, *what)
            except (TypeError, ValueError) as error:
                if "record" in str(error) or "task id" in str(error):
                    say(f"error: {error}")
                die(f"error: Line {place + 1} of configuration file {file} invalid")
    for rank in range(tasks):
        if rank not in programs:
            die(f"error: Configuration file {file} invalid, no record for task id {rank}")


def read_line(place, ranks_, text):
    offset = 0
    for item in ranks_.split(","):
        first, _, end = item.partition("-")
        for rank in range(tasks) if item == "*" else range(int(first), int(end or first) + 1):
            if rank >= tasks:
                raise ValueError(f"Invalid task id, {end or first} >= ntasks")
            if item != "*" and rank in programs:
                raise ValueError(f"Duplicate record for task {rank}")
            programs.setdefault(rank, words_of(text, rank, rank if item == "*" else offset) + WORDS[1:])
            offset += 1


def words_of(text, rank, offset):
    """Single quotes keep all; a backslash the next sign; `%t` and `%o` are numbers, other signs behind `%` go."""
    found, quoted = [""], re.findall(r"'([^']*)'|\\\n|\\(.?)|%(?:([to])|.?)|(\s+)|([^'])", text.strip())
    for kept, escaped, mark, blank, plain in quoted:
        if blank:
            found.append("")
        found[-1] += kept + escaped + plain + (mark and str(rank if mark == "t" else offset))
    return found


#% end
