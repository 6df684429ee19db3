#!/bin/bash
# Startup script of job renamed.
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
    if ((used_seconds >= 1830)); then
        kill -KILL -"$body_pid"
    elif ((used_seconds >= 1800)) && [ "$job_state" = RUNNING ]; then
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
    [ $node_rank = 0 ] || {
        # Where the steps run.
        mkdir -p /workspace
        exec "$state_dir/bin/agent" "${node_names[node_rank]#* }"
    }
    "$state_dir/bin/agent" "${node_names[0]#* }" &
    # As Slurm writes it where the names are numbered: node[1-4].
    # shellcheck disable=SC2016
    node_list=$(printf '%s\n' "${node_names[@]%% *}" | awk '{
        p = $1; sub(/[0-9]+$/, "", p); n = substr($1, length(p) + 1); l = l "," $1
        if (NR == 1) { q = p; f = n }
        if (p != q || n + 0 != f + NR - 1 || length(n) != length(f)) b = 1
    } END { print b ? substr(l, 2) : q "[" f "-" n "]" }')
    output_file=/workspace/slurm-866379156.out
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
        SLURM_JOB_NODELIST="$node_list" SLURM_NODELIST="$node_list" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 1800 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        SLURM_JOB_ID=866379156 \
        SLURM_JOBID=866379156 \
        SLURM_JOB_NAME=renamed \
        SLURM_JOB_NUM_NODES=2 \
        SLURM_NNODES=2 \
        'SLURM_JOB_CPUS_PER_NODE=1(x2)' \
        SLURM_CPUS_ON_NODE=1 \
        'SLURM_TASKS_PER_NODE=1(x2)' \
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
        SLURM_GPUS_PER_NODE=h100:8 \
        'GREETING=hello there' \
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
import threading,time
import hmac,itertools,socket
from multiprocessing.connection import Connection
e=os.environ
A=os.path.basename(sys.argv[0])
v=sys.argv[1:]
bh=e.get("FLOWC_SLURM","/var/lib/foundry/flowc/nodes")
bg=6818
def ak(b):
 os.write(2,(A+": "+b+"\n").encode())
def g(b,P=1):
 ak(b)
 os._exit(P)
def cM(cs):
 be=[(F,len(list(ck)))for F,ck in itertools.groupby(cs)]
 return",".join(f"{F}(x{aM})"if aM>1 else str(F)for F,aM in be)
def start(argv,y,O,cQ):
 aG=os.fork()
 if aG:
  return aG
 def bH(b):
  os.write(2,f"slurmstepd-{y['SLURMD_NODENAME']}: error: {b}\n".encode())
 try:
  for k,s in enumerate(cQ):
   os.dup2(s,k)
  os.setsid()
  signal.signal(13,signal.SIG_DFL)
  try:
   os.chdir(O)
  except OSError as Z:
   bH(f"couldn't chdir to `{O}': {Z.strerror}: going to /tmp instead")
   os.chdir("/tmp")
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
def bZ(at,ac,cD):
 at.settimeout(None)
 for bY,p,n in(1,9,1),(6,4,30),(6,5,10):
  at.setsockopt(bY,p,n)
 t=Connection(at.detach())
 bv=os.urandom(32)
 t.send_bytes(bv)
 def bD(b):
  return hmac.digest(open(bh,"rb").readline(),b,"sha256")
 t.send_bytes(bD(ac+t.recv_bytes(99)))
 if t.recv_bytes(99)!=bD(cD+bv):
  raise OSError("wrong token")
 return t
def ct(a,bj):
 bK=time.time()+600
 bB=0
 while 1:
  try:
   return bZ(socket.create_connection((bj,bg),9),b"s",b"a")
  except(OSError,EOFError)as Z:
   bB+=1
   if bB==10:
    ak(f"waiting for the agent of {a}: {Z}")
   if time.time()>bK:
    g(f"error: {a}: no agent after 10 minutes: {Z}")
   time.sleep(1)
def cp():
 bM=socket.create_server((v[0],bg),backlog=99)
 signal.signal(17,signal.SIG_IGN)
 while 1:
  at=bM.accept()[0]
  if not os.fork():
   signal.signal(17,signal.SIG_DFL)
   try:
    signal.alarm(30)
    t=bZ(at,b"a",b"s")
    signal.alarm(0)
    cL(t)
   finally:
    os._exit(0)
  at.close()
def aL(cy,*d):
 bw=threading.Thread(target=cy,args=d,daemon=True)
 bw.start()
 return bw
