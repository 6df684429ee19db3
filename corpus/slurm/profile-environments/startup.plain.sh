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
    # Ubuntu knows Python by its new name alone.
    type -P python >/dev/null || ln -s /usr/bin/python3 /usr/local/bin/python
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
    output_file=/workspace/slurm-1937172528.out
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
        SLURM_JOB_ID=1937172528 \
        SLURM_JOBID=1937172528 \
        SLURM_JOB_NAME=input.sbatch \
        SLURM_JOB_NUM_NODES=1 \
        SLURM_NNODES=1 \
        SLURM_JOB_CPUS_PER_NODE=4 \
        SLURM_CPUS_ON_NODE=4 \
        SLURM_TASKS_PER_NODE=4 \
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
        SLURM_NTASKS=4 \
        SLURM_NPROCS=4 \
        SLURM_GPUS_ON_NODE=8 \
        SLURM_JOB_GPUS=0,1,2,3,4,5,6,7 \
        CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 \
        SLURM_GPUS=h100:8 \
        'BASH_FUNC_conda%%=() { case ${1-} in *activate) conda_do=$1; shift; . /opt/conda/bin/$conda_do "$@" ;; *) command conda "$@" ;; esac; }' \
        'BASH_FUNC_mamba%%=() { conda "$@"; }' \
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
from multiprocessing.connection import Connection,Pipe,wait
w=os.environ
J=os.path.basename(sys.argv[0])
y=sys.argv[1:]
z=1,2,3,10,12,15,18
def K(h):
 os.write(2,(J+": "+h+"\n").encode())
def A(h,l=1):
 K(h)
 os._exit(l)
def start(argv,o,n,*b):
 d=os.fork()
 if d:
  while os.getpgid(d)!=d:
   pass
  return d
 def a(h):
  os.write(2,f"slurmstepd-{o['SLURMD_NODENAME']}: error: {h}\n".encode())
 try:
  for s,t in enumerate(b):
   os.dup2(t,s)
  os.setsid()
  for s in 13,*z:
   signal.signal(s,0)
  signal.pthread_sigmask(1,z)
  o["SLURM_TASK_PID"]=str(os.getpid())
  os.execvpe(argv[0],argv,o)
 except OSError as i:
  a(f"execve(): {argv[0]}: {i.strerror}")
  os._exit(i.errno)
def D(e):
 d=0
 while d not in e:
  d,b=os.wait()
 M([d],9)
 return e.pop(d),os.waitstatus_to_exitcode(b)
def M(e,s):
 for d in[*e]:
  try:
   os.killpg(d,s)
  except OSError:
   pass
def ac(a):
 n,b=a.recv()
 e,f={},{}
 m=[os.open("/dev/null",0)]
 for c,argv,o in b:
  g,j=os.pipe(),os.pipe()
  d=start(argv,o,n,m[0],g[1],j[1])
  os.close(g[1])
  os.close(j[1])
  e[d]=c
  f[os.pidfd_open(d)]=0,c,b""
  f[g[0]]=1,c,b""
  f[j[0]]=2,c,b""
 signal.signal(15,lambda*G:M(e,15))
 signal.pthread_sigmask(1,(15,))
 try:
  while k:=wait([a,*f],None if e else 0):
   for B in k:
    if B==a:
     C=a.recv()
     M(e,C)
     continue
    t,c,h=f.pop(B)
    if not t:
     os.close(B)
     a.send((0,*D(e)))
     continue
    p=os.read(B,65536)
    h+=p
    L=h.rfind(b"\n")+1
    if not p or len(h)-L>9999:
     L=len(h)
    if L:
     a.send((t,c,h[:L]))
    if p:
     f[B]=t,c,h[L:]
    else:
     os.close(B)
  for S in f.values():
   if S[2]:
    a.send(S)
  a.send(())
  while 1:
   a.recv()
 except(EOFError,OSError):
  M(e,15)
  signal.signal(14,lambda*G:M(e,9))
  signal.alarm(30)
  while e:
   D(e)
def cast(C,*G):
 for a in r:
  try:
   a.send(C)
  except OSError:
   pass
def W(d,c,l):
 if l:
  K(f"error: {f[d]}: task {c}: "+(signal.strsignal(-l)if l<0 else f"Exited with exit code {l}"))
  Z.append(384-l if l<0 else l)
def al():
 global j,o
 with open("/run/flowc.step."+m,"ab",0)as a:
  a.write(b"%9d\n"%os.getpid())
  j=a.tell()//10-1
 o=dict(w)
def ab(q):
 u=H[q]
 return[(c,y,{**o,"SLURM_NODEID":str(q),"SLURMD_NODENAME":f[g[q]],"SLURM_GTIDS":",".join(map(str,u)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a)})for a,c in enumerate(u)]
