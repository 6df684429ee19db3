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

if [ -z "$1" ]; then
    # Not ordered after cloud-init, which would wait for us. The network is waited for, but not required.
    # SIGPIPE must end `yes | head` as in any shell; one process out of memory must not stop the whole job.
    cat >/etc/systemd/system/flowc.service <<UNIT
[Unit]
Wants=network-online.target
After=network-online.target
[Service]
ExecStart=/bin/bash $0 job
IgnoreSIGPIPE=no
OOMPolicy=continue
[Install]
WantedBy=multi-user.target
UNIT
    mkdir -p /var/log/foundry
    # An empty state file says: never started. One that is there keeps what it says.
    : >>"$state_dir/status.json"
    # Where no systemd runs, the job runs in the background, once at a time.
    systemctl enable --now --no-block flowc ||
        setsid -f flock -no "$state_dir" bash "$0" job </dev/null >/dev/null 2>&1
    # All of this must outlive a power cut.
    sync
    exit
fi

# ---- state: one small JSON file, replaced as a whole ----

# Usage: save_state [EXIT_CODE SIGNAL END]
save_state() {
    read -r uptime_seconds _ </proc/uptime
    used_seconds=$((used_base + ${uptime_seconds%.*}))
    printf '{"starts":%s,"used_s":%s,"state":"%s","start":%s,"exit_code":%s,"signal":%s,"end":%s}\n' \
        "$start_count" $used_seconds "$job_state" "$first_start" "${1-null}" "${2-null}" "${3-null}" \
        >"$state_dir/new"
    mv "$state_dir/new" "$state_dir/status.json"
}

# ---- time: counted over all starts; called every 5 seconds ----

on_tick() {
    save_state
    if ((used_seconds >= 5430)); then
        kill -KILL -"$body_pid"
    elif ((used_seconds >= 5400)) && [ "$job_state" = RUNNING ]; then
        job_state=TIMEOUT
        kill -TERM -"$body_pid"
        kill -CONT -"$body_pid"
    fi
}

# ---- run: called by the unit ----

run_job() {
    host_name=${HOSTNAME%%.*}
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ <"$state_dir/status.json"
    # RUNNING and PENDING are to be started again, so is a job that never was; COMPLETED, FAILED and TIMEOUT are over.
    [[ ${job_state:-ING} = *ING* ]] || exit 0
    output_file=/workspace/slurm-2135814939.out
    mkdir -p /workspace
    # The first start empties the files, a later one goes on writing.
    [ "$start_count" ] || : >"$output_file"
    # The provider's log folder leads to the job's own output.
    ln -sf "$output_file" /var/log/foundry/job.log
    chmod 700 "$state_dir/slurm_script"

    read -r uptime_seconds _ </proc/uptime
    used_base=$((used_seconds - ${uptime_seconds%.*}))
    first_start=${first_start:-$EPOCHSECONDS}
    job_state=RUNNING
    # Told to stop (shutdown, preemption): the body is told by systemd, we wait for it; the next boot starts it again.
    trap '[ "$job_state" = TIMEOUT ] || job_state=PENDING' TERM
    trap on_tick ALRM
    body_exited=
    # To `wait` an exit status of 143 and death by TERM are the same; the list of jobs tells, as long as it has the body.
    trap '[[ $(jobs -l) != *$body_pid\ Exit* ]] || body_exited=$body_pid' CHLD
    # Job control gives the body a process group of its own.
    set -m
    # What a batch step of Slurm would find in its environment. What the user set comes last and wins.
    env -i -C /workspace PATH="$state_dir/bin:$PATH" LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TMPDIR=/tmp \
        HOSTNAME="$host_name" \
        SLURM_JOB_NODELIST="$host_name" SLURM_NODELIST="$host_name" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 5400 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        SLURM_JOB_ID=2135814939 \
        SLURM_JOBID=2135814939 \
        SLURM_JOB_NAME=input.sbatch \
        SLURM_JOB_NUM_NODES=1 \
        SLURM_NNODES=1 \
        SLURM_JOB_CPUS_PER_NODE=64 \
        SLURM_CPUS_ON_NODE=64 \
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
        SLURM_MEM_PER_GPU=65536 \
        SLURM_GPUS_ON_NODE=8 \
        SLURM_JOB_GPUS=0,1,2,3,4,5,6,7 \
        CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 \
        SLURM_GPUS_PER_TASK=2 \
        SLURM_CPUS_PER_GPU=8 \
        BASH_ENV="$state_dir/trap" \
        "$state_dir/slurm_script" \
        >>"$output_file" \
        2>&1 </dev/null &
    body_pid=$!
    # Bash would report a process that was killed with its whole command line.
    exec 2>/dev/null
    start_count=$((start_count + 1))
    save_state
    # Every 5 seconds, and at the limit to the second.
    while read -r uptime_seconds _ </proc/uptime && sleep $((5 - (used_base + ${uptime_seconds%.*}) % 5)) && kill -ALRM $$; do :; done &
    ticker_pid=$!
    # A signal that we trap ends `wait` early; the last one gives the exit status, which bash remembers.
    while wait "$body_pid"; kill -0 "$body_pid"; do :; done
    wait "$body_pid"
    body_status=$?
    # The end of the script is the end of the job: what still runs in the background ends too.
    kill "$ticker_pid"
    kill -KILL -"$body_pid"
    if [ "$job_state" = RUNNING ]; then
        job_state=COMPLETED
        [ "$body_status" = 0 ] || job_state=FAILED
    fi
    save_state "$body_status" $((body_status > 128 && body_pid != body_exited ? body_status - 128 : 0)) "$EPOCHSECONDS"
    exit "$body_status"
}