def cL(t):
 argv,O,y,i=t.recv()
 cc=threading.Lock()
 M={}
 aH=[]
 def send(*S):
  with cc:
   try:
    t.send(S)
   except OSError:
    pass
 def cE(s,h,al):
  with open(al,"rb")as ar:
   read=ar.readline
   for H in iter(lambda:read(9999),b""):
    send(s,h,H)
 def cR():
  while M:
   send(0,*cw(M))
  for cj in aH:
   cj.join(2)
  send()
 null=os.open("/dev/null",0)
 for h,bs in i:
  aZ,aS=os.pipe(),os.pipe()
  M[start(
argv,
{**y,**bs},O,
(null,aZ[1],aS[1]),
)]=h
  os.close(aZ[1])
  os.close(aS[1])
  for s,al in(1,aZ[0]),(2,aS[0]):
   aH.append((s,h,al))
 aH[:]=[aL(cE,*d)for d in aH]
 aL(cR)
 try:
  while 1:
   S=t.recv()
   aR(M,S)
 except(EOFError,OSError):
  aR(M,15)
  signal.signal(14,lambda*U:aR(M,9))
  signal.alarm(30)
  while M:
   time.sleep(0.1)
def cP():
 l={}
 if v and v[0][:1]=="-":
  g(f"unrecognized option '{v[0]}'",255)
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
 f,ax=[],[]
 for H in list(open(bh))[1:]:
  a,bj=H.split()
  ax.append(bj)
  f.append(a)
 j=range(len(f))
 o=z=len(f)
 i=k("ntasks")
 if 0<i<o:
  ak(f"Warning: can't run {i} processes on {o} nodes, setting nnodes to {i}")
  o=i
 z=max(o,min(z,i or z))
 if o>len(j):
  g(f"error: Only allocated {len(j)} nodes asked for {o}")
 j=j[:z]
 i=i or len(j)
 F=len(j)
 bX=iter(range(i))
 au=[[next(bX)for U in range(C,i,F)]for C in range(F)]
 with open("/run/flowc.step."+r,"ab",0)as bz:
  bz.write(b"%9d\n"%os.getpid())
  J=bz.tell()//10-1
 y=dict(e)
 for n,bW in((i,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if i>o else"cyclic","DISTRIBUTION"),(",".join(f[q]for q in j),"STEP_NODELIST"),(len(j),"NNODES STEP_NUM_NODES"),
(cM(map(len,au)),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),
(J,"STEPID STEP_ID"),
(ax[0],"LAUNCH_NODE_IPADDR SRUN_COMM_HOST"),
):
  for bV in bW.split():
   y["SLURM_"+bV]=str(n)
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
},)for ab,h in enumerate(L)]
 def bm(S,*U):
  for t in aC:
   try:
    t.send(S)
   except OSError:
    pass
 def cB(q,t):
  try:
   while 1:
    S=t.recv()
    if not S:
     return
    s,h,w=S
    if not s:
     cu(q,h,w)
     continue
    while w:
     w=w[os.write(s,w):]
  except(EOFError,OSError)as Z:
   g(f"error: Node failure on {f[q]}: {Z or 'connection lost'}")
 aC=[ct(f[q],ax[q])for q in j]
 for cg in 1,2,3,10,12,15,18:
  signal.signal(cg,bm)
 for C,t in enumerate(aC):
  t.send((v,O,*cv(C)))
 cb=[aL(cB,*ci)for ci in zip(j,aC)]
 for ca in cb:
  ca.join()
 os._exit(bf)
if A=="srun":
 cP()
if A=="agent":
 cp()
E
chmod +x "$state_dir/bin/srun"
for each_name in agent; do
    ln -f "$state_dir/bin/srun" "$state_dir/bin/$each_name"
done

# ---- journal: where a command of the job's own script failed; its bash reads this first ----

# The script must not notice: status and $_ are as they were, nothing is shown under `set -x`, 20 lines are enough.
cat >"$state_dir/trap" <<'E'
unset BASH_ENV
journal_lines=20
trap '{ failed_status=$? last_word=$_;((journal_lines-->0))&&logger -tflowc -- 'input.sbatch'":$LINENO: exit status $failed_status: ${BASH_COMMAND%%[[:cntrl:]]*}"||:;: "$last_word";} 2>/dev/null' ERR
E

# ---- the job's own script: 202 bytes ----

head -c 202 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# What follows `--` is sbatch's own command line and wins over the script; flowc's flags win over both.
#SBATCH --nodes=4
#SBATCH --gpus-per-node=h100:8
#SBATCH --time=1:00:00
srun hostname
E
