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

# Usage: not_started MESSAGE. The job has failed before it began.
not_started() {
    echo "flowc: $*"
    job_state=FAILED
    save_state 1 0 "$EPOCHSECONDS"
    exit 1
}

# ---- stop: the job is asked to end; what it was prepared with stays until it has ended ----

end_body() {
    [ -z "$end_state" ] && [ -e "/proc/$body_pid/exe" ] || return
    end_state=TIMEOUT
    grep -q 'Sig[CI]g.*[4-7c-f]...$' "/proc/$body_pid/status" || must_die=1
    kill -TERM -"$body_pid"
    kill -CONT -"$body_pid"
}

# ---- time: counted over all starts; looked at every 5 seconds, and when something is due ----

on_time() {
    # The provider's notice lies there for 5 minutes, or until the bid wins again; one from before this start is over.
    if [ /opt/mithril/MITHRIL_SIGNAL.yml -nt "$state_dir/started" ] || ((used_seconds >= 86100)); then
        ((warned_already)) ||
            kill -USR1 "$body_pid"
        # A body that has just begun (2) hears no signal yet.
        ((warned_already = warned_already < 2))
    else
        warned_already=0
    fi
    ((used_seconds < 86400)) || end_body

    ((used_seconds < 86430)) || kill -KILL -"$body_pid"
    # Until it is called again.
    wait_time=5
    ((wait_time-=used_seconds%5))
}

# ---- run: called by the unit ----