# ---- the small Slurm: one program, called under several names ----

mkdir -p "$state_dir/bin"
cat >"$state_dir/bin/srun" <<'E'
#!/usr/bin/python3
import os,signal,sys
o=os.environ
F=os.path.basename(sys.argv[0])
q=sys.argv[1:]
def M(c):
 os.write(2,(F+": "+c+"\n").encode())
def u(c,i=1):
 M(c)
 os._exit(i)
def start(argv,m,s,*b):
 e=os.fork()
 if e:
  return e
 def a(c):
  os.write(2,f"slurmstepd-{m['SLURMD_NODENAME']}: error: {c}\n".encode())
 try:
  os.setsid()
  import ctypes
  ctypes.CDLL(None).prctl(1,9)
  signal.signal(13,signal.SIG_DFL)
  m["SLURM_TASK_PID"]=str(os.getpid())
  os.execvpe(argv[0],argv,m)
 except OSError as h:
  a(f"execve(): {argv[0]}: {h.strerror}")
  os._exit(h.errno)
def A(d):
 e,a=os.wait()
 B([e],9)
 return d.pop(e),os.waitstatus_to_exitcode(a)
def B(d,x):
 for e in[*d]:
  try:
   os.killpg(e,x)
  except OSError:
   pass
OPTIONS="-=gpus-per-task -=ntasks-per-gpu G=gpus -=gpus-per-node -=gres -=gpu-bind"
def aP(H):
 aq={}
 while H and H[0][:1]=="-"!=H[0]:
  al=H.pop(0)
  if al=="--":
   break
  try:
   a=al[1]=="-"
   n,ah,C=al[2:].partition("=")if a else(al[1],al[2:],al[2:])
   c=[b for b in OPTIONS.split()if(b[2:].startswith(n)if a else b[0]==n)]
   c=[b for b in c if b[2:]==n]or c
   (d,)=c
   if d[1]==".":
    if ah:
     H["1"if a else 0:0]=["-"+C]
    C="1"
   elif d[1]=="="and not ah:
    C=H.pop(0)
  except(ValueError,IndexError,TypeError):
   u(f"unrecognized option '{al}'",255)
  aq[d[2:]]=C
 return aq
