#!/bin/bash
# Startup script of job coupled.
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
    ((used_seconds < 7200)) || end_body

    ((used_seconds < 7230)) || kill -KILL -"$body_pid"
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

    node_list=$("$state_dir/bin/agent" 3 1 2 2>>/var/log/foundry/job.log) || not_started "cannot start" >>/var/log/foundry/job.log
    output_file=/workspace/slurm-1441399543.out
    # The first start empties the files, a later one goes on writing.
    [ "$start_count" ] || : >"$output_file"
    # The provider's log folder leads to the job's own output.
    ln -sf "$output_file" /var/log/foundry/job.log
    chmod 700 "$state_dir/slurm_script"

    job_state=RUNNING
    # What was to end when the power was cut does not begin again.
    ((used_seconds < 7200)) || end_state=TIMEOUT
    # One process watches, and does nothing in a trap.
    # Told to stop (shutdown, preemption): the next boot starts the job again.
    trap stop_asked=1 TERM
    # Job control gives each of its children a process group, and the signals of a fresh process.
    set -m
    launch() {
    # What a batch step of Slurm would find in its environment. What the user set comes last and wins.
    exec env -i -C /workspace PATH="$state_dir/bin:$PATH" LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TMPDIR=/tmp \
        HOSTNAME="$host_name" \
        SLURM_JOB_NODELIST="${node_list%%$'\n'*}" SLURM_NODELIST="${node_list%%$'\n'*}" \
        SLURM_JOB_NODELIST_HET_GROUP_0="$(sed -n 1p <<<"$node_list")" \
        SLURM_JOB_NODELIST_HET_GROUP_1="$(sed -n 2p <<<"$node_list")" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 7200 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        SLURM_JOB_ID=1441399543 \
        SLURM_JOBID=1441399543 \
        SLURM_JOB_NAME=coupled \
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
        SLURM_HET_SIZE=2 \
        SLURM_JOB_NAME_HET_GROUP_0=coupled \
        SLURM_JOB_NUM_NODES_HET_GROUP_0=1 \
        SLURM_JOB_CPUS_PER_NODE_HET_GROUP_0=4 \
        SLURM_TASKS_PER_NODE_HET_GROUP_0=4 \
        SLURM_NTASKS_HET_GROUP_0=4 \
        SLURM_NPROCS_HET_GROUP_0=4 \
        SLURM_GPUS_PER_NODE_HET_GROUP_0=h100:8 \
        SLURM_JOB_ID_HET_GROUP_0=1441399543 \
        SLURM_JOB_NAME_HET_GROUP_1=coupled \
        SLURM_JOB_NUM_NODES_HET_GROUP_1=2 \
        'SLURM_JOB_CPUS_PER_NODE_HET_GROUP_1=8(x2)' \
        'SLURM_TASKS_PER_NODE_HET_GROUP_1=8(x2)' \
        SLURM_NTASKS_HET_GROUP_1=16 \
        SLURM_NPROCS_HET_GROUP_1=16 \
        SLURM_NTASKS_PER_NODE_HET_GROUP_1=8 \
        SLURM_GPUS_PER_NODE_HET_GROUP_1=h100:8 \
        SLURM_JOB_ID_HET_GROUP_1=1441399544 \
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
import re
import itertools
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
def T(h):
 aD=[]
 for c in re.findall(r"(?:\[[^]]*]|[^][,\s])+",h):
  af=re.match(r"([^[]*)\[([^]]*)](.*)",c)
  if not af:
   aD.append(c)
   continue
  for aK in af[2].split(","):
   K,I,aW=aK.partition("-")
   aD+=[af[1]+str(C).zfill(len(K))+S for C in range(int(K),int(aW or K)+1)for S in T(af[3])or[""]]
 return aD
def ax(b):
 return",".join(f"{y}(x{len([*a])})"for y,a in itertools.groupby(b)).replace("(x1)","")
OPTIONS="n=ntasks N=nodes w=nodelist -=ntasks-per-node -=het-group -=gpus-per-task"
def aP(l):
 aD={}
 while l and l[0][:1]=="-"!=l[0]:
  c=l.pop(0)
  if c=="--":
   break
  try:
   a=c[1]=="-"
   o,aq,h=c[2:].partition("=")if a else(c[1],c[2:],c[2:])
   b=[g for g in OPTIONS.split()if(g[2:].startswith(o)if a else g[0]==o)]
   b=[g for g in b if g[2:]==o]or b
   (d,)=b
   if d[1]==".":
    if aq:
     l["1"if a else 0:0]=["-"+h]
    h="1"
   elif d[1]=="="and not aq:
    h=l.pop(0)
  except(ValueError,IndexError,TypeError):
   B(f"unrecognized option '{c}'",255)
  aD[d[2:]]=h
 return aD
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
  for aF in map(int,z[1:]):
   print(dD(f[:aF]))
   del f[:aF]
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
def bI(o):
 h=aq.get(o,"")
 try:
  return[f.index(c)for c in T(open(h).read()if"/"in h else h)]
 except ValueError:
  B(f"error: Unable to create step for job {p}: Requested node configuration is not available")
def cC(aW):
 p,c,a=aq.get("nodes",x.get("SLURM_NNODES")or"1").partition("-")
 b,a=p or c and"0",a if c else p
 if not(b.isdecimal()and a.isdecimal())or 0<int(a)<int(b):
  B(f'error: "{aq["nodes"]}" is not a valid node count',255)
 d=min(int(a)or int(b)or aW,max(int(b),aW))
 return int(b)or d,d
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
def bl(o,a=""):
 return sum(int(c.split(":")[-1])if c.split(":")[-1].isdecimal()else 1 for c in(Q(o,a)or"").split(",")if c and(o!="gres"or"gpu"in c))
def aJ(a,y):
 ag=aS[:aQ or aL*y or N]
 b=ag[a*aL:(a+1)*aL]or ag[:1]if aL and y>1 else ag
 bi=",".join(b)
 return{"CUDA_VISIBLE_DEVICES":bi,"SLURM_STEP_GPUS":bi,"SLURM_GPUS_ON_NODE":str(len(ag)),**({"SLURMD_TRES_BIND":"gpu:"+aO}if aO and y>1 else{})}
def cz(l):
 global aq,bb
 m=[[]]
 for c in l:
  if c==":":
   m.append([])
  else:
   m[-1].append(c)
 bb=[(aP(af),af)for af in m]
 for a,af in bb:
  if not af and bb[1:]:
   B("fatal: No command given to execute.")
 aq=bb[0][0]
 l[:]=m[0]
def dl(r):
 aN=f"_HET_GROUP_{r}"
 for o in[*x]:
  if o.endswith(aN):
   x[o[:-len(aN)].replace("FLOWC_SLURM","SLURM")]=x[o]
def dD(k):
 e=k[0].rstrip("0123456789")
 start=k[0][len(e):]
 i=[e+str(int(start or 0)+r).zfill(len(start))for r in range(len(k))]
 return f"{e}[{start}-{k[-1][len(e):]}]"if k[1:]and k==i else",".join(k)
def dj():
 global bR,dk,dF,aq
 dk=[]
 for bR in sorted(cX):
  b,dF=Pipe()
  d=os.fork()
  if not d:
   aq,z[:]=cX[bR]
   if dn or"SLURM_STEP_NODELIST"not in x:
    dl(bR)
    x["SLURM_NNODES"]=x["SLURM_JOB_NUM_NODES"]
   x["SLURM_JOB_CPUS_PER_NODE"]=x[f"SLURM_JOB_CPUS_PER_NODE_HET_GROUP_{bR}"]
   x["SLURM_JOB_ID"]=p
   return
  dF.close()
  try:
   dk.append(b.recv())
  except EOFError:
   os._exit(os.waitstatus_to_exitcode(os.waitpid(d,0)[1]))
  os.waitpid(d,0)
 x["SLURM_JOB_CPUS_PER_NODE"]=x[f"SLURM_JOB_CPUS_PER_NODE_HET_GROUP_{min(cX)}"]
 bR=-1
 aq={o:str(dc[-1])for o in("ntasks","nodes")}
def cZ(d):
 return x[f"SLURM_JOB_CPUS_PER_NODE_HET_GROUP_{sum(d >= a for a in dc[1:])}"].split("(")[0]
def dB(r,y):
 global aS,aL,aO,N,aQ
 if dk[1:]:
  aS,aL,aO,N,aQ,I=de[r]
  aS=aS[:aQ or aL*y or N]
 aD={"SLURM_CPUS_ON_NODE":cZ(g[r])}if dn else{}
 if"CUDA_VISIBLE_DEVICES"in q:
  aD["CUDA_VISIBLE_DEVICES"]=""
 return aD
def Q(o,a=""):
 return aq.get(o)or x.get("SLURM_"+(a or o.upper().replace("-","_")))
def C(o):
 value=aq.get(o,Q(o))or"0"
 if not value.isdecimal()or int(value)<(o in aq and o<"r"):
  B(f'error: Invalid numeric value "{value}" for --{o}.')
 return int(value)
def ac(r):
 u=J[r]
 return[(c,au.get(c,z),{**q,"SLURM_NODEID":str(r),"SLURMD_NODENAME":f[g[r]],"SLURM_GTIDS":",".join(map(str,u)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a),**dB(r,len(u)),**(aJ(a,len(u))if N or aL else{})})for a,c in enumerate(u)]
if L=="srun":
 cz(z)
 p=x["SLURM_JOB_ID"]
 if not z:
  B("fatal: No command given to execute.")
 dc,cX,dn=[0],{},bb[1:]
 while aF:=x.get(f"SLURM_JOB_NUM_NODES_HET_GROUP_{len(dc) - 1}"):
  dc.append(dc[-1]+int(aF))
 dI=len(dc)-2
 for r,(ds,af)in enumerate(bb):
  dK=ds.get("het-group",ds.get("pack-group"))
  dn=dn or dK is not None
  dK=str(r)if dK is None else dK
  dy=[]
  for aK in dK.strip("[]").split(","):
   cS,dg,dH=aK.lstrip().partition("-")
   dH=dH if dg else cS
   if not(cS.isdecimal()and dH.isdecimal())or int(cS)>int(dH):
    M(f"error: _parse_single_range: Invalid range: `{aK}'")
    B(f"error: Invalid --het-group value: {dK}")
   dy.append((int(cS),int(dH)))
  dJ=max(dH for I,dH in dy)
  if dJ>dI:
   if dy==[(dJ,dJ)]and not bb[1:]:
    B(f"error: Requested het-group offset exceeds highest hetjob index ({dJ} > {dI})")
   B(f"error: Attempt to run a job step with het group value of {dJ}, but the job allocation has maximum value of {dI}")
  for dq in{k for cS,dH in dy for k in range(cS,dH+1)}:
   if dq in cX:
    B("fatal: Duplicate het groups in single srun not supported")
   cX[dq]=ds,af
 dj()
 aG=int(x["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
 l=open(R).read().split()
 f,V=l[::2],l[1::2]
 if bR>=0:
  f,V=(k[dc[bR]:dc[bR+1]]for k in(f,V))
 g=range(len(f))
 K=aW=len(f)
 K,aW=cC(aW)
 a=C("ntasks")
 if 0<a<K:
  M(f"Warning: can't run {a} processes on {K} nodes, setting nnodes to {a}")
  K=a
 aW=max(K,min(aW,a or aW))
 if K>len(g):
  B(f"error: Only allocated {len(g)} nodes asked for {K}")
 bp=bI("nodelist")
 if"nodelist"in aq and not bp:
  B("error: Hostlist is empty!  Can not run job.")
 g=sorted((bp+[d for d in g if d not in bp])[:aW])
 k=C("ntasks-per-node")
 if not a or a==k*len(g):
  a=a or k*len(g)
  if k:
   x["SLURM_NTASKS_PER_NODE"]=str(k)
 elif aq.get("ntasks-per-node"):
  M(f"Warning: can't honor --ntasks-per-node set to {k} which doesn't match the requested tasks {a} "f"with the number of requested nodes {len(g)}. Ignoring --ntasks-per-node.")
 aH=1
 y=len(g)
 a=a or y
 if a>max(aG,os.cpu_count())//aH*y:
  B(f"error: Unable to create step for job {p}: More processors requested than permitted")
 P=iter(range(a))
 J=[[next(P)for I in range(r,a,y)]for r in range(y)]
 au={}
 aS=x.get("SLURM_JOB_GPUS","").replace(","," ").split()
 aL=bl("gpus-per-task")
 aO=f"per_task:{aL}"if aL else""
 N=int(x.get("FLOWC_STEP_GPUS",len(aS)))
 aQ=bl("gres")or bl("gpus-per-node")
 aX=bl("gpus")
 N=aQ or-(-aX//len(g))or N
 if(max(N,*(aL*len(af)for af in J))>len(aS)):
  B(f"error: Unable to create step for job {p}: Invalid generic resource (gres) specification")
 ag=[aG,K,a,J,[d+dc[bR]for d in g],(aS,aL,aO,N,aQ,aX)]
 if bR>=0:
  dF.send(ag)
  os._exit(0)
 aq=bb[0][0]
 aG,K,a,J,g,de=0,0,0,[],[],[]
 for dq,af in zip(sorted(cX),dk):
  ds,l=cX[dq]
  if k:=ds.get("cpus-per-task"):
   x["SLURM_CPUS_PER_TASK"]=k
  k=x.get(f"SLURM_NTASKS_PER_NODE_HET_GROUP_{dq}")
  if dn and k and af[2]==int(k)*len(af[4]):
   x["SLURM_NTASKS_PER_NODE"]=k
  aG=max(aG,af[0])
  K+=af[1]
  au.update({a+c:l for c in range(af[2])})
  J+=[[a+c for c in u]for u in af[3]]
  a+=af[2]
  g+=af[4]
  de+=[af[5]]*len(af[4])
 y=len(g)
 aS,aL,aO,N,aQ,aX=dk[0][5]
 if dk[1:]:
  K=y
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
 for value,ao in((a,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if a>K else"cyclic","DISTRIBUTION"),(x["SLURM_JOB_NODELIST"]if y==len(f)else",".join(f[d]for d in g),"STEP_NODELIST"),(ax(map(len,J)),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(y,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),(V[0],"LAUNCH_NODE_IPADDR SRUN_COMM_HOST"),):
  for o in ao.split():
   q["SLURM_"+o]=str(value)
 q["SLURM_STEP_NODELIST"]=dD([f[d]for d in g])
 if dn:
  dL=[cZ(d)for d in g]
  q.update(SLURM_JOB_NODELIST=q["SLURM_STEP_NODELIST"],SLURM_NODELIST=q["SLURM_STEP_NODELIST"],SLURM_JOB_NUM_NODES=str(y),SLURM_JOB_CPUS_PER_NODE=ax(dL)if dk[1:]else x["SLURM_JOB_CPUS_PER_NODE"])
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

# ---- the job's own script: 424 bytes ----

head -c 424 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# Two models that talk to each other in one step, each on nodes of its own: one bid for both components.
#SBATCH --job-name=coupled --time=2:00:00
#SBATCH --nodes=1 --ntasks=4 --gpus-per-node=h100:8
#SBATCH hetjob
#SBATCH --nodes=2 --ntasks-per-node=8 --gpus-per-node=h100:8
echo "ocean on $SLURM_JOB_NODELIST_HET_GROUP_0, air on $SLURM_JOB_NODELIST_HET_GROUP_1"
srun --het-group=0 ./ocean : --het-group=1 ./air
E
