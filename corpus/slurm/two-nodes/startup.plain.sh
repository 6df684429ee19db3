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
    # The provider's notice lies there for 5 minutes, or until the bid wins again; one from before this start is over.
    if [ /opt/mithril/MITHRIL_SIGNAL.yml -nt "$state_dir/started" ] || ((used_seconds >= 86100)); then
        [ "$warned_already" ] ||
            kill -USR1 "$body_pid"
        warned_already=1
    else
        warned_already=
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
    # The nodes are listed in /etc/hosts, the last one is the head. The head runs the job, the others serve its srun: there the
    # agent does not return.
    # Where the steps run.
    mkdir -p /workspace

    node_list=$("$state_dir/bin/agent" 2) || exit
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
    : >"$state_dir/started"
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
import re
import hmac,socket,time
from multiprocessing.connection import Connection,Pipe,wait
o=os.environ
F=os.path.basename(sys.argv[0])
q=sys.argv[1:]
L="/var/lib/foundry/flowc/nodes"
ae="/var/lib/foundry/flowc/run"
V=6818
def M(c):
 os.write(2,(F+": "+c+"\n").encode())
def u(c,i=1):
 M(c)
 os._exit(i)
def R(c):
 aq=[]
 for al in re.findall(r"(?:\[[^]]*]|[^][,\s])+",c):
  am=re.match(r"([^[]*)\[([^]]*)](.*)",al)
  if not am:
   aq.append(al)
   continue
  for at in am[2].split(","):
   Z,z,ar=at.partition("-")
   aq+=[am[1]+str(x).zfill(len(Z))+e for x in range(int(Z),int(ar or Z)+1)for e in R(am[3])or[""]]
 return aq
def aj(g):
 a=[]
 for n in g:
  e=n.rstrip("0123456789")
  d=n[len(e):]
  if not d or not a or a[-1][0]!=e or not a[-1][1]:
   a.append((e,[]))
  b=a[-1][1]
  if b and d==str(int(b[-1][-1])+1).zfill(len(b[-1][-1])):
   b[-1][1:]=[d]
  elif d:
   b.append([d])
 H=[]
 for e,b in a:
  c=",".join(map("-".join,b))
  H.append(e+(f"[{c}]"if c.strip("0123456789")else c))
 return",".join(H)
def start(argv,m,s,*b):
 e=os.fork()
 if e:
  return e
 def a(c):
  os.write(2,f"slurmstepd-{m['SLURMD_NODENAME']}: error: {c}\n".encode())
 try:
  for x,j in enumerate(b):
   os.dup2(j,x)
  os.setsid()
  signal.signal(13,signal.SIG_DFL)
  try:
   os.chdir(s)
  except OSError as h:
   a(f"couldn't chdir to `{s}': {h.strerror}: going to /tmp instead")
   os.chdir("/tmp")
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
def X(f,ac,e):
 for g,I,C in(1,9,1),(6,4,30),(6,5,10):
  f.setsockopt(g,I,C)
 a=Connection(f.detach())
 def d(c):
  return hmac.digest(open(ae,"rb").read(),c,"sha256")
 b=os.urandom(32)
 a.send_bytes(b)
 a.send_bytes(d(ac+a.recv_bytes(99)))
 if a.recv_bytes(99)!=d(e+b):
  raise OSError("wrong secret")
 return a
def af(n,b):
 for a in range(35):
  try:
   f=socket.create_connection((b,V),9)
   f.settimeout(None)
   return X(f,b"s",b"a")
  except(OSError,EOFError)as h:
   if a==4:
    M(f"waiting for the agent of {n}: {h}")
  time.sleep(a)
 u(f"error: {n}: no agent after 10 minutes")
def agent():
 K=socket.gethostname().split(".")[0]
 g=[]
 for z in range(120):
  e=[J.split()[:2]for J in open("/etc/hosts")if J[:1].isdigit()and J[:3]!="127"][::-1]
  g=[n.split(".")[0]for z,n in e]
  if len(e)>=int(q[0])and K in g:
   break
  time.sleep(5)
 else:
  u(f"/etc/hosts does not list {K} and {q[0]} nodes after 10 minutes: {g}")
 open(L,"w").writelines(f"{n} {d[0]}\n"for n,d in zip(g,e))
 b=g.index(K)
 c=socket.create_server((e[b][0],V),backlog=99)
 if not b and os.fork():
  print(aj(g))
  return
 os.dup2(2,1)
 signal.signal(17,signal.SIG_IGN)
 while 1:
  f=c.accept()[0]
  if not os.fork():
   try:
    signal.signal(17,signal.SIG_DFL)
    signal.alarm(30)
    a=X(f,b"a",b"s")
    signal.alarm(0)
    Y(a)
   finally:
    os._exit(0)
  f.close()
