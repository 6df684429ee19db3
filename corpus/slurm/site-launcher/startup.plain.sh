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
KillMode=mixed
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
    ((used_seconds < 7200)) || end_body TIMEOUT CI

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
    output_file=/workspace/slurm-1171201245.out
    mkdir -p /workspace

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
        SLURM_JOB_NODELIST="$host_name" SLURM_NODELIST="$host_name" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 7200 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        "BASH_FUNC_module%%=() $module_text" \
        SLURM_JOB_ID=1171201245 \
        SLURM_JOBID=1171201245 \
        SLURM_JOB_NAME=coupled \
        SLURM_JOB_NUM_NODES=1 \
        SLURM_NNODES=1 \
        SLURM_JOB_CPUS_PER_NODE=16 \
        SLURM_CPUS_ON_NODE=16 \
        SLURM_TASKS_PER_NODE=16 \
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
        SLURM_GPUS_ON_NODE=8 \
        SLURM_JOB_GPUS=0,1,2,3,4,5,6,7 \
        CUDA_VISIBLE_DEVICES=0,1,2,3,4,5,6,7 \
        SLURM_GPUS_PER_NODE=h100:8 \
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
tee srun ibrun <<'E' >/dev/null
#!/usr/bin/python3 -IS
import os,signal,sys
import fcntl,select
import itertools
import socket
from multiprocessing.connection import Connection,Pipe,wait
x=os.environ
L=os.path.basename(sys.argv[0])
z=sys.argv[1:]
A=1,2,3,10,12,15,18
def M(h):
 os.write(2,(L+": "+h+"\n").encode())
def B(h,m=1):
 M(h)
 os._exit(m)
def ax(b):
 return",".join(f"{y}(x{len([*a])})"for y,a in itertools.groupby(b)).replace("(x1)","")
OPTIONS="n=ntasks N=nodes r=relative -=ntasks-per-node -.overlap -=mpi -=gpus-per-task"
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
def cy(o,n,c):
 d=[n]if o[0]=="."else c.split(":")*("/"not in o)
 return next((path for r in d if os.access(path:=os.path.join(r,o),1)),o)
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
  q["SLURM_TASK_PID"]=str(os.getpid())
  l[0]=cy(l[0]or" ",n,q.get("PATH",""))
  os.execve(l[0],l,q)
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
def ch():
 global at
 at=Q("mpi","MPI_TYPE")or("pmi2")
 if at=="list":
  b=["MPI plugin types are...","none"]
  b.append("pmi2")
  os.write(1,"\n\t".join(b+[""]).removesuffix("\t").encode())
  os._exit(0)
 x.pop("SLURM_MPI_TYPE",0)
 if at=="pmi2":
  x["SLURM_MPI_TYPE"]=at
  return
 if at not in("none","openmpi"):
  B(f"error: Invalid MPI type '{at}', --mpi=list for acceptable types")
def cv():
 aD=[[0,0,0]]
 for I,r in sorted((c,r)for r,u in enumerate(J)for c in u):
  if aD[-1][0]==r and aD[-1][1]:
   aD[-1][2]+=1
  else:
   aD.append([r,1,1])
 for a,af in[*zip(aD,aD[1:])][::-1]:
  if a[0]+1==af[0]and a[2]==af[2]:
   a[1]+=af[1]
   aD.remove(af)
 return"(vector"+"".join(",(%d,%d,%d)"%(*af,)for af in aD[1:])+")"
bA,bn={},{}
def cj(b,v,f,s):
 if v>5:
  aE,o,a=s
  if"unp"in aE:
   a=bn.pop(o,"")
  else:
   a=bn.get(o,"")if"look"in aE else""if o in bn else bn.setdefault(o,a)
  b.send([f,aE,a])
  return
 if v>4:
  M("Job step aborted: Waiting up to 32 seconds for job step to finish.")
  cast(9)
 else:
  bA[b]=s
 if len(bA)==y:
  cast({key:value for af in bA.values()for key,value in af.items()})
  bA.clear()
bh={}
ar,bH,bz,bQ={},{},[],[]
def bo(f,h,value=None):
 aN=";"if bh[f][2]else" "
 h="cmd="+h.replace(" ",aN)+(aN+"value="+value if value is not None else"")
 try:
  os.write(f,(f"{len(h) + 1:<6}{h};"if aN==";"else h+"\n").encode())
 except OSError:
  pass
