#!/bin/bash
# Startup script of job pretrain.
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
    if ((used_seconds >= 86100)) && [ -z "$warned_already" ]; then
        warned_already=1
        kill -USR1 "$body_pid"
    fi
    if ((used_seconds >= 86430)); then
        kill -KILL -"$body_pid"
    elif ((used_seconds >= 86400)) && [ "$job_state" = RUNNING ]; then
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
    # The nodes are listed in /etc/hosts, the last one is the head. The head runs the job, the others serve its srun.
    for _ in {1..120}; do
        mapfile -t node_names < <(awk '$1 ~ /^[0-9.]+$/ && $1 !~ /^127/ { print $2, $1 }' /etc/hosts | tac)
        [ ${#node_names[@]} -lt 2 ] || break
        sleep 5
    done
    [ ${#node_names[@]} -ge 2 ] || {
        echo "flowc: /etc/hosts lists ${#node_names[@]} of 2 nodes after 10 minutes" >&2
        exit 1
    }
    node_rank=0
    until [ "${node_names[node_rank]%%[. ]*}" = "$host_name" ]; do
        ((++node_rank < 2)) || {
            echo "flowc: /etc/hosts does not list $host_name" >&2
            exit 1
        }
    done
    # Who talks to an agent must know what only the machines of this job have: the text of their script.
    (umask 077 && sha256sum <"$0" >"$state_dir/nodes" && printf '%s\n' "${node_names[@]}" >>"$state_dir/nodes")
    node_list=$(IFS=, && echo "${node_names[*]% *}")
    [ $node_rank = 0 ] || exec "$state_dir/bin/agent" "${node_names[node_rank]#* }"
    "$state_dir/bin/agent" "${node_names[0]#* }" &
    output_file=/workspace/slurm-940260225.out
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
        SLURM_JOB_NODELIST="$node_list" SLURM_NODELIST="$node_list" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 86400 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        SLURM_JOB_ID=940260225 \
        SLURM_JOBID=940260225 \
        SLURM_JOB_NAME=pretrain \
        SLURM_JOB_NUM_NODES=2 \
        SLURM_NNODES=2 \
        'SLURM_JOB_CPUS_PER_NODE=168(x2)' \
        SLURM_CPUS_ON_NODE=168 \
        'SLURM_TASKS_PER_NODE=8(x2)' \
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
        SLURM_NTASKS=16 \
        SLURM_NPROCS=16 \
        SLURM_NTASKS_PER_NODE=8 \
        SLURM_CPUS_PER_TASK=12 \
        SLURM_GPUS_ON_NODE=8 \
        SLURM_JOB_GPUS=0,1,2,3,4,5,6,7 \
        CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 \
        SLURM_GPUS_PER_NODE=h100:8 \
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
import threading,time
from multiprocessing.connection import Connection,Pipe
import hmac,socket
from multiprocessing.connection import Listener
f=os.environ
A=os.path.basename(sys.argv[0])
w=sys.argv[1:]
bg=f.get("FLOWC_SLURM","/var/lib/foundry/flowc/nodes")
bf=6818
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
  for k,t in enumerate(cL):
   os.dup2(t,k)
  os.setsid()
  signal.signal(13,signal.SIG_DFL)
  try:
   os.chdir(P)
  except OSError as aa:
   bI(f"couldn't chdir to `{P}': {aa.strerror}: going to /tmp instead")
   os.chdir("/tmp")
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
def bV(bo):
 for bZ,r,j in(1,9,1),(6,4,30),(6,5,10),(6,6,6):
  socket.fromfd(bo,2,1).setsockopt(bZ,r,j)
def bF(o,ad,cy):
 bB=open(bg,"rb").readline().strip()
 bw=os.urandom(32)
 o.send_bytes(bw)
 o.send_bytes(hmac.digest(bB,ad+o.recv_bytes(99),"sha256"))
 if not hmac.compare_digest(o.recv_bytes(99),hmac.digest(bB,cy+bw,"sha256")):
  raise OSError("the token of the job is wrong")
def cp(a,bi):
 bL=time.time()+600
 bC=0
 while 1:
  try:
   aY=socket.create_connection((bi,bf),9)
   aY.settimeout(None)
   bV(aY.fileno())
   o=Connection(aY.detach())
   bF(o,b"s",b"a")
   return o
  except(OSError,EOFError)as aa:
   bC+=1
   if bC==10:
    al(f"waiting for the agent of {a}: {aa}")
   if time.time()>bL:
    g(f"error: {a}: no agent after 10 minutes: {aa}")
   time.sleep(1)
def cl():
 bM=Listener((w[0],bf),backlog=99)
 signal.signal(signal.SIGCHLD,signal.SIG_IGN)
 while 1:
  o=bM.accept()
  if not os.fork():
   signal.signal(signal.SIGCHLD,signal.SIG_DFL)
   try:
    signal.alarm(30)
    bF(o,b"a",b"s")
    signal.alarm(0)
    bV(o.fileno())
    cG(o)
   finally:
    os._exit(0)
  o.close()
def cG(o):
 argv,P,v,i=o.recv()
 ca=threading.Lock()
 I={}
 ba=[]
 def send(*T):
  with ca:
   try:
    o.send(T)
   except OSError:
    pass
 def cz(t,h,am):
  with open(am,"rb")as au:
   read=au.readline
   for H in iter(lambda:read(9999),b""):
    send(t,h,H)
 def cM():
  while I:
   send(0,*cs(I))
  for cf in ba:
   cf.join(2)
  send()
 null=os.open("/dev/null",0)
 for h,bs in i:
  aW,aP=os.pipe(),os.pipe()
  I[start(
argv,
{**v,**bs},P,
(null,aW[1],aP[1]),
)]=h
  os.close(aW[1])
  os.close(aP[1])
  for t,am in(1,aW[0]),(2,aP[0]):
   ba.append(threading.Thread(target=cz,args=(t,h,am),daemon=True))
 for aw in*ba,threading.Thread(target=cM,daemon=True):
  aw.start()
 try:
  while 1:
   T=o.recv()
   aA(I,T)
 except(EOFError,OSError):
  aA(I,15)
  aA(I,18)
  signal.alarm(30)
  signal.signal(14,lambda*V:(aA(I,9),os._exit(0)))
  while I:
   time.sleep(0.1)
OPTIONS="n=ntasks N=nodes -=ntasks-per-node"
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
 e,ay=[],[]
 for H in list(open(bg))[1:]:
  a,bi=H.split()
  ay.append(bi)
  e.append(a)
 n=range(len(e))
 p=z=len(e)
 aR,V,bx=(r("nodes","NNODES")or"1").partition("-")
 if not(aR+bx).isdigit():
  g(f'error: "{m["nodes"]}" is not a valid node count',255)
 p,z=int(aR),min(int(bx or aR),z)
 i=k("ntasks")
 if 0<i<p:
  al(f"Warning: can't run {i} processes on {p} nodes, setting nnodes to {i}")
  p=i
 z=max(p,min(z,i or z))
 if p>len(n):
  g(f"error: Only allocated {len(n)} nodes asked for {p}")
 n=n[:z]
 m.setdefault("ntasks-per-node",m.get("tasks-per-node",""))
 ao=k("ntasks-per-node")if r("ntasks-per-node")else 0
 if not i or i==ao*len(n):
  i=i or ao*len(n)
  if ao:
   f["SLURM_NTASKS_PER_NODE"]=str(ao)
 elif m["ntasks-per-node"]:
  al(f"Warning: can't honor --ntasks-per-node set to {ao} which doesn't match the requested tasks {i} "f"with the number of requested nodes {len(n)}. Ignoring --ntasks-per-node.")
 E=1
 i=i or len(n)
 if i>ag//E*len(n):
  g(f"error: Unable to create step for job {s}: More processors requested than permitted")
 F=len(n)
 ae=[range(C,i,F)for C in range(F)]
 M=""
 if M not in("cyclic","plane"):
  bY=iter(range(i))
  ae=[[next(bY)for V in l]for l in ae]
 with open("/run/flowc.step."+s,"ab",0)as bz:
  bz.write(b"%9d\n"%os.getpid())
  K=bz.tell()//10-1
 v=dict(f)
 v["SLURM_DISTRIBUTION"]="block"if i>p else"cyclic"
 for j,bX in((i,"NTASKS NPROCS STEP_NUM_TASKS"),(len(n),"NNODES STEP_NUM_NODES"),(cH(map(len,ae)),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(K,"STEPID STEP_ID"),):
  for bW in bX.split():
   v["SLURM_"+bW]=str(j)
 v["SLURM_STEP_NODELIST"]=",".join(e[q]for q in n)
 for a in"LAUNCH_NODE_IPADDR","SRUN_COMM_HOST":
  v["SLURM_"+a]=ay[0]
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
},)for ac,h in enumerate(N)]
 aV=[]
 def bl(T,*V):
  for o in aV:
   try:
    o.send(T)
   except OSError:
    pass
 for cd in 1,2,3,10,12,15,18:
  signal.signal(cd,bl)
 def cw(q,o):
  try:
   while 1:
    T=o.recv()
    if not T:
     return
    t,h,x=T
    if not t:
     cq(q,h,x)
     continue
    while x:
     x=x[os.write(t,x):]
  except(EOFError,OSError)as aa:
   g(f"error: Node failure on {e[q]}: {aa or 'connection lost'}")
 bd=[]
 for C,q in enumerate(n):
  o=cp(e[q],ay[q])
  aV.append(o)
  o.send((w,P,*cr(C)))
  bd.append(threading.Thread(target=cw,args=(q,o),daemon=True))
 for aw in bd:
  aw.start()
 for aw in bd:
  aw.join()
 os._exit(be)
def cE():
 d=[c for c in w if c not in("-o","--oneliner","-d","--details")]
 O=(d+["",""])[:2]
 if O==["show","hostnames"]or O==["show","hostname"]:
  print(*ab(d[2]if len(d)>2 else f["SLURM_NODELIST"]),sep="\n")
  return
 g(f"error: there is no Slurm on this machine: `scontrol {' '.join(w)}` cannot be done")
if A=="srun":
 cK()
if A=="scontrol":
 cE()
if A=="agent":
 cl()
E
chmod +x "$state_dir/bin/srun"
for each_name in scontrol agent; do
    ln -f "$state_dir/bin/srun" "$state_dir/bin/$each_name"
done

# ---- the job's own script: 473 bytes ----

head -c 473 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# Several nodes: tasks for each GPU, started by srun, that meet at the first node.
#SBATCH --job-name=pretrain
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=8
#SBATCH --gpus-per-node=h100:8
#SBATCH --cpus-per-task=12
#SBATCH --exclusive
#SBATCH --time=1-00:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue

export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_PORT=29500
srun python pretrain.py --nodes "$SLURM_NNODES"
E