def Y(a):
 s,f=a.recv()
 d={}
 g={}
 n=[os.open("/dev/null",0)]
 for b,argv,m in f:
  i,l=os.pipe(),os.pipe()
  e=start(argv,m,s,n[0],i[1],l[1])
  os.close(i[1])
  os.close(l[1])
  d[e]=b
  g[os.pidfd_open(e)]=0,b,b""
  g[i[0]]=1,b,b""
  g[l[0]]=2,b,b""
 try:
  while p:=wait([a,
*g,],None if d else 0,):
   for v in p:
    if v==a:
     w=a.recv()
     B(d,w)
     continue
    j,b,c=g.pop(v)
    if not j:
     os.close(v)
     a.send((0,*A(d)))
     continue
    k=os.read(v,65536)
    c+=k
    h=c.rfind(b"\n")+1
    if not k or len(c)-h>9999:
     h=len(c)
    if h:
     a.send((j,b,c[:h]))
    if k:
     g[v]=j,b,c[h:]
    else:
     os.close(v)
  for j,b,c in g.values():
   if c:
    a.send((j,b,c))
  a.send(())
 except(EOFError,OSError):
  B(d,15)
  signal.signal(14,lambda*z:B(d,9))
  signal.alarm(30)
  while d:
   A(d)
def srun():
 if q and q[0][:1]=="-":
  u(f"unrecognized option '{q[0]}'",255)
 t=o["SLURM_JOB_ID"]
 if not q:
  u("fatal: No command given to execute.")
 H=open(L).read().split()
 g,U=H[::2],H[1::2]
 e=range(len(g))
 p=Z=len(g)
 f=int(o.get("SLURM_NTASKS")or p*int(o.get("SLURM_NTASKS_PER_NODE",1)))
 O=iter(range(f))
 S=[[next(O)for z in range(r,f,p)]for r in range(p)]
 with open("/run/flowc.step."+t,"ab",0)as P:
  P.write(b"%9d\n"%os.getpid())
  D=P.tell()//10-1
 m=dict(o)
 for C,ag in((f,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if f>Z else"cyclic","DISTRIBUTION"),
(o["SLURM_JOB_NODELIST"],"STEP_NODELIST"),(o["SLURM_TASKS_PER_NODE"]if f%p else f"{f // p}(x{p})".replace("(x1)",""),"TASKS_PER_NODE STEP_TASKS_PER_NODE",),
(p,"NNODES STEP_NUM_NODES"),(D,"STEPID STEP_ID"),
(U[0],"LAUNCH_NODE_IPADDR SRUN_COMM_HOST"),
):
  for key in ag.split():
   m["SLURM_"+key]=str(C)
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
},)for ab,b in enumerate(y)]
 def N(w,*z):
  for a in l:
   try:
    a.send(w)
   except OSError:
    pass
 l={}
 l={af(g[d],U[d]):d for d in e}
 for Q in 1,2,3,10,12,15,18:
  signal.signal(Q,N)
 for r,a in enumerate(l):
  a.send((s,W(r)))
 while l:
  for a in wait([*l,
]):
   d=l[a]
   try:
    w=a.recv()
   except(EOFError,OSError)as h:
    u(f"error: Node failure on {g[d]}: {h or 'connection lost'}")
   if not w:
    del l[a]
    continue
   j,b,k=w
   if not j:
    T(d,b,k)
    continue
   try:
    while k:
     k=k[os.write(j,k):]
   except OSError as h:
    u(f"error: cannot write: {h.strerror}")
 os._exit(G)
def scontrol():
 H=[al for al in q if al not in("-o","--oneliner","-d","--details")]
 a=(H+["",""])[:2]
 if a==["show","hostnames"]or a==["show","hostname"]:
  print(*R(H[2]if len(H)>2 else o["SLURM_NODELIST"]),sep="\n")
  return
 u(f"error: there is no Slurm on this machine: `scontrol {' '.join(q)}` cannot be done")
globals()[F]()
E
chmod +x "$state_dir/bin/srun"
for each_name in scontrol agent; do
    ln -f "$state_dir/bin/srun" "$state_dir/bin/$each_name"
done

# ---- journal: where a command of the job's own script failed; its bash reads this first ----

# The script must not notice: status and $_ are as they were, nothing is shown under `set -x`, 20 lines are enough.
cat >"$state_dir/trap" <<'E'
unset BASH_ENV
journal_lines=20
trap '{ failed_status=$? last_word=$_;((journal_lines-->0))&&logger -tflowc -- 'input.sbatch'":$LINENO: exit status $failed_status: ${BASH_COMMAND%%[[:cntrl:]]*}"||:;: "$last_word";} 2>/dev/null' ERR
E

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
