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
        </dev/null >>"$output_file" \
        2>&1 &
    body_pid=$!
    # Bash would report a process that was killed with its whole command line.
    exec 2>/dev/null
    start_count=$((start_count + 1))
    save_state
    # Every 5 seconds, and at the limit to the second.
    while read -r uptime_seconds _ </proc/uptime && sleep $((5 - (used_base + ${uptime_seconds%.*}) % 5)) && kill -ALRM $$; do :; done &
    # A signal that we trap ends `wait` early; the last one gives the exit status, which bash remembers.
    while wait "$body_pid"; kill -0 "$body_pid"; do :; done
    wait "$body_pid"
    body_status=$?
    # The end of the script is the end of the job: what still runs in the background ends too.
    kill %2
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
e=os.environ
A=os.path.basename(sys.argv[0])
v=sys.argv[1:]
def ak(b):
 os.write(2,(A+": "+b+"\n").encode())
def g(b,P=1):
 ak(b)
 os._exit(P)
def start(argv,y,O,cQ):
 aG=os.fork()
 if aG:
  return aG
 def bH(b):
  os.write(2,f"slurmstepd-{y['SLURMD_NODENAME']}: error: {b}\n".encode())
 try:
  os.setsid()
  import ctypes
  ctypes.CDLL(None).prctl(1,9)
  signal.signal(13,signal.SIG_DFL)
  y["SLURM_TASK_PID"]=str(os.getpid())
  os.execvpe(argv[0],argv,y)
 except OSError as Z:
  bH(f"execve(): {argv[0]}: {Z.strerror}")
  os._exit(Z.errno)
def cw(M):
 ai=os.waitid(os.P_ALL,0,os.WEXITED|os.WNOWAIT)
 aR([ai.si_pid],9)
 os.waitpid(ai.si_pid,0)
 return M.pop(ai.si_pid),ai.si_status if ai.si_code==1 else-ai.si_status
def aR(M,k):
 for aG in list(M):
  try:
   os.killpg(aG,k)
  except OSError:
   pass
OPTIONS="-=gpus-per-task -=ntasks-per-gpu G=gpus -=gpus-per-node -=gres -=gpu-bind"
def cC(d):
 B={}
 while d and d[0][:1]=="-"!=d[0]:
  c=d.pop(0)
  if c=="--":
   break
  try:
   aY=c[1]=="-"
   a,l,n=c[2:].partition("=")if aY else(c[1],c[2:],c[2:])
   aB=[ah for ah in OPTIONS.split()if(ah[2:].startswith(a)if aY else ah[0]==a)]
   aB=[ah for ah in aB if ah[2:]==a]or aB
   (aV,)=aB
   if aV[1]==".":
    if l:
     d["1"if aY else 0:0]=["-"+n]
    n="1"
   elif aV[1]=="="and not l:
    n=d.pop(0)
  except(ValueError,IndexError,TypeError):
   g(f"unrecognized option '{c}'",255)
  B[aV[2:]]=n
 return B
def cP():
 l=cC(v)
 def p(a,bC=""):
  return l.get(a)or e.get("SLURM_"+(bC or a.upper().replace("-","_")))
 def k(a,bC=""):
  n=p(a,bC)or"0"
  if not n.isdigit()or int(n)<(a in l):
   g(f'error: Invalid numeric value "{n}" for --{a}.')
  return int(n)
 r=e["SLURM_JOB_ID"]
 if not v:
  g("fatal: No command given to execute.")
 ae=int(e["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
 f=[e["SLURM_JOB_NODELIST"]]
 o=1
 j=[0]
 i=k("ntasks")
 E=1
 i=i or len(j)
 if i>ae//E*len(j):
  g(f"error: Unable to create step for job {r}: More processors requested than permitted")
 au=[range(i)]
 with open("/run/flowc.step."+r,"ab",0)as bz:
  bz.write(b"%9d\n"%os.getpid())
  J=bz.tell()//10-1
 y=dict(e)
 for n,bW in((i,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if i>o else"cyclic","DISTRIBUTION"),(",".join(f[q]for q in j),"STEP_NODELIST"),(len(j),"NNODES STEP_NUM_NODES"),
(i,"TASKS_PER_NODE STEP_TASKS_PER_NODE"),
(J,"STEPID STEP_ID"),
):
  for bV in bW.split():
   y["SLURM_"+bV]=str(n)
 af=e.get("SLURM_JOB_GPUS","").split(",")if e.get("SLURM_JOB_GPUS")else[]
 def aQ(a,bC=""):
  B=[int(c.split(":")[-1])if c.split(":")[-1].isdigit()else 1 for c in(p(a,bC)or"").split(",")if c and(a!="gres"or c[:3]=="gpu")]
  return sum(B)
 aE=aQ("gpus-per-task")
 X=p("gpu-bind")or""
 X=X.replace("verbose,","")
 if p("ntasks-per-gpu")and not X:
  X="single:"+p("ntasks-per-gpu")
 if aE and not X:
  X=f"per_task:{aE}"
 bq=aQ("gpus-per-node")or aQ("gres")or-(-aQ("gpus")//len(j))or len(af)
 if max(bq,*(aE*len(m)for m in au))>len(af):
  g(f"error: Unable to create step for job {r}: Invalid generic resource (gres) specification")
 def cz(ab,F):
  ac=af[:aE*F or bq]
  Q,U,b=X.partition(":")
  k=int(b)if b.isdigit()else 1
  if Q=="single":
   av=[ac[ab//k%len(ac)]]
  elif Q=="per_task":
   av=[ac[C%len(ac)]for C in range(ab*k,(ab+1)*k)]
  elif Q=="map_gpu":
   aw=b.split(",")
   av=[af[int(aw[ab%len(aw)],0)]]
  elif Q=="mask_gpu":
   aw=b.split(",")
   aD=int(aw[ab%len(aw)],16)
   av=[a for C,a in enumerate(af)if aD>>C&1]
  else:
   av=ac
  aW=",".join(av)
  return{"CUDA_VISIBLE_DEVICES":aW,"SLURM_STEP_GPUS":aW,"SLURM_GPUS_ON_NODE":str(len(ac)),}
 O=os.getcwd()
 bf=0
 def cu(q,h,P):
  nonlocal bf
  if P:
   ak(f"error: {f[q]}: task {h}: "+(f"Exited with exit code {P}"if P>0 else signal.strsignal(-P)))
   bf=max(bf,P if P>0 else 128-P)
 def cv(C):
  q=j[C]
  L=au[C]
  bt={**y,"SLURM_NODEID":str(C),"SLURMD_NODENAME":f[q],"SLURM_GTIDS":",".join(map(str,L)),}
  return bt,[(h,{"SLURM_PROCID":str(h),"SLURM_LOCALID":str(ab),
**(cz(ab,len(L))if af else{}),
},)for ab,h in enumerate(L)]
 M={}
 def bm(k,*U):
  aR(M,k)
 for cg in 1,2,3,10,12,15,18:
  signal.signal(cg,bm)
 bt,L=cv(0)
 for h,bs in L:
  M[start(v,{**bt,**bs},O,())]=h
 while M:
  cu(0,*cw(M))
 os._exit(bf)
if A=="srun":
 cP()
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
