#!/usr/bin/env python3
"""Ask the real sbatch how it reads batch scripts; print one JSON object per script.

  sbatch_oracle.py PATH...        scripts, or directories (every file below them)
  sbatch_oracle.py --jsonl        stdin lines {"script": text|null, "args": [...], "env": {...},
                                  "path": label} (all optional; null script: args hold --wrap)
  --controller                    also submit each script held to a private slurmctld and
                                  add "job": [scontrol show job fields, ...]
  --sbatch FILE                   another sbatch (scontrol/scancel/slurmctld beside it are used)

Output keys: path; ok; options {long name: canonical text} (first het component);
error (text or null); notes (messages of an accepted script, if any); het (one options
object per component, if several).  Nothing is scheduled or run.  sbatch is told that the
controller is a local port that hangs up, so it stops right after checking the script.
Texts keep undecodable bytes as lone surrogates; the working directory shows as {cwd}.
"""

import argparse
import concurrent.futures as futures
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

CONTACT = re.compile(
    r"allocation failure: |problem talking to|can't be reached now|"
    r"No clusters can be reached",
    re.I,
)
NOISE = re.compile(
    r"(select|auth|cred|accounting_storage|topology|tls|hash|gres)/|debug|certgen|"
    r"slurm_(msg_sendto|unix|send|receive|persist)|_conn|Unable to contact|"
    r"Unexpected missing|Try \"|-{20} |\s*$"
)
KNOWN_GRES = {"gpu", "mps", "shard", "nic"}
HIDDEN = {"test-only", "verbose"}  # set by the oracle itself


def text(raw):
    return raw.decode("utf-8", "surrogateescape")


class Hangup(threading.Thread):
    """A port that accepts and closes: the fastest way to be an absent controller."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.sock.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                self.sock.accept()[0].close()
            except OSError:
                return


def write_conf(folder, port, extra, user="root"):
    path = os.path.join(folder, "slurm.conf")
    with open(path, "w") as out:
        out.write(f"""ClusterName=oracle
