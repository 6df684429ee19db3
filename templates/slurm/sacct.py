"""sacct."""
#% if sacct
def sacct():
    text = "@sacct.always@"
    #% if picks
    text += " @sacct.picks@"
    #% end
    #% if rare
    text += " @sacct.rare@"
    #% end
    given, _ = asked(text)
    #% if picks
    given.update({"users": given["uid"]} if "uid" in given else {})
    #% end
    bare, plain = "noheader" in given, "parsable" in given or "parsable2" in given
    fact = facts()
    names = given.get("format") or "JobID,JobName,Partition,Account,AllocCPUS,State,ExitCode"
    names = ("JobID,State,ExitCode" if "brief" in given else names).split(",")
    known = "JobID JobIDRaw JobName User UID GID Group Account QOS Partition Cluster State ExitCode DerivedExitCode Elapsed"
    known += " ElapsedRaw Timelimit TimelimitRaw Submit Start End NodeList NNodes AllocCPUS AllocNodes NCPUS NTasks WorkDir ReqMem"
    # What accounting measures or adds up is empty, as is any other column.
    known += " CPUTime MaxRSS MaxVMSize TotalCPU AveRSS AllocTRES"
    rows = [[], []]
    for name in names:
        name, _, width = name.partition("%")
        if not (name.isalpha() and (width or "0").removeprefix("-").isdecimal()):
            die(f'error: Invalid field requested: "{name}"')
        # A beginning is enough.
        name = next((each for each in known.split() if each.lower().startswith(name.lower())), name)
        size = int(width or {"JobID": -12, "State": 10, "ExitCode": 8, "Start": 19, "End": 19, "Submit": 19, "NodeList": 15}.get(name, 10))
        for row, text in zip(rows, (name, fact.get(name.lower(), ""))):
            row.append(text if plain else fit(text, size > 0, abs(size)))
    lines = [rows[0], *([] if plain else [["-" * len(text) for text in rows[0]]])] * (not bare)
    lines += rows[1:] * picked(given, fact)
    mark = given.get("delimiter", "|") if plain else " "
    for line in lines:
        print(mark.join(line) + mark * ("parsable2" not in given))


#% end