def tell(f,aE,key):
 value=ar.get(key)
 aD=f"{aE}-response rc=0 found="+("TRUE"if value else"FALSE")
 bo(f,aD if bh[f][2]else f"get_result rc={int(not value)}",value)
def listen(f,b):
 i=bh[f]
 try:
  s=os.read(f,65536)
 except OSError:
  s=b""
 i[1]+=s
 while s:
  h,a=i[1:3]
  ah=b"endcmd\n"if h[:5]==b"mcmd="else b"\n"
  aF=int(h[:6]or 0)+6 if a else h.find(ah)+1 and h.find(ah)+len(ah)
  if not aF or aF>len(h):
   break
  i[1]=h[aF:]
  l=h[6*a:aF].decode().strip("\n;").split(";"if a else" ")
  if not cr(f,b,dict(c.partition("=")[::2]for c in l)):
   return
 return s
def cr(f,b,j):
 c,I,a,q=bh[f]
 aE,key,value=j.get("cmd","spawn"),j.get("key"),j.get("value")
 aF,o=q["SLURM_NTASKS"],q["PMI_JOBID"]
 e={"fullinit":f"rank={c} size={aF} appnum=-1 pmi-version=2 pmi-subversion=0 debugged=FALSE pmiverbose=FALSE","job-getid":"jobid="+o,"get_maxes":"kvsname_max=256 keylen_max=64 vallen_max=1024","get_universe_size":"size="+aF,"get_appnum":"appnum=-1","get_my_kvsname":"kvsname="+o,"put":"","kvs-put":"","info-putnodeattr":"","finalize":""}
 if aE=="init":
  i=bh[f]
  a=int(j.get("pmi_version")=="2")
  bo(f,f"response_to_init rc=0 pmi_version={1 + a} pmi_subversion={1 - a}")
  i[2]=a
 elif aE in e:
  if"put"in aE:
   (ar if aE[0]=="i"else bH)[key]=value
  d="-response"if a else"_result"if aE=="put"else"_ack"if aE=="finalize"else""
  bo(f,(aE.removeprefix("get_")+d+" rc=0 "+e[aE]).strip())
  for g in bQ[:]:
   if g[2]in ar:
    bQ.remove(g)
    tell(*g)
  return aE!="finalize"
 elif j.get("wait")=="TRUE"and key not in ar:
  bQ.append((f,aE,key))
 elif key and"get"in aE:
  tell(f,aE,key)
 elif aE in("barrier_in","kvs-fence"):
  bz.append(f)
  if len(bz)==len(q["SLURM_GTIDS"].split(",")):
   b.send((4,0,{**bH}))
   bH.clear()
 elif"publish"in aE or"lookup"in aE:
  b.send((6,f,(aE,j.get("service")or j.get("name"),j.get("port"))))
 elif aE=="abort":
  b.send((5,0,0))
 else:
  b.send((2,c,f"slurmstepd-{q['SLURMD_NODENAME']}: error: mpi/pmi2: {aE} is not served here\n".encode()))
  bo(f,aE+("-response"if a else"_result")+" rc=1 errmsg=not_served")
 return 1
def bL(c,q):
 ag,t=(k.detach()for k in socket.socketpair())
 os.set_inheritable(t,True)
 q["PMI_FD"]=str(t)
 ar.update(PMI_process_mapping=q.pop("SLURM_PMI2_PROC_MAPPING"),universeSize=q["SLURM_NTASKS"])
 bh[ag]=[c,b"",0,q]
 return ag,t
def cJ(f,aE,a):
 b="look"in aE and a or None
 if bh[f][2]:
  bo(f,f"{aE}-response rc={int(not a)}",b)
 else:
  aD="ok"if a else"fail"
  bo(f,aE.replace("name","result info="+aD)+(" port="+b if b else""))
def cK(w):
 if type(w)is list:
  cJ(*w)
  return
 ar.update(w)
 for f in bz:
  bo(f,("kvs-fence-response"if bh[f][2]else"barrier_out")+" rc=0")
 bz.clear()
