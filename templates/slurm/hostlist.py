"""Host lists, and numbers in the form that Slurm gives them."""
#% if hostlist
def hosts(text):
    """Names of a host list with brackets, in the order in which they are written."""
    found = []
    for word in re.findall(r"(?:\[[^]]*]|[^][,\s])+", text):
        part = re.match(r"([^[]*)\[([^]]*)](.*)", word)
        if not part:
            found.append(word)
            continue
        for item in part[2].split(","):
            low, _, high = item.partition("-")
            found += [
                part[1] + str(number).zfill(len(low)) + rest
                for number in range(int(low), int(high or low) + 1)
                for rest in hosts(part[3]) or [""]
            ]
    return found


#% end
#% if own_hosts
def hosts(text):
    """The nodes of the job, whose list is the only one with brackets that can be asked for."""
    if text == ENV.get("SLURM_JOB_NODELIST"):
        return open(STATE).read().split()[::2]
    return text.replace(",", " ").split()


#% end
#% if plain_hosts
def hosts(text):
    return text.replace(",", " ").split()


#% end
#% if choose
def short(counts):
    """Numbers per node as Slurm writes them: `4(x2),1`."""
    return ",".join(f"{count}(x{len([*same])})" for count, same in itertools.groupby(counts)).replace("(x1)", "")


#% end
#% if show_hostlist
def compress(names):
    """Neighbours whose names end in numbers become `n[1-3]`."""
    groups = []
    for name in names:
        stem = name.rstrip("0123456789")
        digits = name[len(stem) :]
        if not digits or not groups or groups[-1][0] != stem or not groups[-1][1]:
            groups.append((stem, []))
        runs = groups[-1][1]
        if runs and digits == str(int(runs[-1][-1]) + 1).zfill(len(runs[-1][-1])):
            runs[-1][1:] = [digits]
        elif digits:
            runs.append([digits])
    words = []
    for stem, runs in groups:
        text = ",".join(map("-".join, runs))
        words.append(stem + (f"[{text}]" if text.strip("0123456789") else text))
    return ",".join(words)


#% end