SlurmctldHost={socket.gethostname()}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
ProctrackType=proctrack/linuxproc
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
PriorityType=priority/basic
MailProg=/bin/true
MessageTimeout=5
{extra}
""")
    return path


def client_part(gres):
    """What sbatch itself checks options against; no cluster, so that it loads fast."""
    return (
        f"GresTypes={','.join(sorted(gres))}\nTaskPlugin=task/affinity\n"
        "AllowSpecResourcesUsage=YES\nSlurmctldParameters=enable_stepmgr\n"
        "NodeName=n1 State=FUTURE\nPartitionName=p Nodes=n1"
    )


def gres_of(components):
    """{generic resource name: its types} that these option sets name."""
    found = {}
    for options in components:
        items = []
        for key in ("gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task"):
            items += ["gpu:" + item for item in options.get(key, "").split(",") if item]
        for item in (options.get("gres", "") + "," + options.get("tres-per-task", "")).split(","):
            items += re.findall(r"^gres[:/](.+)", item)
        for item in items:
            words = re.findall(r"[\w.+-]+", item)
            found.setdefault(words[0] if words else "gpu", set()).update(
                w for w in words[1:2] if not re.fullmatch(r"\d+\w?", w)
            )
    return found


class Oracle:
    def __init__(self, sbatch, timeout):
        self.sbatch, self.timeout = sbatch, timeout
        self.root = tempfile.mkdtemp(prefix="sbatch-oracle-")
        self.cwd = os.path.join(self.root, "cwd")
        os.makedirs(self.cwd)
        self.hangup = Hangup()
        self.confs, self.lock, self.daemon = {}, threading.Lock(), None
        self.conf = self.conf_for(())

    def close(self):
        if self.daemon:
            self.daemon.terminate()
            try:
                self.daemon.wait(10)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
        self.hangup.sock.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def conf_for(self, gres):
        """A slurm.conf that declares these generic resources (sbatch checks their names)."""
        key = tuple(sorted({*KNOWN_GRES, *gres}))
        with self.lock:
            if key not in self.confs:
                folder = os.path.join(self.root, f"conf{len(self.confs)}")
                os.makedirs(folder)
                self.confs[key] = write_conf(folder, self.hangup.port, client_part(key))
            return self.confs[key]

    def tool(self, name):
        beside = os.path.join(os.path.dirname(os.path.realpath(self.sbatch)), name)
        return beside if os.access(beside, os.X_OK) else shutil.which(name)

    def call(self, argv, conf, env=None):
        """(exit status or None on timeout, stdout, stderr)"""
        full = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": self.cwd,
            "TZ": "UTC",
            "LC_ALL": "C",
            "USER": "user",
            "SLURM_CONF": conf,
        }
        full.update({str(k): str(v) for k, v in (env or {}).items()})
        done = subprocess.Popen(
            argv,
            cwd=self.cwd,
            env=full,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = done.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            os.killpg(done.pid, signal.SIGKILL)
            out, err = done.communicate()
            return None, text(out), text(err)
        return done.returncode, text(out), text(err)

    def command(self, job, first):
        return [self.sbatch, *first, *job["args"], *([job["file"]] if job["file"] else [])]

    def parse(self, job):
        """Run sbatch --test-only and read its 'defined options' listing."""
        result = self.parse_with(job, self.conf)
        own = sorted(
            name
            for name in gres_of(result.get("het", [result["options"]]))
            if name not in KNOWN_GRES and not name.isdigit()
        )
        if own and not result["ok"]:  # names that a site may have declared
            result = self.parse_with(job, self.conf_for(own))
            if result["ok"]:
                result.setdefault("notes", []).append("undeclared gres: " + ",".join(own))
        return result

    def parse_with(self, job, conf):
        try:
            code, out, err = self.call(self.command(job, ["-v", "--test-only"]), conf, job["env"])
        except (OSError, ValueError) as problem:  # e.g. a NUL in an argument
            return {"path": job["path"], "ok": False, "options": {}, "error": str(problem)}
        parts, messages, errors, current, name, reached = [], [], [], None, None, False
        for line in err.split("\n"):
            body = re.sub(r"^(?:\S*/)?sbatch: ", "", line, count=1)
            own = body != line
            if own and body == "defined options":
                current, name = {}, None
            elif own and body == "end of defined options":
                parts.append(current)
                current = None
            elif current is not None:
                pair = re.match(r"([\w.()-]+) *: (.*)", body) if own else None
                if pair and pair[1] not in HIDDEN:
                    name = pair[1]
                    current[name] = pair[2].replace(self.cwd, "{cwd}")
                elif not own and name:  # a value that holds a newline
                    current[name] += "\n" + line
            elif CONTACT.search(body):
                reached = True
            elif not NOISE.match(re.sub(r"^(error|fatal|debug): ", "", body)):
                level, words = re.match(r"(?:(error|fatal|warning): +)?(.*)", body).groups()
                messages.append(words.replace(self.cwd, "{cwd}"))
                errors += messages[-1:] if level in ("error", "fatal") else []
        ok = bool(parts) and reached
        error = None
        if not ok:
            error = "; ".join(errors or messages) or (
                "timeout" if code is None else f"sbatch exited {code} without submitting: {out.strip()[:200]}"
            )
        result = {"path": job["path"], "ok": ok, "options": parts[0] if parts else {}, "error": error}
        if ok and messages:
            result["notes"] = messages
        if len(parts) > 1:
            result["het"] = parts
        return result

    # ---- controller mode -------------------------------------------------------------
    def start_controller(self, results):
        """Start slurmctld on made-up nodes that own whatever the scripts name."""
        slurmctld = self.tool("slurmctld")
        if not slurmctld:
            sys.exit("slurmctld not found: install the Debian package slurmctld")
        seen = [part for r in results if r["ok"] for part in r.get("het", [r["options"]])]

        def listed(*keys):
            return [options[key] for options in seen for key in keys if key in options]

        def plain(words):  # what slurm.conf can hold as a name
            return {w for w in words if re.fullmatch(r"[\w.:+@-]+", w) and w.lower() not in ("all", "default")}

        parts = plain(p for v in listed("partition") for p in v.split(","))
        gres = {"gpu": set(), **gres_of(seen)}
        feats = plain(
            f
            for v in listed("constraint", "prefer", "batch")
            for f in re.findall(r"[^\s&|,*()\[\]!]+", re.sub(r"\*\d+", "", v))
        )
        lics = plain(w for v in listed("licenses") for w in re.findall(r"(?:^|[,;|])([^,;|:=]+)", v))
        names = plain(
            n
            for v in listed("nodelist", "exclude")
            for n in self.call([self.tool("scontrol"), "show", "hostnames", v], self.conf)[1].split()
        )
        held = []
        for kind, types in sorted(gres.items()):
            size = 64 if kind in ("gpu", "nic") else 4096 if kind in ("mps", "shard") else "64T"
            held += [f"{kind}:{t}:{size}" for t in sorted(types)] or [f"{kind}:{size}"]
        extra = [
            f"GresTypes={','.join(sorted(gres))}",
            "TaskPlugin=task/none",
            "MaxArraySize=100001",
            "MaxJobCount=200000",
            "EnforcePartLimits=NO",
        ]
        if lics:
            extra.append("Licenses=" + ",".join(f"{n}:100000" for n in sorted(lics)))
        extra.append(
            f"NodeName=DEFAULT CPUs=256 Sockets=2 CoresPerSocket=64 "
            f"ThreadsPerCore=2 RealMemory=16777216 TmpDisk=67108864 "
            f"Gres={','.join(held)} State=UNKNOWN" + (f" Feature={','.join(sorted(feats))}" if feats else "")
        )
        extra += [f"NodeName={n} NodeAddr=127.0.0.1" for n in [*sorted(names), "oracle[0001-1024]"]]
        extra += [
            f"PartitionName={p} Nodes=ALL MaxTime=INFINITE OverSubscribe=YES State=UP"
            + (" Default=YES" if p == "oracle" else "")
            for p in sorted(parts | {"oracle"})
        ]
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        home = os.path.join(self.root, "controller")
        os.makedirs(os.path.join(home, "state"))
        os.makedirs(os.path.join(home, "spool"))
        conf = write_conf(home, port, "\n".join(extra), os.getuid())
        os.makedirs(os.path.join(home, "client"))
        self.live = write_conf(os.path.join(home, "client"), port, client_part(gres))
        with open(os.path.join(home, "out"), "wb") as log:
            self.daemon = subprocess.Popen(
                [slurmctld, "-c", "-D", "-f", conf],
                stdout=log,
                stderr=log,
                env={**os.environ, "SLURM_CONF": conf},
                start_new_session=True,
            )
        for _ in range(200):
            if "UP" in self.call([self.tool("scontrol"), "ping"], self.live)[1]:
                return
            if self.daemon.poll() is not None:
                break
            time.sleep(0.05)
        with open(os.path.join(home, "out"), errors="replace") as log:
            sys.exit("slurmctld did not start: " + log.read()[-2000:])

    def submit(self, job, result):
        result["job"] = None
        if not result["ok"]:
            return result
        env = {"SBATCH_WAIT": "no", **job["env"]}
        if "reservation" in result["options"]:  # there are none here: leave it out
            env["SBATCH_RESERVATION"] = ""
        code, out, err = self.call(self.command(job, ["--hold", "--parsable"]), self.live, env)
        if code != 0 or not re.match(r"\d+", out):
            result["submit_error"] = re.sub(r"(?m)^sbatch: (error: )?", "", err).strip() or out
            return result
        number = re.match(r"\d+", out)[0]
        shown = self.call([self.tool("scontrol"), "-o", "show", "job", number], self.live)[1]
        field = re.compile(r"(?:^| )([A-Z][\w/:.]*)=(.*?)(?= [A-Z][\w/:.]*=| *$)")
        result["job"] = [
            dict(field.findall(line.replace(self.cwd, "{cwd}")))
            for line in shown.splitlines()
            if line.startswith("JobId=")
        ]
        self.call([self.tool("scancel"), number], self.live)
        return result


def jobs_from(args, oracle):
    def add(path, file, extra=(), env=None):
        return {"path": path, "file": file, "args": [str(a) for a in extra], "env": env or {}}

    for top in args.paths:
        if os.path.isdir(top):
            for folder, dirs, names in sorted(os.walk(top)):
                dirs.sort()
                for name in sorted(names):
                    path = os.path.join(folder, name)
                    yield add(path, os.path.abspath(path))
        else:
            yield add(top, os.path.abspath(top))
    if args.jsonl:
        for number, line in enumerate(sys.stdin):
            if not line.strip():
                continue
            try:
                item, file = dict(json.loads(line)), None
            except (ValueError, TypeError) as problem:
                sys.exit(f"stdin line {number + 1} is not a JSON object: {problem}")
            if item.get("script") is not None:
                label = os.path.basename(str(item.get("path") or "job.sh")) or "job.sh"
                file = os.path.join(oracle.root, "scripts", str(number), label)
                os.makedirs(os.path.dirname(file))
                with open(file, "wb") as out:
                    out.write(item["script"].encode("utf-8", "surrogateescape"))
            yield add(item.get("path", number), file, item.get("args") or [], item.get("env"))


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("paths", nargs="*")
    cli.add_argument("--jsonl", action="store_true")
    cli.add_argument("--controller", action="store_true")
    cli.add_argument("--sbatch", default="sbatch")
    cli.add_argument("--workers", type=int, default=(os.cpu_count() or 1) + 2)
    cli.add_argument("--timeout", type=float, default=15)
    args = cli.parse_args()
    sbatch = shutil.which(args.sbatch)
    if not sbatch:
        sys.exit(
            "sbatch not found: install the Debian package slurm-client "
            "(and slurmctld for --controller), or give --sbatch FILE"
        )
    if not args.paths and not args.jsonl:
        cli.error("give paths or --jsonl")
    oracle = Oracle(os.path.abspath(sbatch), args.timeout)
    try:
        with futures.ThreadPoolExecutor(args.workers) as pool:
            jobs = list(jobs_from(args, oracle))
            results = pool.map(oracle.parse, jobs)
            if args.controller:
                results = list(results)
                oracle.start_controller(results)
                results = pool.map(oracle.submit, jobs, results)
            for result in results:
                print(json.dumps(result), flush=True)
    finally:
        oracle.close()


if __name__ == "__main__":
    main()
