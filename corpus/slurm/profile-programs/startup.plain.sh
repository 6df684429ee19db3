#!/bin/bash
# Startup script of job input.sbatch.
#
# This is the script as a person reads it. What is sent is the same text without comments and with shorter names,
# compressed; it unpacks itself to /var/lib/foundry/flowc/run and goes on there.
#
#   run               installs the job: writes the systemd unit and starts it
#   run job           runs the job (called by the unit, on this boot and on every later one until the job has ended)
#   status.json       how often the job was started, seconds used, state, exit status, times
#   slurm_script      the job's own script
#
# What the user wrote stands in single quotes because it is meant literally.
# shellcheck disable=SC2016,SC2043,SC2317

[ "$0" = /var/lib/foundry/flowc/run ] || {
    install -D -m 700 -- "$0" /var/lib/foundry/flowc/run && exec bash /var/lib/foundry/flowc/run
    exit
}
state_dir=${0%/*}

# ---- install: run by cloud-init or by hand, as root, on the first boot; may be run again ----

[ "$1" ] || {
    # Not ordered after cloud-init, which would wait for us. The network is waited for, but not required.
    # SIGPIPE must end `yes | head` as in any shell; one process out of memory must not stop the whole job.
    cat >/etc/systemd/system/flowc.service <<E
[Unit]
Wants=network-online.target
After=network-online.target
[Service]
ExecStart=/bin/bash $0 job
IgnoreSIGPIPE=no
OOMPolicy=continue
KillMode=mixed
TimeoutStopSec=90
[Install]
WantedBy=multi-user.target
E
    mkdir -p /var/log/foundry
    # An empty state file says: never started. One that is there keeps what it says.
    : >>"$state_dir/status.json"
    # Where no systemd runs, the job runs in the background, once at a time.
    systemctl enable --now --no-block flowc ||
        setsid -f flock -no "$state_dir" bash "$0" job &>/dev/null
    # All of this must outlive a power cut.
    sync
    exit
}

# ---- state: one small JSON file, replaced as a whole; on a full disk written over, which takes no room ----

# Usage: save_state [EXIT_CODE SIGNAL END]
save_state() {
    IFS=. read -r uptime_seconds _ </proc/uptime
    used_base=${used_base-$((used_seconds - uptime_seconds))} used_seconds=$((used_base + uptime_seconds)) first_start=${first_start:-$EPOCHSECONDS}
    state_line='{"starts":'${start_count:-0}',"used_s":'$used_seconds',"state":"'$job_state'","start":'$first_start',"exit_code":'${1-null}',"signal":'${2-null}',"end":'${3-null}'}'
    # shellcheck disable=SC2015
    echo "$state_line" >"$state_dir/new" && mv "$state_dir/new" "$state_dir/status.json" || echo "$state_line         " 1<>"$state_dir/status.json"
}

# ---- stop: the job is asked to end; what it was prepared with stays until it has ended ----

stop_body() {
    kill -TERM -"$body_pid"
    kill -CONT -"$body_pid"
}

# Usage: end_body STATE SIGNALS. What is dead by now has ended by itself: it has no program any more. So has what then ends
# otherwise than by TERM though it did not catch TERM (SIGNALS: C), nor ignore it (I). Until its end it runs: state, exit
# status and signal are told at once.
end_body() {
    [ -z "$end_state" ] && [ -e "/proc/$body_pid/exe" ] || return
    end_state=$1
    grep -q "Sig[$2]g.*[4-7c-f]...$" "/proc/$body_pid/status" || must_die=1
    (stop_body &)
}

# ---- time: counted over all starts; looked at every 5 seconds, and when something is due ----

on_time() {
    ((used_seconds < 3600)) || end_body TIMEOUT CI

    ((used_seconds < 3630)) || kill -KILL -"$body_pid"
    # Until it is called again.
    wait_time=5
    ((wait_time-=used_seconds%5))
}

# ---- helpers of the start ----

# Usage: give_up MESSAGE. The message goes to the job's output for errors.
give_up() {
    echo "flowc: $*" >&2
    exit 1
}

# ---- run: called by the unit ----

run_job() {
    host_name=${HOSTNAME%%.*}
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ <"$state_dir/status.json"
    # RUNNING and PENDING are to be started again, so is a job that never was. What is over has an A or a T.
    [[ $job_state = *[AT]* ]] && exit
    output_file=/workspace/slurm-1453464345.out
    mkdir -p /workspace

    # The first start empties the files, a later one goes on writing.
    [ "$start_count" ] || : >"$output_file"
    # The provider's log folder leads to the job's own output.
    ln -sf "$output_file" /var/log/foundry/job.log
    chmod 700 "$state_dir/slurm_script"

    job_state=RUNNING
    # What was to end when the power was cut does not begin again.
    ((used_seconds < 3600)) || end_state=TIMEOUT
    # One process watches, and does nothing in a trap.
    # Told to stop (shutdown, preemption): the next boot starts the job again.
    trap stop_asked=1 TERM
    # Job control gives each of its children a process group, and the signals of a fresh process.
    set -m
    # What a start needs, and the job itself at its end, are one process group: limit and stop reach it at any point.
    launch() {
    export HOME=/root DEBIAN_FRONTEND=noninteractive
    # What a batch step of Slurm would find in its environment. What the user set comes last and wins.
    # shellcheck disable=SC2054
    in_job=(
    env -i -C /workspace PATH="$state_dir/bin:$PATH" LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TMPDIR=/tmp \
        HOSTNAME="$host_name" \
        SLURM_JOB_NODELIST="$host_name" SLURM_NODELIST="$host_name" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 3600 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        SLURM_JOB_ID=1453464345 \
        SLURM_JOBID=1453464345 \
        SLURM_JOB_NAME=input.sbatch \
        SLURM_JOB_NUM_NODES=1 \
        SLURM_NNODES=1 \
        SLURM_JOB_CPUS_PER_NODE=1 \
        SLURM_CPUS_ON_NODE=1 \
        SLURM_TASKS_PER_NODE=1 \
        SLURM_SUBMIT_DIR=/workspace \
        SLURM_CLUSTER_NAME=flowc \
        SLURM_JOB_USER=root \
        SLURM_JOB_UID=0 \
        SLURM_JOB_GID=0 \
        SLURM_NODEID=0 \
        SLURM_PROCID=0 \
        SLURM_LOCALID=0 \
        SLURM_GTIDS=0 \
        ENVIRONMENT=BATCH \
        SLURM_GPUS_ON_NODE=8 \
        SLURM_JOB_GPUS=0,1,2,3,4,5,6,7 \
        CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 \
        SLURM_GPUS=h100:8 \
    )
    [ -e "$state_dir/setup.done" ] || {
        "${in_job[@]}" bash "$state_dir/setup" || give_up "setup failed with status $?"
        : >"$state_dir/setup.done"
    }
    exec "${in_job[@]}" \
        env BASH_ENV="$state_dir/trap" \
        "$state_dir/slurm_script" \
        </dev/null
    }
    # Both files have their room on the disk before the job may fill it.
    save_state
    # The exit status, where the keeper lives to tell it; written over, since the disk may be full by then. (Nor does bash
    # know it always: where a stop comes while it hears of it, `wait` has lost it.)
    echo 137 1<>"$state_dir/life"
    echo 1<>"$state_dir/death"
    # The keeper has the body as its child and nothing else to do. Bash tells it of a death by a signal, in words, and of an
    # exit in none; the status may be the same. It alone holds a pipe open: the end of that is its end, whichever way.
    exec 3<> <(:)
    (
        trap '' TERM
        set -m
        (
            trap - TERM
            echo "$BASHPID"
            [ "$end_state" ] && kill "$BASHPID"
            exec >>"$output_file" 2>&1 3>&- &&
                launch
        ) &
        # In a subshell `wait` passes over a body that is only stopped.
        wait $!
        echo $? 1<>"$state_dir/life"
    ) >&3 2<>"$state_dir/death" &
    exec 2>/dev/null 3</dev/fd/3
    ((++start_count))
    read -r body_pid <&3
    # Bash's `wait` misses no signal, whenever it comes; `read` misses what comes just before it sleeps.
    # A stop that was not looked at yet leaves nothing to wait for.
    until
        save_state
        on_time
        read -rt "$wait_time" <&3 &
        # shellcheck disable=SC2086
        wait ${stop_asked:-$!}
        read -rt 0 <&3
    do
        ((stop_asked)) && stop_asked= && end_body PENDING C
    done
    read -r body_status <"$state_dir/life"
    read -r state_line <"$state_dir/death"
    ((body_signal = ${#state_line} && body_status > 128 ? body_status - 128 : 0))
    ((must_die && body_signal - 15)) && end_state=
    # What is ended has still to hand on what its tasks said at that.
    for _ in {1..20}; do
        [ "$end_state$body_signal" = 0 ] && break
        pgrep -g "$body_pid" -x srun || break
        sleep .1
    done
    # The end of the script is the end of the job: what still runs in the background ends too.
    kill -KILL -"$body_pid"
    job_state=COMPLETED
    ((body_status)) && job_state=FAILED
    job_state=${end_state:-$job_state}
    save_state "$body_status" "$body_signal" "$EPOCHSECONDS"
    exit "$body_status"
}

# ---- the small Slurm: one program, called under several names; what of Slurm is not here says so ----

mkdir -p "$state_dir/bin"
cd "$state_dir/bin" && {
tee srun <<'E' >/dev/null
#!/usr/bin/python3 -IS
import os,signal,sys
import itertools
from multiprocessing.connection import Connection,Pipe,wait
x=os.environ
L=os.path.basename(sys.argv[0])
z=sys.argv[1:]
A=1,2,3,10,12,15,18
def M(h):
 os.write(2,(L+": "+h+"\n").encode())
def B(h,m=1):
 M(h)
 os._exit(m)
def ax(b):
 return",".join(f"{y}(x{len([*a])})"for y,a in itertools.groupby(b)).replace("(x1)","")
OPTIONS="n=ntasks -=ntasks-per-node"
def aP(l):
 aD={}
 while l and l[0][:1]=="-"!=l[0]:
  c=l.pop(0)
  if c=="--":
   break
  try:
   a=c[1]=="-"
   o,aq,h=c[2:].partition("=")if a else(c[1],c[2:],c[2:])
   b=[g for g in OPTIONS.split()if(g[2:].startswith(o)if a else g[0]==o)]
   b=[g for g in b if g[2:]==o]or b
   (d,)=b
   if d[1]==".":
    if aq:
     l["1"if a else 0:0]=["-"+h]
    h="1"
   elif d[1]=="="and not aq:
    h=l.pop(0)
  except(ValueError,IndexError,TypeError):
   B(f"unrecognized option '{c}'",255)
  aD[d[2:]]=h
 return aD
def cy(o,n,c):
 d=[n]if o[0]=="."else c.split(":")*("/"not in o)
 return next((path for r in d if os.access(path:=os.path.join(r,o),1)),o)
def start(l,q,n,*b):
 d=os.fork()
 if d:
  while os.getpgid(d)!=d:
   pass
  return d
 def a(h):
  os.write(2,f"slurmstepd-{q['SLURMD_NODENAME']}: error: {h}\n".encode())
 try:
  for C,v in enumerate(b):
   os.dup2(v,C)
  os.setsid()
  for af in[13,25,*A]:
   signal.signal(af,0)
  signal.pthread_sigmask(1,A)
  q["SLURM_TASK_PID"]=str(os.getpid())
  l[0]=cy(l[0]or" ",n,q.get("PATH",""))
  os.execve(l[0],l,q)
 except OSError as i:
  a(f"execve(): {l[0]}: {i.strerror}")
  os._exit(i.errno)
def F(e):
 d=0
 while d not in e:
  d,b=os.wait()
 G([d],9)
 return e.pop(d),os.waitstatus_to_exitcode(b)
def G(e,C):
 for d in[*e]:
  try:
   os.killpg(d,C)
  except OSError:
   pass
def ad(b):
 n,a=b.recv()
 e,f={},{}
 o=[os.open("/dev/null",0)]
 for c,l,q in a:
  g,j=os.pipe(),os.pipe()
  d=start(l,q,n,o[0],g[1],j[1])
  os.close(g[1])
  os.close(j[1])
  e[d]=c
  f[os.pidfd_open(d)]=0,c,b""
  f[g[0]]=1,c,b""
  f[j[0]]=2,c,b""
 def B(*I):
  G(e,15)
  signal.pthread_sigmask(0,(15,))
  os.kill(os.getpid(),15)
 signal.signal(15,B)
 signal.pthread_sigmask(1,(15,))
 try:
  while k:=wait([b,*f],None if e else 0):
   for D in k:
    if D==b:
     w=b.recv()
     G(e,w)
     if w==15:
      signal.signal(15,1)
     continue
    v,c,h=f.pop(D)
    if not v:
     os.close(D)
     b.send((0,*F(e)))
     continue
    s=os.read(D,65536)
    h+=s
    E=h.rfind(b"\n")+1
    if not s or len(h)-E>9999:
     E=len(h)
    if E:
     b.send((v,c,h[:E]))
    if s:
     f[D]=v,c,h[E:]
    else:
     os.close(D)
  for S in f.values():
   if S[2]:
    b.send(S)
  b.send(())
  while 1:
   b.recv()
 except(EOFError,OSError):
  G(e,15)
  signal.signal(14,lambda*I:G(e,9))
  signal.alarm(30)
  while e:
   F(e)
def cast(w,*I):
 for b in t:
  try:
   b.send(w)
  except OSError:
   pass
def W(d,c,m):
 if m:
  M(f"error: {f[d]}: task {c}: "+(signal.strsignal(-m)if m<0 else f"Exited with exit code {m}"))
  aa.append(384-m if m<0 else m)
def an():
 global j,q
 with open("/run/flowc.step."+p,"ab",0)as a:
  a.write(b"%9d\n"%os.getpid())
  j=a.tell()//10-1
 q=dict(x)
def Q(o,a=""):
 return aq.get(o)or x.get("SLURM_"+(a or o.upper().replace("-","_")))
def C(o):
 value=aq.get(o,Q(o))or"0"
 if not value.isdecimal()or int(value)<(o in aq and o<"r"):
  B(f'error: Invalid numeric value "{value}" for --{o}.')
 return int(value)
def ac(r):
 u=J[r]
 return[(c,z,{**q,"SLURM_NODEID":str(r),"SLURMD_NODENAME":f[g[r]],"SLURM_GTIDS":",".join(map(str,u)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a)})for a,c in enumerate(u)]
if L=="srun":
 aq=aP(z)
 p=x["SLURM_JOB_ID"]
 if not z:
  B("fatal: No command given to execute.")
 aG=int(x["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
 f=[x["SLURM_JOB_NODELIST"]]
 g=range(len(f))
 K=aW=len(f)
 a=C("ntasks")
 if 0<a<K:
  M(f"Warning: can't run {a} processes on {K} nodes, setting nnodes to {a}")
  K=a
 aW=K
 g=g[:aW]
 k=C("ntasks-per-node")
 if not a or a==k*len(g):
  a=a or k*len(g)
  if k:
   x["SLURM_NTASKS_PER_NODE"]=str(k)
 elif aq.get("ntasks-per-node"):
  M(f"Warning: can't honor --ntasks-per-node set to {k} which doesn't match the requested tasks {a} "f"with the number of requested nodes {len(g)}. Ignoring --ntasks-per-node.")
 aH=1
 y=len(g)
 a=a or y
 if a>max(aG,os.cpu_count())//aH*y:
  B(f"error: Unable to create step for job {p}: More processors requested than permitted")
 P=iter(range(a))
 J=[[next(P)for I in range(r,a,y)]for r in range(y)]
 an()
 for value,ao in((a,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if a>K else"cyclic","DISTRIBUTION"),(x["SLURM_JOB_NODELIST"]if y==len(f)else",".join(f[d]for d in g),"STEP_NODELIST"),(ax(map(len,J)),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(y,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),):
  for o in ao.split():
   q["SLURM_"+o]=str(value)
 n=os.getcwd()
 aa=[0]
 t={}
 signal.pthread_sigmask(0,A)
 for ai in A:
  signal.signal(ai,cast)
 b,ae=Pipe()
 if not os.fork():
  os.setsid()
  b.close()
  try:
   ad(ae)
  finally:
   os._exit(1)
 ae.close()
 t[b]=0
 for r,b in enumerate(t):
  b.send((n,ac(r)))
 signal.pthread_sigmask(1,A)
 while t:
  for b in wait([*t]):
   d=t[b]
   try:
    w=b.recv()
   except(EOFError,OSError)as i:
    B(f"error: Node failure on {f[d]}: {i or 'connection lost'}")
   if not w:
    del t[b]
    continue
   v,c,s=w
   if not v:
    W(d,c,s)
    continue
   try:
    while s:
     s=s[os.write(v,s):]
   except OSError as i:
    B(f"error: cannot write: {i.strerror}")
 os._exit(max(aa))
globals()[L]()
E
chmod -f +x ./*
}

# ---- journal: where a command of the job's own script failed; its bash reads this first ----

# The script must not notice: status and $_ are as they were, nothing is shown under `set -x`, 20 lines are enough.
cat >"$state_dir/trap" <<'E'
unset BASH_ENV
journal_lines=20
trap '{ failed_status=$? last_word=$_;((journal_lines-->0))&&logger -tflowc -- 'input.sbatch'":$LINENO: exit status $failed_status: ${BASH_COMMAND%%[[:cntrl:]]*}"||:;: "$last_word";} 2>/dev/null' ERR
E

# ---- setup: 629 bytes, run once ----

head -c 629 >"$state_dir/setup" <<'E'
timeout 1800 env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update || { echo 'flowc: cannot bring program samtools' >&2; exit 1; }
timeout 1800 env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y samtools || { echo 'flowc: cannot bring program samtools' >&2; exit 1; }
timeout 1800 env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install -y r-base || { echo 'flowc: cannot bring program Rscript' >&2; exit 1; }
timeout 1800 bash -ec 'Rscript -e '\''install.packages("vegan")'\''' || { echo 'flowc: cannot bring program Rscript' >&2; exit 1; }
E

# ---- the job's own script: 269 bytes ----

head -c 269 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# Lines of the profile bring the programs that are called here; one has none.
#SBATCH --gpus=h100:8 --time=1:00:00
srun -n 4 samtools sort -o sorted.bam in.bam
bash -c 'cd results && Rscript plot.R'
gcc -O2 -o tool tool.c && ./tool
ffmpeg -i in.mp4 out.mkv
E