run_job() {
    host_name=${HOSTNAME%%.*}
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ <"$state_dir/status.json"
    # RUNNING and PENDING are to be started again, so is a job that never was. What is over has an A or a T.
    [[ $job_state = *[AT]* ]] && exit
    # The nodes are listed in /etc/hosts, the last one is the head. The head runs the job, the others serve its srun: there the
    # agent does not return.
    # Where the steps run.
    mkdir -p /workspace

    node_list=$("$state_dir/bin/agent" 2 2>>/var/log/foundry/job.log) || not_started "cannot start" >>/var/log/foundry/job.log
    output_file=/workspace/slurm-940260225.out
    # The first start empties the files, a later one goes on writing.
    [ "$start_count" ] || : >"$output_file"
    # The provider's log folder leads to the job's own output.
    ln -sf "$output_file" /var/log/foundry/job.log
    chmod 700 "$state_dir/slurm_script"

    job_state=RUNNING
    # What was to end when the power was cut does not begin again.
    ((used_seconds < 86400)) || end_state=TIMEOUT
    : >"$state_dir/started"
    # One process watches, and does nothing in a trap.
    # Told to stop (shutdown, preemption): the next boot starts the job again.
    trap stop_asked=1 TERM
    # Job control gives each of its children a process group, and the signals of a fresh process.
    set -m
    launch() {
    # What a batch step of Slurm would find in its environment. What the user set comes last and wins.
    exec env -i -C /workspace PATH="$state_dir/bin:$PATH" LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TMPDIR=/tmp \
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
        </dev/null
    }
    warned_already=2
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
    until
        save_state
        on_time
        read -rt "$wait_time" <&3 &
        wait $!
        read -rt 0 <&3
    do
        :
    done
    # Of a stop systemd has told all processes.
    end_state=${end_state:-${stop_asked:+PENDING}}
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
tee srun scontrol agent <<'E' >/dev/null
#!/usr/bin/python3
import os,signal,sys
import socket
import hmac,time
import select
from multiprocessing.connection import Connection,Pipe,wait
v=os.environ
I=os.path.basename(sys.argv[0])
x=sys.argv[1:]
Q="/var/lib/foundry/flowc/nodes"
ak="/var/lib/foundry/flowc/run"
bA="/var/lib/foundry/flowc/key"
X=6818
y=1,2,3,10,12,15,18
def J(h):
 os.write(2,(I+": "+h+"\n").encode())
def z(h,a=1):
 J(h)
 os._exit(a)
def S(h):
 if h==v.get("SLURM_JOB_NODELIST"):
  return open(Q).read().split()[::2]
 return h.replace(","," ").split()
def start(argv,n,m,*b):
 d=os.fork()
 if d:
  while os.getpgid(d)!=d:
   pass
  return d
 def a(h):
  os.write(2,f"slurmstepd-{n['SLURMD_NODENAME']}: error: {h}\n".encode())
 try:
  for r,s in enumerate(b):
   os.dup2(s,r)
  os.setsid()
  for r in 13,*y:
   signal.signal(r,0)
  signal.pthread_sigmask(1,y)
  try:
   os.chdir(m)
  except OSError as i:
   a(f"couldn't chdir to `{m}': {i.strerror}: going to /tmp instead")
   os.chdir("/tmp")
  n["SLURM_TASK_PID"]=str(os.getpid())
  os.execvpe(argv[0],argv,n)
 except OSError as i:
  a(f"execve(): {argv[0]}: {i.strerror}")
  os._exit(i.errno)
def C(e):
 d=0
 while d not in e:
  d,b=os.wait()
 L([d],9)
 return e.pop(d),os.waitstatus_to_exitcode(b)
def L(e,r):
 for d in[*e]:
  try:
   os.killpg(d,r)
  except OSError:
   pass
def bF(h):
 return b"".join(hmac.digest(open(u,"rb").read().strip(),h,"sha256")for u in(ak,bA))
def bU(az,h):
 aC=64 if os.path.getsize(bA)>64 else 32
 return az[:aC]==bF(h)[:aC]
def Z(b):
 for O in(1,18,1),(1,9,1),(6,4,30),(6,5,10),(6,18,120000):
  b.setsockopt(*O)
 return Connection(b.detach())
def ah(u,k):
 for c in range(35):
  try:
   M=dict(map(str.split,open(Q)))[socket.gethostname().split(".")[0]]
   b=socket.create_connection((k,X),9,(M,0))
   b.settimeout(None)
   d=os.urandom(32)
   b.send(d+bF(b"s"+b.recv(32)))
   if not bU(b.recv(64,256),b"a"+d):
    raise OSError("secret")
   a=Z(b)
   return a
  except(OSError,EOFError)as i:
   if c==4:
    J(f"waiting for the agent of {u}: {i}")
  time.sleep(c)
 z(f"error: {u}: no agent after 10 minutes")
def cf(j,U,c):
 j.listen(4096)
 j.setblocking(False)
 e={}
 k=select.poll()
 k.register(j,1)
 while 1:
  for r,F in k.poll():
   try:
    if r not in e:
     b,A=j.accept()
     if A[0]in U:
      b.setsockopt(1,18,96)
      d=os.urandom(32)
      b.send(d)
      r=b.fileno()
      e[r]=b,d
      k.register(r,1)
     if len(e)<500:
      b=0
      continue
     r=[*e][0]
    k.unregister(r)
    b,d=e.pop(r)
    az=b.recv(96,64)
    if bU(az[32:],b"s"+d)and not os.fork():
     try:
      e.clear()
      signal.signal(17,signal.SIG_DFL)
      b.send(bF(b"a"+az[:32]))
      a=Z(b)
      ab(a)
     finally:
      os._exit(0)
    b.close()
   except OSError:
    pass
def agent():
 M=socket.gethostname().split(".")[0]
 for F in range(120):
  g=[E.split()[:2]for E in open("/etc/hosts")if E[:1].isdigit()and E[:3]!="127"][::-1]
  f=[u.split(".")[0]for F,u in g]
  if len(g)>=int(x[0])and M in f:
   break
  time.sleep(5)
 else:
  z(f"/etc/hosts does not list {M} and {x[0]} nodes after 10 minutes: {f}")
 open(Q,"w").writelines(f"{u} {d[0]}\n"for u,d in zip(f,g))
 open(bA,"a")
 c=f.index(M)
 j=socket.create_server((g[c][0],X))
 if not c and os.fork():
  e=M.rstrip("0123456789")
  H,af=f[0][len(e):],f[-1][len(e):]
  i=[e+str(int(H or 0)+p).zfill(len(H))for p in range(len(f))]
  print(f"{e}[{H}-{af}]"if f==i else",".join(f))
  return
 os.dup2(2,1)
 signal.signal(17,1)
 cf(j,[socket.gethostbyname(k)for k,F in g],c)
def ab(a):
 m,b=a.recv()
 if not m:
  cr(a,*b)
 e,f={},{}
 signal.pthread_sigmask(0,y)
 l=[os.open("/dev/null",0)]
 for c,argv,n in b:
  g,j=os.pipe(),os.pipe()
  d=start(argv,n,m,l[0],g[1],j[1])
  os.close(g[1])
  os.close(j[1])
  e[d]=c
  f[os.pidfd_open(d)]=0,c,b""
  f[g[0]]=1,c,b""
  f[j[0]]=2,c,b""
 try:
  while k:=wait([a,*f,],None if e else 0):
   for A in k:
    if A==a:
     B=a.recv()
     L(e,B)
     continue
    s,c,h=f.pop(A)
    if not s:
     os.close(A)
     a.send((0,*C(e)))
     continue
    o=os.read(A,65536)
    h+=o
    K=h.rfind(b"\n")+1
    if not o or len(h)-K>9999:
     K=len(h)
    if K:
     a.send((s,c,h[:K]))
    if o:
     f[A]=s,c,h[K:]
    else:
     os.close(A)
  for R in f.values():
   if R[2]:
    a.send(R)
  a.send(())
  while 1:
   a.recv()
 except(EOFError,OSError):
  L(e,15)
  signal.signal(14,lambda*F:L(e,9))
  signal.alarm(30)
  while e:
   C(e)
def scontrol():
 D=[c for c in x if c not in("-o","--oneliner","-d","--details")]
 d=(D+["",""])[:2]
 if d==["show","hostnames"]or d==["show","hostname"]:
  print(*S(D[2]if len(D)>2 else v["SLURM_NODELIST"]),sep="\n")
  return
 z(f"error: there is no Slurm on this machine: `scontrol {' '.join(x)}` cannot be done")
def cast(B,*F):
 for a in q:
  try:
   a.send(B)
  except OSError:
   pass
def V(d,c,a):
 if a:
  J(f"error: {f[d]}: task {c}: "+(f"Exited with exit code {a}"if a>0 else signal.strsignal(-a)))
  Y.append(a if a>0 else 128-a)
def al():
 global j,n
 with open("/run/flowc.step."+l,"ab",0)as a:
  a.write(b"%9d\n"%os.getpid())
  j=a.tell()//10-1
 n=dict(v)
def bP():
 al()
def bT():
 b=type(None),bool,int,str,list,dict,tuple,set,range
 return{u:value for u,value in globals().items()if type(value)in b}
def bV(az):
 if type(az)is str:
  J(az)
 else:
  os.kill(os.getpid(),az)
def au(a):
 if a==aU:
  try:
   bV(a.recv())
  except(EOFError,OSError):
   z(f"error: Node failure on {f[0]}: connection lost")
 return a==aU
def cr(a,az,c):
 global J
 globals().update(az)
 v.clear()
 v.update(c)
 J=a.send
 for ag in y:
  signal.signal(ag,lambda ag,F:a.send(ag))
 bP()
 a.send(bT())
 a.recv()
def aa(p):
 t=G[p]
 return[(c,x,{**n,"SLURM_NODEID":str(p),"SLURMD_NODENAME":f[g[p]],"SLURM_GTIDS":",".join(map(str,t)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a)},)for a,c in enumerate(t)]
if I=="srun":
 if x and x[0][:1]=="-":
  z(f"unrecognized option '{x[0]}'",255)
 l=v["SLURM_JOB_ID"]
 if not x:
  z("fatal: No command given to execute.")
 D=open(Q).read().split()
 f,U=D[::2],D[1::2]
 g=range(len(f))
 w=H=len(f)
 b=int(v.get("SLURM_NTASKS")or w*int(v.get("SLURM_NTASKS_PER_NODE",1)))
 N=iter(range(b))
 G=[[next(N)for F in range(p,b,w)]for p in range(w)]
 aU=None
 if v.get("SLURMD_NODENAME",f[0])==f[0]:
  bP()
 else:
  aU=ah(f[0],U[0])
  aU.send(("",(bT(),dict(v))))
  try:
   while type(az:=aU.recv())is not dict:
    bV(az)
  except EOFError:
   os._exit(1)
  globals().update(az)
  n=dict(v)
 for value,am in((b,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if b>H else"cyclic","DISTRIBUTION"),(v["SLURM_JOB_NODELIST"],"STEP_NODELIST"),(v["SLURM_TASKS_PER_NODE"]if b%w else f"{b // w}(x{w})".replace("(x1)",""),"TASKS_PER_NODE STEP_TASKS_PER_NODE",),(w,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),(U[0],"LAUNCH_NODE_IPADDR SRUN_COMM_HOST"),):
  for key in am.split():
   n["SLURM_"+key]=str(value)
 m=os.getcwd()
 Y=[0]
 q={ah(f[d],U[d]):d for d in g}
 signal.pthread_sigmask(0,y)
 for ag in y:
  signal.signal(ag,cast)
 for p,a in enumerate(q):
  a.send((m,aa(p)))
 signal.pthread_sigmask(1,y)
 while q:
  for a in wait([*q,*([aU]if aU else[])]):
   if au(a):
    continue
   d=q[a]
   try:
    B=a.recv()
   except(EOFError,OSError)as i:
    z(f"error: Node failure on {f[d]}: {i or 'connection lost'}")
   if not B:
    del q[a]
    continue
   s,c,o=B
   if not s:
    V(d,c,o)
    continue
   try:
    while o:
     o=o[os.write(s,o):]
   except OSError as i:
    z(f"error: cannot write: {i.strerror}")
 os._exit(max(Y))
globals()[I]()
E
tee squeue sacct scancel sinfo <<'E' >/dev/null
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
