#!/bin/bash
# Startup script of job serve-and-ask-het0.
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
KillMode=mixed
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

# ---- stop: the job is asked to end; what it was prepared with stays until it has ended ----

# Usage: end_body STATE SIGNALS. What is dead by now has ended by itself: it has no program any more. So has what then ends
# otherwise than by TERM though it did not catch TERM (SIGNALS: C), nor ignore it (I). Until its end it runs: state, exit
# status and signal are told at once.
end_body() {
    [ -z "$end_state" ] && [ -e "/proc/$body_pid/exe" ] || return
    end_state=$1
    grep -q "Sig[$2]g.*[4-7c-f]...$" "/proc/$body_pid/status" || must_die=1
    kill -TERM -"$body_pid"
    kill -CONT -"$body_pid"
}

# ---- time: counted over all starts; looked at every 5 seconds, and when something is due ----

on_time() {
    ((used_seconds < 3600)) || end_body TIMEOUT CI

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
    output_file=/workspace/slurm-692725072.out
    mkdir -p /workspace

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
        SLURM_JOB_NODELIST="$host_name" SLURM_NODELIST="$host_name" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 3600 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        SLURM_JOB_ID=692725072 \
        SLURM_JOBID=692725072 \
        SLURM_JOB_NAME=serve-and-ask-het0 \
        SLURM_JOB_NUM_NODES=1 \
        SLURM_NNODES=1 \
        SLURM_JOB_CPUS_PER_NODE=1 \
        SLURM_CPUS_ON_NODE=1 \
        SLURM_TASKS_PER_NODE=1 \
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
        SLURM_GPUS=h100:8 \
        SLURM_HET_SIZE=2 \
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
    # A stop that was not looked at yet leaves nothing to wait for.
    until
        save_state
        on_time
        read -rt "$wait_time" <&3 &
        # shellcheck disable=SC2086
        wait ${stop_asked:-$!}
        read -rt 0 <&3
    do
        ((stop_asked)) && stop_asked= && end_body PENDING C
    done
    read -r body_status <"$state_dir/life"
    read -r state_line <"$state_dir/death"
    ((body_signal = ${#state_line} && body_status > 128 ? body_status - 128 : 0))
    ((must_die && body_signal - 15)) && end_state=
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
tee srun <<'E' >/dev/null
#!/usr/bin/python3
import os,signal,sys
import fcntl,time
import itertools
from multiprocessing.connection import Connection,Pipe,wait
t=os.environ
H=os.path.basename(sys.argv[0])
x=sys.argv[1:]
y=1,2,3,10,12,15,18
def I(h):
 os.write(2,(H+": "+h+"\n").encode())
def z(h,a=1):
 I(h)
 os._exit(a)
def U(h):
 return h.replace(","," ").split()
def bk(c):
 a=[(u,len([*b]))for u,b in itertools.groupby(c)]
 return",".join(f"{u}(x{d})"if d>1 else str(u)for u,d in a)
OPTIONS="n=ntasks N=nodes w=nodelist -=ntasks-per-node -=gpus-per-task -=het-group"
def aG(D):
 g={}
 while D and D[0][:1]=="-"!=D[0]:
  c=D.pop(0)
  if c=="--":
   break
  try:
   a=c[1]=="-"
   s,ap,S=c[2:].partition("=")if a else(c[1],c[2:],c[2:])
   b=[i for i in OPTIONS.split()if(i[2:].startswith(s)if a else i[0]==s)]
   b=[i for i in b if i[2:]==s]or b
   (d,)=b
   if d[1]==".":
    if ap:
     D["1"if a else 0:0]=["-"+S]
    S="1"
   elif d[1]=="="and not ap:
    S=D.pop(0)
  except(ValueError,IndexError,TypeError):
   z(f"unrecognized option '{c}'",255)
  g[d[2:]]=S
 return g
def start(argv,q,l,*b):
 d=os.fork()
 if d:
  while os.getpgid(d)!=d:
   pass
  return d
 def a(h):
  os.write(2,f"slurmstepd-{q['SLURMD_NODENAME']}: error: {h}\n".encode())
 try:
  for p,r in enumerate(b):
   os.dup2(r,p)
  os.setsid()
  for p in 13,*y:
   signal.signal(p,signal.SIG_DFL)
  signal.pthread_sigmask(1,y)
  q["SLURM_TASK_PID"]=str(os.getpid())
  os.execvpe(argv[0],argv,q)
 except OSError as i:
  a(f"execve(): {argv[0]}: {i.strerror}")
  os._exit(i.errno)
def C(e):
 d=0
 while d not in e:
  d,a=os.wait()
 L([d],9)
 return e.pop(d),os.waitstatus_to_exitcode(a)
def L(e,p):
 for d in[*e]:
  try:
   os.killpg(d,p)
  except OSError:
   pass
def ae(a):
 l,b=a.recv()
 e,f={},{}
 o=[os.open("/dev/null",0)]
 for c,argv,q in b:
  g,j=os.pipe(),os.pipe()
  d=start(argv,q,l,o[0],g[1],j[1])
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
    r,c,h=f.pop(A)
    if not r:
     os.close(A)
     a.send((0,*C(e)))
     continue
    m=os.read(A,65536)
    h+=m
    J=h.rfind(b"\n")+1
    if not m or len(h)-J>9999:
     J=len(h)
    if J:
     a.send((r,c,h[:J]))
    if m:
     f[A]=r,c,h[J:]
    else:
     os.close(A)
  for T in f.values():
   if T[2]:
    a.send(T)
  a.send(())
  while 1:
   a.recv()
 except(EOFError,OSError):
  L(e,15)
  signal.signal(14,lambda*E:L(e,9))
  signal.alarm(30)
  while e:
   C(e)
def Z(B,*E):
 for a in o:
  try:
   a.send(B)
  except OSError:
   pass
def ab(d,c,a):
 if a:
  I(f"error: {f[d]}: task {c}: "+(f"Exited with exit code {a}"if a>0 else signal.strsignal(-a)))
  af.append(a if a>0 else 128-a)
def bq(s):
 h=ap.get(s,"")
 try:
  return[f.index(c)for c in U(open(h).read()if"/"in h else h)]
 except ValueError:
  z(f"error: Unable to create step for job {k}: Requested node configuration is not available")
def bE(d):
 try:
  g,*a=open(f"/proc/{d}/stat").read().rpartition(")")[2].split()
  return""if g=="Z"else a[18]
 except OSError:
  return""
def bQ(aI):
 global bb
 bb=az
 if P("exact")or"exclusive"in ap:
  bb=min(az,len(M[0])*aD)
 aK={}
 for d in sorted(aY,key=lambda d:(d not in aN,any(F[2]==str(d)for F in aI))):
  v=[]if P("overlap")else[F for F in aI if F[2]==str(d)]
  O=[s for s in aM if not any(s in F[4].split(",")for F in v)]
  if len(aK)<u and bb+sum(int(F[3])for F in v)<=az and len(O)>=aL:
   aK[d]=O[:aL]
 return aK
def ba(s,a=""):
 return sum(int(c.split(":")[-1])if c.split(":")[-1].isdecimal()else 1 for c in(P(s,a)or"").split(",")if c and(s!="gres"or c[:3]=="gpu"))
def aC(a,u):
 ah=aM[:aH*u or N]
 c=[ah[n%len(ah)]for n in range(a*aH,(a+1)*aH)]or ah
 aS=",".join(c)
 return{"CUDA_VISIBLE_DEVICES":aS,"SLURM_STEP_GPUS":aS,"SLURM_GPUS_ON_NODE":str(len(ah)),**({"SLURMD_TRES_BIND":"gpu:"+aA}if aA and u>1 else{})}
def ca(D):
 global ap,aR
 b=[[]]
 for c in D:
  if c==":":
   b.append([])
  else:
   b[-1].append(c)
 aR=[(aG(ax),ax)for ax in b]
 for a,ax in aR:
  if set("123456789")&{*a.get("het-group","")}:
   z(f"error: Requested het-group offset exceeds highest hetjob index ({a['het-group']} > 0)")
  if not ax and aR[1:]:
   z("fatal: No command given to execute.")
 ap=aR[0][0]
 D[:]=b[0]
 if aR[1:]:
  ap.setdefault("nodes","1")
def bV(a):
 global ap,g,M,b,u,au,aY,aN
 h,g,M,b,au=[*range(len(f))],[],[],0,{}
 for ap,ax in a:
  ay=int(ap.get("nodes","1").split("-")[0])
  e=p("ntasks")or ay
  ay=min(ay,e)
  ah=bq("nodelist")if"nodelist"in ap else h[:ay]
  if ay>len(ah)or not{*ah}<={*h}:
   z(f"error: Allocation failure of {ay} nodes: job size of {len(f)}, "f"already allocated {len(f) - len(h)} nodes to previous components.")
  h=[d for d in h if d not in ah]
  g+=ah
  O=iter(range(b,b+e))
  M+=[[next(O)for E in range(n,e,len(ah))]for n in range(len(ah))]
  au.update({c:ax for c in range(b,b+e)})
  b+=e
 ap=a[0][0]
 u=len(g)
 g,M=[*map(list,zip(*sorted(zip(g,M))))]
 aY=aN=g
def P(s,a=""):
 return ap.get(s)or t.get("SLURM_"+(a or s.upper().replace("-","_")))
def p(s):
 S=P(s)or"0"
 if not S.isdecimal()or int(S)<(s in ap and s<"r"):
  z(f'error: Invalid numeric value "{S}" for --{s}.')
 return int(S)
def ag(n):
 v=M[n]
 global aM
 aM=aK[g[n]]
 return[(c,au.get(c,x),{**q,"SLURM_NODEID":str(n),"SLURMD_NODENAME":f[g[n]],"SLURM_GTIDS":",".join(map(str,v)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a),**({"SLURM_CPUS_ON_NODE":str(len(v)*aD)}if ap.get("cpus-per-task")or P("exact")or("exclusive"in ap)else{}),**(aC(a,len(v))if N or aH else{})},)for a,c in enumerate(v)]
if H=="srun":
 ca(x)
 k=t["SLURM_JOB_ID"]
 if not x:
  z("fatal: No command given to execute.")
 az=int(t["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
 f=[t["SLURM_JOB_NODELIST"]]
 g=range(len(f))
 G=aj=len(f)
 aE,E,bM=(P("nodes","NNODES")or"1").partition("-")
 if not(aE+bM).isdecimal():
  z(f'error: "{ap["nodes"]}" is not a valid node count',255)
 G,aj=int(aE),min(int(bM or aE),aj)
 b=p("ntasks")
 if 0<b<G:
  I(f"Warning: can't run {b} processes on {G} nodes, setting nnodes to {b}")
  G=b
 aj=max(G,min(aj,b or aj))
 if G>len(g):
  z(f"error: Only allocated {len(g)} nodes asked for {G}")
 aY,aN=g,()
 bn=bq("nodelist")
 aY,aN=[*{*bn,*g}],bn
 g=sorted((bn+[d for d in g if d not in bn])[:aj])
 h=p("ntasks-per-node")if P("ntasks-per-node")else 0
 if not b or b==h*len(g):
  b=b or h*len(g)
  if h:
   t["SLURM_NTASKS_PER_NODE"]=str(h)
 elif ap.get("ntasks-per-node"):
  I(f"Warning: can't honor --ntasks-per-node set to {h} which doesn't match the requested tasks {b} "f"with the number of requested nodes {len(g)}. Ignoring --ntasks-per-node.")
 aD=1
 u=len(g)
 b=b or u
 if b>az//aD*u:
  z(f"error: Unable to create step for job {k}: More processors requested than permitted")
 O=iter(range(b))
 M=[[next(O)for E in range(n,b,u)]for n in range(u)]
 au={}
 if aR[1:]:
  bV(aR)
 aM=t.get("SLURM_JOB_GPUS","").split(",")if t.get("SLURM_JOB_GPUS")else[]
 aH=ba("gpus-per-task")
 aA=""
 if aH and not aA:
  aA=f"per_task:{aH}"
 N=int(t.get("FLOWC_STEP_GPUS",len(aM)))
 bv=(max([ba(s)for s in("gpus-per-node","gres")if s in ap]or[0])or ba("gpus-per-node")or ba("gres")or-(-ba("gpus")//len(g)))
 aL=bv or aH*len(M[0])or N
 N=bv or N
 if max(N,*(aH*len(ax)for ax in M))>len(aM):
  z(f"error: Unable to create step for job {k}: Invalid generic resource (gres) specification")
 try:
  bG=open("/run/flowc.step."+k).read().split()[int(t["SLURM_STEP_ID"])]
 except(LookupError,OSError,ValueError):
  bG=""
 V=0
 while 1:
  with open("/run/flowc.use."+k,"a+")as aq:
   fcntl.flock(aq,2)
   aq.seek(0)
   aI=[F for F in aq if bE(F.split()[0])==F.split()[1]]
   aK=bQ([F.split()for F in aI if F.split()[0]!=bG])
   if len(aK)==u:
    aI+=[f"{os.getpid()} {bE(os.getpid())} {d} {0 if P('overlap') else bb} {','.join(aK[d]) or '-'}\n"for d in aK]
   aq.truncate(0)
   aq.writelines(aI)
  if len(aK)==u:
   break
  if not V:
   V=1
   I(f"Job {k} step creation temporarily disabled, retrying (Requested nodes are busy)")
  time.sleep(0.1)
 if V:
  I(f"Step created for job {k}")
 g=sorted(aK)
 with open("/run/flowc.step."+k,"ab",0)as K:
  K.write(b"%9d\n"%os.getpid())
  j=K.tell()//10-1
 q=dict(t)
 for S,am in((b,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if b>G else"cyclic","DISTRIBUTION"),(t["SLURM_JOB_NODELIST"]if u==len(f)else",".join(f[d]for d in g),"STEP_NODELIST"),(bk(map(len,M)),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(u,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),):
  for key in am.split():
   q["SLURM_"+key]=str(S)
 l=os.getcwd()
 af=[0]
 o={}
 signal.pthread_sigmask(0,y)
 for an in y:
  signal.signal(an,Z)
 a,ad=Pipe()
 if not os.fork():
  os.setsid()
  a.close()
  try:
   ae(ad)
  finally:
   os._exit(0)
 ad.close()
 o[a]=0
 for n,a in enumerate(o):
  a.send((l,ag(n)))
 signal.pthread_sigmask(1,y)
 while o:
  for a in wait([*o]):
   d=o[a]
   try:
    B=a.recv()
   except(EOFError,OSError)as i:
    z(f"error: Node failure on {f[d]}: {i or 'connection lost'}")
   if not B:
    del o[a]
    continue
   r,c,m=B
   if not r:
    ab(d,c,m)
    continue
   try:
    while m:
     m=m[os.write(r,m):]
   except OSError as i:
    z(f"error: cannot write: {i.strerror}")
 os._exit(max(af))
globals()[H]()
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

# ---- the job's own script: 256 bytes ----

head -c 256 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# Two components: a large node that serves, a small one that asks.
#SBATCH --job-name=serve-and-ask
#SBATCH --gpus=h100:8 --time=1:00:00
#SBATCH hetjob
#SBATCH --gpus=1
srun --het-group=0 python serve.py &
srun --het-group=1 python ask.py
wait
E
