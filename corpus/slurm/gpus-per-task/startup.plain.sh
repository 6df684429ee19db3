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
# shellcheck disable=SC2016

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

# ---- time limit: counted over all starts; called every 5 seconds ----

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
        "$state_dir/slurm_script" \
        </dev/null >>"$output_file" \
        2>&1 &
    body_pid=$!
    # Bash would report a process that was killed with its whole command line.
    exec 2>/dev/null
    start_count=$((start_count + 1))
    save_state
    while sleep 5 && kill -ALRM $$; do :; done &
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
    save_state "$body_status" $((body_status > 128 ? body_status - 128 : 0)) "$EPOCHSECONDS"
    exit "$body_status"
}

# ---- the small Slurm: one program, called under several names ----

mkdir -p "$state_dir/bin"
cat >"$state_dir/bin/srun" <<'E'
#!/usr/bin/python3
import itertools,os,signal,sys
f=os.environ
A=os.path.basename(sys.argv[0])
w=sys.argv[1:]
def al(b):
 os.write(2,(A+": "+b+"\n").encode())
def g(b,Q=1):
 al(b)
 os._exit(Q)
def ab(b):
 return b.replace(","," ").split()
def cH(co):
 bc=[(F,len(list(cg)))for F,cg in itertools.groupby(co)]
 return",".join(f"{F}(x{aK})"if aK>1 else str(F)for F,aK in bc)
def start(argv,v,P,cL):
 aG=os.fork()
 if aG:
  return aG
 def bI(b):
  os.write(2,f"slurmstepd-{v['SLURMD_NODENAME']}: error: {b}\n".encode())
 try:
  os.setsid()
  signal.signal(13,signal.SIG_DFL)
  v["SLURM_TASK_PID"]=str(os.getpid())
  os.execvpe(argv[0],argv,v)
 except OSError as aa:
  bI(f"execve(): {argv[0]}: {aa.strerror}")
  os._exit(aa.errno)
def cs(I):
 aj=os.waitid(os.P_ALL,0,os.WEXITED|os.WNOWAIT)
 aA([aj.si_pid],9)
 os.waitpid(aj.si_pid,0)
 return I.pop(aj.si_pid),aj.si_status if aj.si_code==1 else-aj.si_status
def aA(I,k):
 for aG in list(I):
  try:
   os.killpg(aG,k)
  except OSError:
   pass
OPTIONS="-=gpus-per-task -=ntasks-per-gpu G=gpus -=gpus-per-node -=gres -=gpu-bind"
def cx(d):
 B={}
 while d and d[0][:1]=="-"!=d[0]:
  c=d.pop(0)
  if c=="--":
   break
  try:
   a,j=c[1],c[2:]
   aq=[R for R in OPTIONS.split()if R[0]==a]
   m=j
   if a=="-":
    a,m,j=j.partition("=")
    aq=[R for R in OPTIONS.split()if R[2:].startswith(a)]
    aq=[R for R in aq if R[2:]==a]or aq
   (aS,)=aq
   if aS[1]==".":
    if m:
     d["1"if c[1]=="-"else 0:0]=["-"+j]
    j="1"
   elif aS[1]=="="and not m:
    j=d.pop(0)
  except(ValueError,IndexError,TypeError):
   g(f"unrecognized option '{c}'",255)
  B[aS[2:]]=j
 return B