def srun():
 ah=aP(q)
 def I(n,aD=""):
  return ah.get(n)or o.get("SLURM_"+(aD or n.upper().replace("-","_")))
 def x(n,aD=""):
  C=I(n,aD)or"0"
  if not C.isdigit()or int(C)<(n in ah):
   u(f'error: Invalid numeric value "{C}" for --{n}.')
  return int(C)
 t=o["SLURM_JOB_ID"]
 if not q:
  u("fatal: No command given to execute.")
 an=int(o["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
 g=[o["SLURM_JOB_NODELIST"]]
 e=range(len(g))
 p=Z=len(g)
 f=int(o.get("SLURM_NTASKS")or p*int(o.get("SLURM_NTASKS_PER_NODE",1)))
 ao=1
 if f>an//ao*len(e):
  u(f"error: Unable to create step for job {t}: More processors requested than permitted")
 O=iter(range(f))
 S=[[next(O)for z in range(r,f,p)]for r in range(p)]
 with open("/run/flowc.step."+t,"ab",0)as P:
  P.write(b"%9d\n"%os.getpid())
  D=P.tell()//10-1
 m=dict(o)
 for C,ag in((f,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if f>Z else"cyclic","DISTRIBUTION"),
(o["SLURM_JOB_NODELIST"],"STEP_NODELIST"),(o["SLURM_TASKS_PER_NODE"]if f%p else f"{f // p}(x{p})".replace("(x1)",""),"TASKS_PER_NODE STEP_TASKS_PER_NODE",),
(p,"NNODES STEP_NUM_NODES"),(D,"STEPID STEP_ID"),
):
  for key in ag.split():
   m["SLURM_"+key]=str(C)
 aw=o.get("SLURM_JOB_GPUS","").split(",")if o.get("SLURM_JOB_GPUS")else[]
 def aE(n,aD=""):
  aq=[int(al.split(":")[-1])if al.split(":")[-1].isdigit()else 1 for al in(I(n,aD)or"").split(",")if al and(n!="gres"or al[:3]=="gpu")]
  return sum(aq)
 ay=aE("gpus-per-task")
 ap=I("gpu-bind")or""
 ap=ap.replace("verbose,","")
 if I("ntasks-per-gpu")and not ap:
  ap="single:"+I("ntasks-per-gpu")
 if ay and not ap:
  ap=f"per_task:{ay}"
 K=aE("gpus-per-node")or aE("gres")or-(-aE("gpus")//len(e))or len(aw)
 if max(K,*(ay*len(am)for am in S))>len(aw):
  u(f"error: Unable to create step for job {t}: Invalid generic resource (gres) specification")
 def au(ab,p):
  ac=aw[:ay*p or K]
  av,z,c=ap.partition(":")
  x=int(c)if c.isdigit()else 1
  if av=="single":
   aB=[ac[ab//x%len(ac)]]
  elif av=="per_task":
   aB=[ac[r%len(ac)]for r in range(ab*x,(ab+1)*x)]
  elif av=="map_gpu":
   ai=c.split(",")
   aB=[aw[int(ai[ab%len(ai)],0)]]
  elif av=="mask_gpu":
   ai=c.split(",")
   aI=int(ai[ab%len(ai)],16)
   aB=[n for r,n in enumerate(aw)if aI>>r&1]
  else:
   aB=ac
  aA=",".join(aB)
  return{"CUDA_VISIBLE_DEVICES":aA,"SLURM_STEP_GPUS":aA,"SLURM_GPUS_ON_NODE":str(len(ac)),**({"SLURMD_TRES_BIND":"gpu:"+ap}if ap else{}),}
 s=os.getcwd()
 G=0
 def T(d,b,i):
  nonlocal G
  if i:
   M(f"error: {g[d]}: task {b}: "+(f"Exited with exit code {i}"if i>0 else signal.strsignal(-i)))
   G=max(G,i if i>0 else 128-i)
 def W(r):
  d=e[r]
  y=S[r]
  return[(b,
q,
{**m,"SLURM_NODEID":str(r),"SLURMD_NODENAME":g[d],"SLURM_GTIDS":",".join(map(str,y)),"SLURM_PROCID":str(b),"SLURM_LOCALID":str(ab),
**(au(ab,len(y))if aw else{}),
},)for ab,b in enumerate(y)]
 d={}
 def N(x,*z):
  B(d,x)
 for Q in 1,2,3,10,12,15,18:
  signal.signal(Q,N)
 for b,argv,task_env in W(0):
  d[start(argv,task_env,s)]=b
 while d:
  T(0,*A(d))
 os._exit(G)
globals()[F]()
E
chmod +x "$state_dir/bin/srun"

# ---- journal: where a command of the job's own script failed; its bash reads this first ----

# The script must not notice: status and $_ are as they were, nothing is shown under `set -x`, 20 lines are enough.
cat >"$state_dir/trap" <<'E'
unset BASH_ENV
journal_lines=20
trap '{ failed_status=$? last_word=$_;((journal_lines-->0))&&logger -tflowc -- 'input.sbatch'":$LINENO: exit status $failed_status: ${BASH_COMMAND%%[[:cntrl:]]*}"||:;: "$last_word";} 2>/dev/null' ERR
E

# ---- the job's own script: 214 bytes ----

head -c 214 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# GPUs counted by task: four tasks with two GPUs each make eight.
#SBATCH --ntasks=4
#SBATCH --gpus-per-task=2
#SBATCH --cpus-per-gpu=8
#SBATCH --mem-per-gpu=64G
#SBATCH --time=90
srun python worker.py
E