if J=="srun":
 if y and y[0][:1]=="-":
  A(f"unrecognized option '{y[0]}'",255)
 m=w["SLURM_JOB_ID"]
 if not y:
  A("fatal: No command given to execute.")
 f=[w["SLURM_JOB_NODELIST"]]
 g=range(len(f))
 x=I=len(f)
 b=int(w.get("SLURM_NTASKS")or x*int(w.get("SLURM_NTASKS_PER_NODE",1)))
 O=iter(range(b))
 H=[[next(O)for G in range(q,b,x)]for q in range(x)]
 al()
 for value,am in((b,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if b>I else"cyclic","DISTRIBUTION"),(w["SLURM_JOB_NODELIST"],"STEP_NODELIST"),(w["SLURM_TASKS_PER_NODE"]if b%x else f"{b // x}(x{x})".replace("(x1)",""),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(x,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),):
  for key in am.split():
   o["SLURM_"+key]=str(value)
 n=os.getcwd()
 Z=[0]
 r={}
 signal.pthread_sigmask(0,z)
 for ag in z:
  signal.signal(ag,cast)
 a,ad=Pipe()
 if not os.fork():
  os.setsid()
  a.close()
  try:
   ac(ad)
  finally:
   os._exit(0)
 ad.close()
 r[a]=0
 for q,a in enumerate(r):
  a.send((n,ab(q)))
 signal.pthread_sigmask(1,z)
 while r:
  for a in wait([*r]):
   d=r[a]
   try:
    C=a.recv()
   except(EOFError,OSError)as i:
    A(f"error: Node failure on {f[d]}: {i or 'connection lost'}")
   if not C:
    del r[a]
    continue
   t,c,p=C
   if not t:
    W(d,c,p)
    continue
   try:
    while p:
     p=p[os.write(t,p):]
   except OSError as i:
    A(f"error: cannot write: {i.strerror}")
 os._exit(max(Z))
globals()[J]()
E
tee scontrol squeue sacct scancel sinfo sbcast <<'E' >/dev/null
#!/bin/sh
echo "flowc: ${0##*/} is not on this machine: --with-commands ${0##*/} brings it" >&2
exit 69
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

# ---- setup: 2883 bytes, run once ----

head -c 2883 >"$state_dir/setup" <<'E'
timeout 1800 bash -ec 'mkdir -p /opt/conda/bin /opt/conda/etc/profile.d
cd /opt/conda/bin
if [ ! -e micromamba ]; then
    curl -fsSLo micromamba.new https://github.com/mamba-org/micromamba-releases/releases/download/2.8.1-0/micromamba-linux-64
    echo '\''9689782d863c05a1bf5d2d371ba527104e7a4eb4310c1637d8653b751aed9c82  micromamba.new'\'' | sha256sum -c --quiet
    chmod 755 micromamba.new
    mv micromamba.new micromamba
fi
if [ ! -e conda ]; then
    printf %s '\''#!/bin/bash
if [ "${1-}" = run ]; then
    shift
    name=base
    while :; do
        case ${1-} in
        -n | --name | -p | --prefix) name=$2 && shift ;;
        --name=* | --prefix=*) name=${1#*=} ;;
        -*) ;;
        *) break ;;
        esac
        shift
    done
    . /opt/conda/bin/activate "$name" || exit 1
    exec "$@"
fi
case "$*" in
"info --base") echo /opt/conda ;;
shell* | init*) ;;
*) exec /opt/conda/bin/micromamba -r /opt/conda "$@" ;;
esac
'\'' >conda
    chmod 755 conda
    printf %s '\''conda_env=${1:-base}
case $conda_env in
base | root) conda_env=/opt/conda ;;
*/*) ;;
*) conda_env=/opt/conda/envs/$conda_env ;;
esac
if [ ! -d "$conda_env" ]; then
    echo "EnvironmentNameNotFound: Could not find conda environment: ${1-}" >&2
    return 1
fi
. /opt/conda/bin/deactivate
export CONDA_PREFIX=$conda_env CONDA_DEFAULT_ENV=${1:-base} PATH=$conda_env/bin:$PATH
for conda_env in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    [ ! -r "$conda_env" ] || . "$conda_env"
done
unset conda_env
'\'' >activate
    printf %s '\''if [ -n "${CONDA_PREFIX-}" ]; then
    for conda_file in "$CONDA_PREFIX"/etc/conda/deactivate.d/*.sh; do
        [ ! -r "$conda_file" ] || . "$conda_file"
    done
    conda_file=:$PATH:
    case $conda_file in
    *":$CONDA_PREFIX/bin:"*)
        PATH=${conda_file%%":$CONDA_PREFIX/bin:"*}:${conda_file#*":$CONDA_PREFIX/bin:"}
        PATH=${PATH#:} PATH=${PATH%:}
        ;;
    esac
    unset conda_file CONDA_PREFIX CONDA_DEFAULT_ENV
fi
'\'' >deactivate
    echo '\''conda() { case ${1-} in *activate) conda_do=$1; shift; . /opt/conda/bin/$conda_do "$@" ;; *) command conda "$@" ;; esac; }'\'' >../etc/profile.d/conda.sh
    ln -s conda mamba
fi
ln -sf $PWD/conda $PWD/mamba $PWD/activate $PWD/deactivate /usr/local/bin' || { echo 'flowc: cannot bring conda' >&2; exit 1; }
timeout 1800 bash -ec '/opt/conda/bin/micromamba create -yq -r /opt/conda -n train --override-channels -c conda-forge -c nvidia python=3.12 '\''pytorch>=2.5'\''' || { echo 'flowc: cannot bring conda environment train' >&2; exit 1; }
timeout 1800 bash -ec 'mkdir -p /opt/conda/envs/prepare
curl -fsSL https://example.com/prepare.tar.gz | tar -xz -C /opt/conda/envs/prepare
[ ! -x /opt/conda/envs/prepare/bin/conda-unpack ] || PATH=/opt/conda/envs/prepare/bin:$PATH /opt/conda/envs/prepare/bin/conda-unpack' || { echo 'flowc: cannot bring conda environment prepare' >&2; exit 1; }
E

# ---- the job's own script: 317 bytes ----

head -c 317 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# Lines of the profile make environments of conda; of one nobody says what it is.
#SBATCH --gpus=h100:8 --time=1:00:00 --ntasks=4
conda run -n prepare python prepare.py
source activate train
srun python train.py
srun bash -c 'conda activate train && python test.py'
conda activate report
python report.py
E
