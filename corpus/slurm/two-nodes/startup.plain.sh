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
#!/usr/bin/python3 -IS
import os,signal,sys
import socket
import hmac,time
import select
from multiprocessing.connection import Connection,Pipe,wait
w=os.environ
J=os.path.basename(sys.argv[0])
y=sys.argv[1:]
Q="/var/lib/foundry/flowc/nodes"
ak="/var/lib/foundry/flowc/run"
bC="/var/lib/foundry/flowc/key"
Y=6818
z=1,2,3,10,12,15,18
def K(h):
 os.write(2,(J+": "+h+"\n").encode())
def A(h,l=1):
 K(h)
 os._exit(l)
def T(h):
 if h==w.get("SLURM_JOB_NODELIST"):
  return open(Q).read().split()[::2]
 return h.replace(","," ").split()
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
  try:
   os.chdir(n)
  except OSError as i:
   a(f"couldn't chdir to `{n}': {i.strerror}: going to /tmp instead")
   os.chdir("/tmp")
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
def bJ(h):
 return b"".join(hmac.digest(open(v,"rb").read().strip(),h,"sha256")for v in(ak,bC))
def bX(aB,h):
 aD=64 if os.path.getsize(bC)>64 else 32
 return aB[:aD]==bJ(h)[:aD]
def aa(b):
 for P in(1,18,1),(1,9,1),(6,4,30),(6,5,10),(6,18,120000):
  b.setsockopt(*P)
 return Connection(b.detach())
def ah(v,k):
 for c in range(35):
  try:
   N=dict(map(str.split,open(Q)))[socket.gethostname().split(".")[0]]
   b=socket.create_connection((k,Y),9,(N,0))
   b.settimeout(None)
   d=os.urandom(32)
   b.send(d+bJ(b"s"+b.recv(32)))
   if not bX(b.recv(64,256),b"a"+d):
    raise OSError("secret")
   a=aa(b)
   return a
  except(OSError,EOFError)as i:
   if c==4:
    K(f"waiting for the agent of {v}: {i}")
  time.sleep(c)
 A(f"error: {v}: no agent after 10 minutes")
def ck(j,V,c):
 j.listen(4096)
 j.setblocking(False)
 e={}
 k=select.poll()
 k.register(j,1)
 while 1:
  for s,G in k.poll():
   try:
    if s not in e:
     b,B=j.accept()
     if B[0]in V:
      b.setsockopt(1,18,96)
      d=os.urandom(32)
      b.send(d)
      s=b.fileno()
      e[s]=b,d
      k.register(s,1)
     if len(e)<500:
      b=0
      continue
     s=[*e][0]
    k.unregister(s)
    b,d=e.pop(s)
    aB=b.recv(96,64)
    if bX(aB[32:],b"s"+d)and not os.fork():
     try:
      e.clear()
      signal.signal(17,signal.SIG_DFL)
      b.send(bJ(b"a"+aB[:32]))
      a=aa(b)
      ac(a)
     finally:
      os._exit(0)
    b.close()
   except OSError:
    pass
def agent():
 N=socket.gethostname().split(".")[0]
 for G in range(120):
  g=[F.split()[:2]for F in open("/etc/hosts")if F[:1].isdigit()and F[:3]!="127"][::-1]
  f=[v.split(".")[0]for G,v in g]
  if len(g)>=int(y[0])and N in f:
   break
  time.sleep(5)
 else:
  A(f"/etc/hosts does not list {N} and {y[0]} nodes after 10 minutes: {f}")
 open(Q,"w").writelines(f"{v} {d[0]}\n"for v,d in zip(f,g))
 open(bC,"a")
 c=f.index(N)
 j=socket.create_server((g[c][0],Y))
 if not c and os.fork():
  e=N.rstrip("0123456789")
  I=f[0][len(e):]
  i=[e+str(int(I or 0)+q).zfill(len(I))for q in range(len(f))]
  print(f"{e}[{I}-{f[-1][len(e):]}]"if f==i else",".join(f))
  return
 os.dup2(2,1)
 signal.signal(17,1)
 ck(j,[socket.gethostbyname(k)for k,G in g],c)
def ac(a):
 n,b=a.recv()
 if not n:
  cx(a,*b)
 e,f={},{}
 signal.pthread_sigmask(0,z)
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
def scontrol():
 E=[c for c in y if c not in("-o","--oneliner","-d","--details")]
 d=(E+["",""])[:2]
 if d==["show","hostnames"]or d==["show","hostname"]:
  print(*T(E[2]if len(E)>2 else w["SLURM_NODELIST"]),sep="\n")
  return
 A(f"error: there is no Slurm on this machine: `scontrol {' '.join(y)}` cannot be done")
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
def bT():
 al()
def ci():
 return(m,)
def cp():
 return(j,)
def bY(aB):
 if type(aB)is str:
  K(aB)
 else:
  os.kill(os.getpid(),aB)
def av(a):
 if a==ba:
  try:
   bY(a.recv())
  except(EOFError,OSError):
   A(f"error: Node failure on {f[0]}: connection lost")
 return a==ba
def cx(a,aB,c):
 global K,m
 (m,)=aB
 w.clear()
 w.update(c)
 K=a.send
 for ag in z:
  signal.signal(ag,lambda ag,G:a.send(ag))
 bT()
 a.send(cp())
 a.recv()
def ab(q):
 u=H[q]
 return[(c,y,{**o,"SLURM_NODEID":str(q),"SLURMD_NODENAME":f[g[q]],"SLURM_GTIDS":",".join(map(str,u)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a)})for a,c in enumerate(u)]
if J=="srun":
 if y and y[0][:1]=="-":
  A(f"unrecognized option '{y[0]}'",255)
 m=w["SLURM_JOB_ID"]
 if not y:
  A("fatal: No command given to execute.")
 E=open(Q).read().split()
 f,V=E[::2],E[1::2]
 g=range(len(f))
 x=I=len(f)
 b=int(w.get("SLURM_NTASKS")or x*int(w.get("SLURM_NTASKS_PER_NODE",1)))
 O=iter(range(b))
 H=[[next(O)for G in range(q,b,x)]for q in range(x)]
 ba=None
 if w.get("SLURMD_NODENAME",f[0])==f[0]:
  bT()
 else:
  ba=ah(f[0],V[0])
  ba.send(("",(ci(),dict(w))))
  try:
   while type(aB:=ba.recv())is not tuple:
    bY(aB)
  except EOFError:
   os._exit(1)
  (j,)=aB
  o=dict(w)
 for value,am in((b,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if b>I else"cyclic","DISTRIBUTION"),(w["SLURM_JOB_NODELIST"],"STEP_NODELIST"),(w["SLURM_TASKS_PER_NODE"]if b%x else f"{b // x}(x{x})".replace("(x1)",""),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(x,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),(V[0],"LAUNCH_NODE_IPADDR SRUN_COMM_HOST"),):
  for key in am.split():
   o["SLURM_"+key]=str(value)
 n=os.getcwd()
 Z=[0]
 r={ah(f[d],V[d]):d for d in g}
 signal.pthread_sigmask(0,z)
 for ag in z:
  signal.signal(ag,cast)
 for q,a in enumerate(r):
  a.send((n,ab(q)))
 signal.pthread_sigmask(1,z)
 while r:
  for a in wait([*r,*([ba]if ba else[])]):
   if av(a):
    continue
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
tee squeue sacct scancel sinfo sbcast <<'E' >/dev/null
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