def ad(b):
 n,a=b.recv()
 e,f={},{}
 o=[os.open("/dev/null",0)]
 for c,l,q in a:
  g,j=os.pipe(),os.pipe()
  u=q.get("SLURM_PMI2_PROC_MAPPING")
  if u:
   ag,t=bL(c,q)
   f[ag]=4,c,b""
  d=start(l,q,n,o[0],g[1],j[1])
  if u:
   os.close(t)
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
     if type(w)in(dict,list):
      cK(w)
      continue
     G(e,w)
     continue
    v,c,h=f.pop(D)
    if not v:
     os.close(D)
     b.send((0,*F(e)))
     continue
    if v>3:
     if listen(D,b):
      f[D]=v,c,b""
     else:
      os.close(D)
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
cQ={"n":"n","np":"n","o":"o"}
def ibrun():
 l,j=z,["srun"]
 aq={"o":0}
 while l and l[0][0]=="-":
  o,by,value=l.pop(0).strip("-").partition("=")
  if o=="v":
   continue
  try:
   aq[cQ[o]]=int(value or l.pop(0))
  except(KeyError,ValueError,IndexError):
   B(f"unrecognized option '-{o} {value}'")
 if"n"in aq:
  k,y,p=int(x["SLURM_TASKS_PER_NODE"].split("(")[0]),aq["n"],aq["o"]
  j+=[f"-n{y}",f"-r{p // k}",f"-N{-(-(p % k + y) // k)}","--overlap"]
 while l and l[0]in("tacc_affinity","task_affinity"):
  l.pop(0)
 os.execvp("srun",j+l)
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
def cC(aW):
 p,c,a=aq.get("nodes",x.get("SLURM_NNODES")or"1").partition("-")
 b,a=p or c and"0",a if c else p
 if not(b.isdecimal()and a.isdecimal())or 0<int(a)<int(b):
  B(f'error: "{aq["nodes"]}" is not a valid node count',255)
 d=min(int(a)or int(b)or aW,max(int(b),aW))
 return int(b)or d,d
def bX(d):
 try:
  i,*j=open(f"/proc/{d}/stat").read().rpartition(")")[2].split()
  return""if i=="Z"else j[18]
 except OSError:
  return""
def cH():
 global aU,bf,aZ
 try:
  bC=open("/run/flowc.step."+p).read().split()[int(x["SLURM_STEP_ID"])]
 except(LookupError,OSError,ValueError):
  bC=""
 aU=bf=aZ=0
 m=""
 while 1:
  with open("/run/flowc.use."+p,"a+")as b:
   fcntl.flock(b,2)
   b.seek(0)
   e=[H for H in b if bX(H.split()[0])==H.split()[1]]
   cn([H.split()for H in e if H.split()[0]!=bC])
   if bc:
    e+=[f"{os.getpid()} {bX(os.getpid())} {d} "+("0 -\n"if Q("overlap")else f"{j} {','.join(ag) or '-'}\n")for d,(j,ag)in bc.items()]
   b.truncate(0)
   b.writelines(e)
  if bc:
   break
  M(f"Job {p} step creation {m or 'temporarily'} disabled, retrying (Requested nodes are busy)")
  m="still"
  try:
   a=[os.pidfd_open(int(H.split()[0]))for H in e]
  except OSError:
   continue
  select.select(a,[],[])
  for k in a:
   os.close(k)
 if m:
  M(f"Step created for job {p}")
