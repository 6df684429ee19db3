"""Words of a command line, and the values in them."""
#% if any_option
# Not here, since nothing would be done about them: bcast, container, prolog and epilog, container-save and the like.
# Letter or `-`, then `=` with a value, `?` maybe with one attached, `.` without, then the name.
OPTIONS = "@srun.always@"


#% end
#% if help
def answer(found):
    """What is asked about the program itself."""
    if {"help", "usage", "version"} & {*found}:
        text = f"Usage: {NAME} [OPTIONS...]" + " COMMAND [ARGS...]" * (NAME == "srun")
        if "version" in found:
            text = "slurm-wlm 22.05.8"
        os.write(1, text.encode() + b"\n")
        os._exit(0)


#% end
#% if any_option|squeue|sacct|sinfo|scancel
def options(words):
    """Takes the options off the words, as getopt_long does; gives them by name."""
    found = {}
    while words and words[0][:1] == "-" != words[0]:
        word = words.pop(0)
        if word == "--":
            break
        try:
            long = word[1] == "-"
            name, given, text = word[2:].partition("=") if long else (word[1], word[2:], word[2:])
            hits = [entry for entry in OPTIONS.split() if (entry[2:].startswith(name) if long else entry[0] == name)]
            hits = [entry for entry in hits if entry[2:] == name] or hits
            (hit,) = hits
            if hit[1] == ".":
                if given:
                    # `-lN2` is `-l -N2`; `--label=2` is an error.
                    words["1" if long else 0 : 0] = ["-" + text]
                text = "1"
            elif hit[1] == "=" and not given:
                text = words.pop(0)
        except (ValueError, IndexError, TypeError):
            #% if picks
            if NAME != "srun":
                if hits:
                    die(f"option '{word}' is ambiguous, or its argument is wrong")
                die(f"unrecognized option '{word}'" if long else f"invalid option -- '{name}'")
            #% end
            die(f"unrecognized option '{word}'", 255)
        found[hit[2:]] = text
    #% if help
    answer(found)
    #% end
    return found


#% end
#% if time
def seconds(text):
    """A duration as Slurm reads it: minutes, M:S, H:M:S, D-H, D-H:M, D-H:M:S."""
    if text.lower() in ("infinite", "unlimited", "-1"):
        return 0
    days, dash, rest = text.rpartition("-")
    try:
        parts = (rest or dash and "0").split(":")
        parts += ["0"] * (3 - (not dash) - len(parts))
        # More than three are refused.
        hour, minute, second = map(int, ["0"] * (3 - len(parts)) + parts)
        return int(days if dash else 0) * 86400 + hour * 3600 + minute * 60 + second
    except ValueError:
        die("error: Invalid --time specification", 255)


#% end
