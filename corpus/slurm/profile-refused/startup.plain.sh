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
    ((used_seconds < 3600)) || end_body

    ((used_seconds < 3630)) || kill -KILL -"$body_pid"
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

    node_list=$("$state_dir/bin/agent" 3 2>>/var/log/foundry/job.log) || not_started "cannot start" >>/var/log/foundry/job.log
    output_file=/workspace/slurm-5885248.out
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
    launch() {
    # What a batch step of Slurm would find in its environment. What the user set comes last and wins.
    exec env -i -C /workspace PATH="$state_dir/bin:$PATH" LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TMPDIR=/tmp \
        HOSTNAME="$host_name" \
        SLURM_JOB_NODELIST="$node_list" SLURM_NODELIST="$node_list" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 3600 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        SLURM_JOB_ID=5885248 \
        SLURM_JOBID=5885248 \
        SLURM_JOB_NAME=input.sbatch \
        SLURM_JOB_NUM_NODES=3 \
        SLURM_NNODES=3 \
        'SLURM_JOB_CPUS_PER_NODE=1(x3)' \
        SLURM_CPUS_ON_NODE=1 \
        'SLURM_TASKS_PER_NODE=1(x3)' \
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
        SLURM_JOB_PARTITION=dgx \
        BASH_ENV="$state_dir/trap" \
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
tee srun agent <<'E' >/dev/null
#!/usr/bin/python3 -IS
import os,signal,sys
import socket
import hmac,time
import select
from multiprocessing.connection import Connection,Pipe,wait
x=os.environ
L=os.path.basename(sys.argv[0])
z=sys.argv[1:]
R="/var/lib/foundry/flowc/nodes"
al="/var/lib/foundry/flowc/run"
bF="/var/lib/foundry/flowc/key"
Z=6818
A=1,2,3,10,12,15,18
def M(h):
 os.write(2,(L+": "+h+"\n").encode())
def B(h,m=1):
 M(h)
 os._exit(m)
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
  try:
   os.chdir(n)
  except OSError as i:
   a(f"couldn't chdir to `{n}': {i.strerror}: going to /tmp instead")
   os.chdir("/tmp")
  q["SLURM_TASK_PID"]=str(os.getpid())
  os.execvpe(l[0],l,q)
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
def bM(h):
 return b"".join(hmac.digest(open(o,"rb").read().strip(),h,"sha256")for o in(al,bF))
def ca(aD,h):
 aF=64 if os.path.getsize(bF)>64 else 32
 return aD[:aF]==bM(h)[:aF]
def ab(a):
 for Q in(1,18,1),(1,9,1),(6,4,30),(6,5,10),(6,18,120000):
  a.setsockopt(*Q)
 return Connection(a.detach())
def aj(o,k):
 for c in range(35):
  try:
   N=dict(map(str.split,open(R)))[socket.gethostname().split(".")[0]]
   a=socket.create_connection((k,Z),9,(N,0))
   a.settimeout(None)
   d=os.urandom(32)
   a.send(d+bM(b"s"+a.recv(32)))
   if not ca(a.recv(64,256),b"a"+d):
    raise OSError("secret")
   b=ab(a)
   return b
  except(OSError,EOFError)as i:
   if c==4:
    M(f"waiting for the agent of {o}: {i}")
  time.sleep(c)
 B(f"error: {o}: no agent after 10 minutes")
def cq(j,V,c):
 j.listen(4096)
 j.setblocking(False)
 e={}
 k=select.poll()
 k.register(j,1)
 while 1:
  for C,I in k.poll():
   try:
    if C not in e:
     a,D=j.accept()
     if D[0]in V:
      a.setsockopt(1,18,96)
      d=os.urandom(32)
      a.send(d)
      C=a.fileno()
      e[C]=a,d
      k.register(C,1)
     if len(e)<500:
      a=0
      continue
     C=[*e][0]
    k.unregister(C)
    a,d=e.pop(C)
    aD=a.recv(96,64)
    if ca(aD[32:],b"s"+d)and not os.fork():
     try:
      e.clear()
      signal.signal(17,0)
      a.send(bM(b"a"+aD[:32]))
      b=ab(a)
      ad(b)
     finally:
      os._exit(1)
    a.close()
   except OSError:
    pass
def agent():
 N=socket.gethostname().split(".")[0]
 for I in range(120):
  g=[H.split()[:2]for H in open("/etc/hosts")if H[:1].isdigit()and H[:3]!="127"][::-1]
  f=[o.split(".")[0]for I,o in g]
  if len(g)>=int(z[0])and N in f:
   break
  time.sleep(5)
 else:
  B(f"/etc/hosts does not list {N} and {z[0]} nodes after 10 minutes: {f}")
 open(R,"w").writelines(f"{o} {d[0]}\n"for o,d in zip(f,g))
 open(bF,"a")
 c=f.index(N)
 j=socket.create_server((g[c][0],Z))
 if not c and os.fork():
  e=N.rstrip("0123456789")
  K=f[0][len(e):]
  i=[e+str(int(K or 0)+r).zfill(len(K))for r in range(len(f))]
  print(f"{e}[{K}-{f[-1][len(e):]}]"if f==i else",".join(f))
  return
 os.dup2(2,1)
 signal.signal(17,1)
 cq(j,[socket.gethostbyname(k)for k,I in g],c)
def ad(b):
 n,a=b.recv()
 if not n:
  cG(b,*a)
 e,f={},{}
 signal.pthread_sigmask(0,A)
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
 try:
  while k:=wait([b,*f],None if e else 0):
   for D in k:
    if D==b:
     w=b.recv()
     w in signal.sigpending()or G(e,w)
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
def bW():
 an()
def co():
 return(p,)
def cw():
 return(j,)
def cb(aD):
 if type(aD)is str:
  M(aD)
 else:
  os.kill(os.getpid(),aD)
def az(b):
 if b==bd:
  try:
   cb(b.recv())
  except(EOFError,OSError):
   B(f"error: Node failure on {f[0]}: connection lost")
 return b==bd
def cG(b,aD,c):
 global M,p
 (p,)=aD
 x.clear()
 x.update(c)
 M=b.send
 for ai in A:
  signal.signal(ai,lambda ai,I:b.send(ai))
 bW()
 b.send(cw())
 b.recv()
def ac(r):
 u=J[r]
 return[(c,z,{**q,"SLURM_NODEID":str(r),"SLURMD_NODENAME":f[g[r]],"SLURM_GTIDS":",".join(map(str,u)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a)})for a,c in enumerate(u)]
if L=="srun":
 if z and z[0][:1]=="-":
  B(f"unrecognized option '{z[0]}'",255)
 p=x["SLURM_JOB_ID"]
 if not z:
  B("fatal: No command given to execute.")
 l=open(R).read().split()
 f,V=l[::2],l[1::2]
 g=range(len(f))
 y=K=len(f)
 a=int(x.get("SLURM_NTASKS")or y*int(x.get("SLURM_NTASKS_PER_NODE",1)))
 P=iter(range(a))
 J=[[next(P)for I in range(r,a,y)]for r in range(y)]
 bd=None
 if x.get("SLURMD_NODENAME",f[0])==f[0]:
  bW()
 else:
  bd=aj(f[0],V[0])
  bd.send(("",(co(),dict(x))))
  try:
   while type(aD:=bd.recv())is not tuple:
    cb(aD)
  except EOFError:
   os._exit(1)
  (j,)=aD
  q=dict(x)
 for value,ao in((a,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if a>K else"cyclic","DISTRIBUTION"),(x["SLURM_JOB_NODELIST"],"STEP_NODELIST"),(x["SLURM_TASKS_PER_NODE"]if a%y else f"{a // y}(x{y})".replace("(x1)",""),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(y,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),(V[0],"LAUNCH_NODE_IPADDR SRUN_COMM_HOST"),):
  for o in ao.split():
   q["SLURM_"+o]=str(value)
 n=os.getcwd()
 aa=[0]
 t={aj(f[d],V[d]):d for d in g}
 signal.pthread_sigmask(0,A)
 for ai in A:
  signal.signal(ai,cast)
 for r,b in enumerate(t):
  b.send((n,ac(r)))
 signal.pthread_sigmask(1,A)
 while t:
  for b in wait([*t,*([bd]if bd else[])]):
   if az(b):
    continue
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

# ---- the job's own script: 215 bytes ----

head -c 215 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# Three nodes of a partition that gives a job two at most: the cluster of the profile would have refused it.
#SBATCH --partition=dgx --nodes=3
#SBATCH --gres=gpu:8
#SBATCH --time=1:00:00
srun nvidia-smi
E