def cK():
 m=cx(w)
 def r(a,bD=""):
  return m.get(a)or f.get("SLURM_"+(bD or a.upper().replace("-","_")))
 def k(a,bD=""):
  j=r(a,bD)or"0"
  if not j.isdigit()or a in m and not int(j):
   g(f'error: Invalid numeric value "{j}" for --{a}.')
  return int(j)
 s=f["SLURM_JOB_ID"]
 if not w:
  g("fatal: No command given to execute.")
 ag=int(f["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
 e=[f["SLURM_JOB_NODELIST"]]
 n=range(len(e))
 p=z=len(e)
 i=k("ntasks")
 if 0<i<p:
  al(f"Warning: can't run {i} processes on {p} nodes, setting nnodes to {i}")
  p=i
 z=max(p,min(z,i or z))
 if p>len(n):
  g(f"error: Only allocated {len(n)} nodes asked for {p}")
 n=n[:z]
 E=1
 i=i or len(n)
 if i>ag//E*len(n):
  g(f"error: Unable to create step for job {s}: More processors requested than permitted")
 ae=[range(i)]
 M=""
 with open("/run/flowc.step."+s,"ab",0)as bz:
  bz.write(b"%9d\n"%os.getpid())
  K=bz.tell()//10-1
 v=dict(f)
 v["SLURM_DISTRIBUTION"]="block"if i>p else"cyclic"
 for j,bX in((i,"NTASKS NPROCS STEP_NUM_TASKS"),(len(n),"NNODES STEP_NUM_NODES"),(cH(map(len,ae)),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(K,"STEPID STEP_ID"),):
  for bW in bX.split():
   v["SLURM_"+bW]=str(j)
 v["SLURM_STEP_NODELIST"]=",".join(e[q]for q in n)
 ah=f.get("SLURM_JOB_GPUS","").split(",")if f.get("SLURM_JOB_GPUS")else[]
 def aO(a,bD=""):
  B=[int(c.split(":")[-1])if c.split(":")[-1].isdigit()else 1 for c in(r(a,bD)or"").split(",")if c and(a!="gres"or c[:3]=="gpu")]
  return sum(B)
 aE=aO("gpus-per-task")
 Y=r("gpu-bind")or""
 Y=Y.replace("verbose,","")
 if r("ntasks-per-gpu")and not Y:
  Y="single:"+r("ntasks-per-gpu")
 if aE and not Y:
  Y=f"per_task:{aE}"
 bq=aO("gpus-per-node")or aO("gres")or-(-aO("gpus")//len(n))or len(ah)
 if max(bq,*(aE*len(l)for l in ae))>len(ah):
  g(f"error: Unable to create step for job {s}: Invalid generic resource (gres) specification")
 def cu(ac,F):
  ad=ah[:aE*F or bq]
  M,V,b=Y.partition(":")
  k=int(b)if b.isdigit()else 1
  if M=="single":
   av=[ad[ac//k%len(ad)]]
  elif M=="per_task":
   av=[ad[C%len(ad)]for C in range(ac*k,(ac+1)*k)]
  elif M=="map_gpu":
   ax=b.split(",")
   av=[ah[int(ax[ac%len(ax)],0)]]
  elif M=="mask_gpu":
   ax=b.split(",")
   aD=int(ax[ac%len(ax)],16)
   av=[a for C,a in enumerate(ah)if aD>>C&1]
  else:
   av=ad
  aT=",".join(av)
  return{"CUDA_VISIBLE_DEVICES":aT,"SLURM_STEP_GPUS":aT,"SLURM_GPUS_ON_NODE":str(len(ad)),}
 P=os.getcwd()
 be=0
 def cq(q,h,Q):
  nonlocal be
  if Q:
   al(f"error: {e[q]}: task {h}: "+(f"Exited with exit code {Q}"if Q>0 else signal.strsignal(-Q)))
   be=max(be,Q if Q>0 else 128-Q)
 def cr(C):
  q=n[C]
  N=ae[C]
  bt={**v,"SLURM_NODEID":str(C),"SLURMD_NODENAME":e[q],"SLURM_GTIDS":",".join(map(str,N)),}
  return bt,[(h,{"SLURM_PROCID":str(h),"SLURM_LOCALID":str(ac),
**(cu(ac,len(N))if ah else{}),
},)for ac,h in enumerate(N)]
 I={}
 def bl(k,*V):
  aA(I,k)
 for cd in 1,2,3,10,12,15,18:
  signal.signal(cd,bl)
 bt,N=cr(0)
 for h,bs in N:
  I[start(w,{**bt,**bs},P,())]=h
 while I:
  cq(0,*cs(I))
 os._exit(be)
if A=="srun":
 cK()
E
chmod +x "$state_dir/bin/srun"

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