def cn(e):
 global aU,bf,g,y,J,aZ,bc
 bc={}
 aZ=aH*a
 aU,bf={},{}
 for h in be:
  t=[]if Q("overlap")else[H for H in e if H[2]==str(h)]
  w=sum(int(H[3])for H in t)
  m=0 if w and not aT else aG-w
  bf[h]=[o for o in aS if not any(o in H[4].split(",")for H in t)]
  if len(bf[h])<max(aQ,aL,aX if upper<2 else aX>0):
   m=0
  elif aL:
   m=min(m,-(-len(bf[h])//aL)*aH)
  if m>=(aH if aZ else 1):
   aU[h]=m//aH*aH or m
 if not{*aR}<={*aU}:
  return
 aM=[*aR]
 if len(aR)>K:
  aU,aM={d:aU[d]for d in aR},[]
 def p(l):
  return sum(aU[d]for d in l)
 q=max(K,-(-aZ//aG))
 i=[d for d in aU if d not in aM]
 u=[d for d in i if not any(H[2]==str(d)for H in e)]
 if"relative"in aq:
  u=[]
 for l in u,i:
  if len(aM)<q<=len(aM)+len(l):
   j=min(max(upper,q)-len(aM),len(l))
   x=-(-max(0,aZ-p(aM))//j)
   l=aM+sorted(l,key=lambda d:aU[d]<x and aG-aU[d])[:j]
   if p(l)>=aZ:
    aM=l
 for d in i:
  if p(aM)<aZ and len(aM)<upper and d not in aM:
   aM.append(d)
 if len(aM)<q or p(aM)<aZ or sum(len(bf[d])for d in aM)<aX:
  return
 g=sorted(aM)
 y=len(g)
 s=[0]*y
 for n in range(a):
  z=[k for k in range(y)if aU[g[k]]//aH>n]or range(y)
  for k in z[:a-sum(s)]:
   s[k]+=1
 f=[(n,k)for k in range(y)for n in range(s[k])]
 J=[[c for c,n in enumerate(f)if n[1]==k]for k in range(y)]
 r=aX
 for k,which in enumerate(g):
  v=aQ or aL*len(J[k])or min(len(bf[which]),r-y+k+1)*(r>0)
  bc[which]=len(J[k])*aH*(aZ>0)if aT else aG,bf[which][:v]
  r-=v
def an():
 global j,q
 with open("/run/flowc.step."+p,"ab",0)as a:
  a.write(b"%9d\n"%os.getpid())
  j=a.tell()//10-1
 q=dict(x)
def bl(o,a=""):
 return sum(int(c.split(":")[-1])if c.split(":")[-1].isdecimal()else 1 for c in(Q(o,a)or"").split(",")if c and(o!="gres"or"gpu"in c))
def aJ(a,y):
 ag=aS
 b=ag[a*aL:(a+1)*aL]or ag[:1]if aL and y>1 else ag
 bi=",".join(b)
 return{"CUDA_VISIBLE_DEVICES":bi,"SLURM_STEP_GPUS":bi,"SLURM_GPUS_ON_NODE":str(len(ag)),**({"SLURMD_TRES_BIND":"gpu:"+aO}if aO and y>1 else{})}
def Q(o,a=""):
 return aq.get(o)or x.get("SLURM_"+(a or o.upper().replace("-","_")))
def C(o):
 value=aq.get(o,Q(o))or"0"
 if not value.isdecimal()or int(value)<(o in aq and o<"r"):
  B(f'error: Invalid numeric value "{value}" for --{o}.')
 return int(value)
def ac(r):
 u=J[r]
 global aS
 j,aS=bc[g[r]]
 return[(c,z,{**q,"SLURM_NODEID":str(r),"SLURMD_NODENAME":f[g[r]],"SLURM_GTIDS":",".join(map(str,u)),"SLURM_PROCID":str(c),"SLURM_LOCALID":str(a),**({"PMI_RANK":str(c)}if at=="pmi2"else{}),**({"SLURM_CPUS_ON_NODE":str(j or len(u))}if aT else{}),**(aJ(a,len(u))if aS and(N or aL)else{})})for a,c in enumerate(u)]
if L=="srun":
 aq=aP(z)
 p=x["SLURM_JOB_ID"]
 ch()
 if not z:
  B("fatal: No command given to execute.")
 aG=int(x["SLURM_JOB_CPUS_PER_NODE"].split("(")[0])
 f=[x["SLURM_JOB_NODELIST"]]
 g=range(len(f))
 K=aW=len(f)
 K,aW=cC(aW)
 a=C("ntasks")
 if 0<a<K:
  M(f"Warning: can't run {a} processes on {K} nodes, setting nnodes to {a}")
  K=a
 aW=max(K,min(aW,a or aW))
 bD=C("relative")
 if bD and bD+K>len(f):
  B(f"error: --relative and --nodes option incompatible with count of allocated nodes ({bD}+{K}>{len(f)})")
 g=g[bD:]
 if K>len(g):
  B(f"error: Only allocated {len(g)} nodes asked for {K}")
 be,aR,upper=g,(),aW
 g=g[:aW]
 k=C("ntasks-per-node")
 if not a or a==k*len(g):
  a=a or k*len(g)
  if k:
   x["SLURM_NTASKS_PER_NODE"]=str(k)
 elif aq.get("ntasks-per-node"):
  M(f"Warning: can't honor --ntasks-per-node set to {k} which doesn't match the requested tasks {a} "f"with the number of requested nodes {len(g)}. Ignoring --ntasks-per-node.")
 aH=1
 aT=Q("exact")or{"exclusive","SLURM_EXCLUSIVE"}&{*aq,*x}
 y=len(g)
 a=a or y
 if a>aG//aH*y:
  aG=max(aG,os.cpu_count())
 if a>max(aG,os.cpu_count())//aH*y:
  B(f"error: Unable to create step for job {p}: More processors requested than permitted")
 P=iter(range(a))
 J=[[next(P)for I in range(r,a,y)]for r in range(y)]
 aS=x.get("SLURM_JOB_GPUS","").replace(","," ").split()
 aL=bl("gpus-per-task")
 aO=f"per_task:{aL}"if aL else""
 N=int(x.get("FLOWC_STEP_GPUS",len(aS)))
 aQ=bl("gres")or bl("gpus-per-node")
 aX=bl("gpus")
 N=aQ or-(-aX//len(g))or N
 aQ=aQ or(not aX and not aL)*N
 if(max(N,*(aL*len(af)for af in J))>len(aS)or 0<aX<K):
  B(f"error: Unable to create step for job {p}: Invalid generic resource (gres) specification")
 cH()
 an()
 for value,ao in((a,"NTASKS NPROCS STEP_NUM_TASKS"),("block"if a>K else"cyclic","DISTRIBUTION"),(x["SLURM_JOB_NODELIST"]if y==len(f)else",".join(f[d]for d in g),"STEP_NODELIST"),(ax(map(len,J)),"TASKS_PER_NODE STEP_TASKS_PER_NODE"),(y,"NNODES STEP_NUM_NODES"),(j,"STEPID STEP_ID"),):
  for o in ao.split():
   q["SLURM_"+o]=str(value)
 if at=="pmi2":
  q.update(PMI_SIZE=str(a),PMI_JOBID=f"{p}.{j}",SLURM_PMI2_PROC_MAPPING=cv())
 n=os.getcwd()
 aa=[0]
 t={}
 signal.pthread_sigmask(0,A)
 for ai in A:
  signal.signal(ai,cast)
 b,ae=Pipe()
 if not os.fork():
  os.setsid()
  b.close()
  try:
   ad(ae)
  finally:
   os._exit(1)
 ae.close()
 t[b]=0
 for r,b in enumerate(t):
  b.send((n,ac(r)))
 signal.pthread_sigmask(1,A)
 while t:
  for b in wait([*t]):
   d=t[b]
   try:
    w=b.recv()
   except(EOFError,OSError)as i:
    B(f"error: Node failure on {f[d]}: {i or 'connection lost'}")
   if not w:
    del t[b]
    continue
   v,c,s=w
   if v>3:
    cj(b,v,c,s)
    continue
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

# ---- module: there are no environment modules here, but what they stand for may be installed ----

# Usage: module SUBCOMMAND [NAME...]. A name of which no part is a program here is told once. That is no failure: the job
# may do without it, and `set -e` would end it before anybody knows. Subcommands that the job does not use are left out.
module() {
    local IFS=/ module_verb module_name module_part
    module_verb=${1-}
    [ $# = 0 ] || shift
    case $module_verb in
    load) ;;
    *) return 0 ;;
    esac
    for module_name; do
        [[ :${LOADEDMODULES-}: = *:"$module_name":* ]] && continue
        export LOADEDMODULES="${LOADEDMODULES:+$LOADEDMODULES:}$module_name"
        for module_part in ${module_name,,}; do
            case $module_part in
            openmpi* | mpi | mpich* | cray-mpich | impi | intelmpi | mvapich2 | hpcx*) module_part=mpirun ;;
            esac
            type -P "$module_part" >/dev/null && continue 2
        done
        module_verb=${BASH_SOURCE[1]##*/} module_part=${BASH_LINENO[0]}
        [ "$module_verb" != slurm_script ] || module_verb=input.sbatch

        echo "flowc: $module_verb:$module_part: module $module_name is not on this machine" >&2
    done
}

# The job's bash takes functions from its environment.
module_text=$(declare -f module | tail -n +2)

# ---- the job's own script: 364 bytes ----

head -c 364 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# A site's own launcher of MPI: two programs beside each other, each with half of the tasks, then one with all.
#SBATCH -J coupled
#SBATCH -N 1 -n 16
#SBATCH --gpus-per-node=h100:8
#SBATCH -t 02:00:00

module load impi
ibrun -n 8 -o 0 tacc_affinity ./ocean ocean.in >ocean.log &
ibrun -n 8 -o 8 tacc_affinity ./ice ice.in >ice.log &
wait
ibrun ./merge
E
