#!/bin/bash
# Startup script of job benchmarks.
#
# This is the script as a person reads it. What is sent is the same text without comments and with shorter names,
# compressed; it unpacks itself to /var/lib/foundry/flowc/run and goes on there.
#
#   run               installs the job: writes the systemd unit and starts it
#   run job           runs the job (called by the unit, on this boot and on every later one until the job has ended)
#   status.json       how often the job was started, seconds used, state, exit status, times
#   body      the job's own script
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
After=network-online.target docker.service
[Service]
ExecStart=/bin/bash $0 job
IgnoreSIGPIPE=no
OOMPolicy=continue
KillMode=mixed
TimeoutStopSec=90
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

stop_body() {
    docker stop -t 30 flowc
    kill -TERM -"$body_pid"
    kill -CONT -"$body_pid"
}

# Usage: end_body STATE SIGNALS. What is dead by now has ended by itself: it has no program any more. So has what then ends
# otherwise than by TERM though it did not catch TERM (SIGNALS: C), nor ignore it (I). Until its end it runs: state, exit
# status and signal are told at once.
end_body() {
    [ -z "$end_state" ] && [ -e "/proc/$body_pid/exe" ] || return
    end_state=$1
    grep -q "Sig[$2]g.*[4-7c-f]...$" "/proc/$body_pid/status" || must_die=1
    (stop_body &)
}

# ---- helpers of the start ----

# Usage: give_up MESSAGE. The message goes to the job's output for errors.
give_up() {
    echo "flowc: $*" >&2
    exit 1
}

# Usage: try_often COMMAND... Up to five times, 10 seconds apart.
try_often() {
    for _ in {1..5}; do
        "$@" && return
        sleep 10
    done
    give_up "five attempts failed: $*"
}

install_package() {
    echo "flowc: installs $1"
    apt-get -qq update
    apt-get -qqy --no-install-recommends -o DPkg::Lock::Timeout=600 install "$1" >/dev/null
}

# Usage: need_program PROGRAM PACKAGE. Installs what the image has not.
need_program() {
    command -v "$1" >/dev/null || try_often install_package "$2"
}

# Usage: add_source PACKAGE KEY_URL SOURCE. A package that Ubuntu does not have.
add_source() {
    curl -fsSLo "/usr/share/keyrings/$1.asc" "$2" || return
    echo "deb [signed-by=/usr/share/keyrings/$1.asc] $3" >"/etc/apt/sources.list.d/$1.list"
    install_package "$1"
}

# ---- run: called by the unit ----

run_job() {
    host_name=${HOSTNAME%%.*}
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ <"$state_dir/status.json"
    # RUNNING and PENDING are to be started again, so is a job that never was. What is over has an A or a T.
    [[ $job_state = *[AT]* ]] && exit
    # The nodes are listed in /etc/hosts, the last one is the head. Each runs the job.
    for _ in {1..120}; do
        mapfile -t node_names < <(awk '$1 ~ /^[0-9.]+$/ && $1 !~ /^127/ { print $2, $1 }' /etc/hosts | tac)
        [ ${#node_names[@]} -lt 2 ] || break
        sleep 5
    done
    [ ${#node_names[@]} -ge 2 ] || not_started "/etc/hosts lists ${#node_names[@]} of 2 nodes after 10 minutes" >>/var/log/foundry/job.log
    node_rank=0
    until [ "${node_names[node_rank]%%[. ]*}" = "$host_name" ]; do
        ((++node_rank < 2)) || not_started "/etc/hosts does not list $host_name" >>/var/log/foundry/job.log
    done
    node_ips=$(printf '%s\n' "${node_names[@]#* }")
    output_file=/var/log/foundry/job.log
    mkdir -p /run/flowc

    # The first start empties the files, a later one goes on writing.
    [ "$start_count" ] || : >"$output_file"
    # The provider's log folder leads to the job's own output.

    job_state=RUNNING
    [ ! -e "$state_dir/cancelled" ] || read -r end_state <"$state_dir/cancelled"
    # One process watches, and does nothing in a trap.
    # Told to stop (shutdown, preemption): the next boot starts the job again.
    trap stop_asked=1 TERM
    # Job control gives each of its children a process group, and the signals of a fresh process.
    set -m
    # Where the job has ended on the first machine it ends on all: whoever has this script tells, by UDP.
    gang_word=$(sha256sum <"$0")
    trap peer_failed=CANCELLED USR2
    trap peer_failed=COMPLETED USR1
    python3 -c 'import os,socket,sys;s=socket.socket(2,2);s.bind(("",6818));w=sys.argv[1].encode();m=b""
while not m.startswith(w):m=s.recv(99)
os.kill(int(sys.argv[2]),12 if m==w else 10)' "$gang_word" $$ >/dev/null 2>&1 &
    ears_pid=$!
    # What a start needs, and the job itself at its end, are one process group: limit and stop reach it at any point.
    launch() {
    export HOME=/root DEBIAN_FRONTEND=noninteractive
    # The job's containers start commands in each other: `ssh` there asks its machine, by pipes in a folder that both have.
    rm -rf /run/flowc/peers
    mkdir -m 1777 /run/flowc/peers
    (
    cd /run/flowc/peers || exit
    mkfifo -m 666 door
    cat >ssh <<'E'
#!/bin/sh
m=${0%/*}
unset h t n c
find() {
while [ $# -gt 0 ]; do
case $1 in
--)
shift
[ "$h" ] || {
h=$1
shift
}
break
;;
-?*)
o=${1#-}
while [ "$o" ]; do
case $o in
[DLRWw]*) t=1 ;;
[nf]*) n=1 ;;
esac
case $o in
[BbcDEeFIiJLlmOopPQRSWw])
shift
o=
;;
[BbcDEeFIiJLlmOopPQRSWw]*) o= ;;
*) o=${o#?} ;;
esac
done
shift
;;
*)
[ -z "$h" ] || break
h=$1
shift
;;
esac
done
c=$*
}
find "$@"
h=${h#ssh://} h=${h##*@}
r=$(cat "$m/hosts" "$m/names" 2>/dev/null | while read -r a b; do
case $a in "$h" | "${h%%.*}")
echo "$b"
break
;;
esac
done)
[ "$r" ] || {
IFS=:
for p in $PATH; do
[ "$p" = "$m" ] || [ ! -x "$p/ssh" ] || exec "$p/ssh" "$@"
done
echo "flowc: $h is no machine of this job, and the image has no ssh" >&2
exit 255
}
[ -z "$t" ] || {
echo "flowc: ssh makes no tunnels between machines of a job: their ports are open to each other" >&2
exit 255
}
d=$(mktemp -d "$m/XXXXXX") && mkfifo "$d/i" "$d/o" "$d/e" && printf %s "${c:-exec sh}" >"$d/c" || exit 255
exec 3<&0
[ -z "$n" ] || exec 3</dev/null
echo "${d##*/} $r" >"$m/door"
cat <"$d/e" >&2 &
e=$!
cat <&3 >"$d/i" &
cat <"$d/o"
wait $e
kill $! 2>/dev/null
s=255
[ ! -e "$d/s" ] || read -r s <"$d/s"
rm -rf "$d"
exit "$s"
E
    cat >sshd <<'E'
#!/bin/sh
: >/etc/mpi/ready
for a; do
case $a in -[!opfhEuCcg]*D* | -D*)
trap exit TERM INT
while :; do
sleep 86400 &
wait
done
;;
esac
done
E
    chmod 755 ssh sshd
    ln ssh kubexec.sh
    ln ssh rsh
    printf '%s\n' "${node_names[@]}" "localhost 127.0.0.1" | awk -v own="$node_rank" '{ r = NR > 2 ? own : NR - 1; sub(/\..*/, "", $1); print $1, r; print $2, r }' >hosts
    cat >peers <<'E'
import hmac,os,socket,subprocess,sys,threading,time
from multiprocessing.connection import Connection
e="/run/flowc/peers/"
d=open("/var/lib/foundry/flowc/run","rb").read()
k,*h=sys.argv[1:]
l=6818
def c(b,*a):
 f=threading.Thread(target=b,args=a,daemon=True)
 f.start()
 return f
def m(b,f,e):
 b.settimeout(None)
 for g in(1,9,1),(6,4,30),(6,5,10),(6,18,120000):
  b.setsockopt(*g)
 a=Connection(b.detach())
 c=os.urandom(32)
 a.send_bytes(c)
 a.send_bytes(hmac.digest(d,f+a.recv_bytes(99),"sha256"))
 if a.recv_bytes(99)!=hmac.digest(d,e+c,"sha256"):
  raise OSError
 return a
def i(a,h,d,c):
 b=b"."
 while b:
  b=os.read(c.fileno(),9999)
  with h:
   a.send_bytes(d+b)
def n(a,c):
 try:
  while b:=a.recv_bytes():
   c.write(b)
   c.flush()
 except(OSError,EOFError):
  pass
 c.close()
def p(b):
 a=m(b,b"a",b"s")
 g=a.recv_bytes().decode(errors="surrogateescape")
 j=0
 while j<600 and not os.path.exists(e+"ready"):
  j+=not subprocess.call(["docker","exec","flowc","true"])
  time.sleep(1)
 start='PATH="$0:$PATH"; [ ! -e "$0/env" ] || . "$0/env"; exec sh -c "$1"'
 d=subprocess.Popen(["docker","exec","-i","flowc","sh","-c",start,k,g],stdin=-1,stdout=-1,stderr=-1)
 c(n,a,d.stdin)
 h=threading.Lock()
 for f in c(i,a,h,b"1",d.stdout),c(i,a,h,b"2",d.stderr):
  f.join()
 a.send_bytes(b"0%d"%d.wait())
def o(k,f):
 d=e+k+"/"
 n=open(d+"o","wb",0)
 errors=open(d+"e","wb",0)
 g=b"255"
 try:
  for j in range(600):
   try:
    a=m(socket.create_connection((h[int(f)],l),9),b"s",b"a")
    break
   except(OSError,EOFError):
    time.sleep(1)
  a.send_bytes(open(d+"c","rb").read())
  c(lambda:i(a,threading.Lock(),b"",open(d+"i","rb",0)))
  while(b:=a.recv_bytes())[0]!=48:
   (n if b[0]==49 else errors).write(b[1:])
  g=b[1:]
 except Exception:
  errors.write(b"flowc: machine %s of the job does not answer\n"%f.encode())
 finally:
  open(d+"s","wb").write(g)
  n.close()
  errors.close()
def a():
 for b in open(os.open(e+"door",2)):
  c(o,*b.split())
c(a)
f=socket.create_server(("",l))
while 1:
 b,g=f.accept()
 if g[0]in h:
  c(p,b)
 else:
  b.close()
E
    )
    python3 /run/flowc/peers/peers /etc/mpi "${node_names[@]#* }" >/dev/null 2>&1 &
    # The machine's own disk is larger than the one that it boots from.
    ! mountpoint -q /mnt/local || {
        mkdir -p /mnt/local/flowc
        [ -e /mnt/flowc ] || ln -s /mnt/local/flowc /mnt/flowc
    }
    install -dm 1777 /mnt/flowc/0
    need_program docker docker.io
    need_program curl curl
    command -v nvidia-container-runtime-hook >/dev/null || {
        # shellcheck disable=SC2016
        try_often add_source nvidia-container-toolkit https://nvidia.github.io/libnvidia-container/gpgkey \
            'https://nvidia.github.io/libnvidia-container/stable/deb/$(ARCH) /'
        systemctl restart docker
    }
    # A start begins with fresh containers. Their output is read as it comes: docker's own copy would fill the disk.
    # Where docker starts anew, its own file is newer than this one.
    docker ps -aqf label=flowc | xargs -r docker rm -fv >"$state_dir/docker"
    docker image inspect horovod/horovod:0.28.1 >/dev/null 2>&1 || try_often docker pull -q horovod/horovod:0.28.1 >/dev/null
    # MPI would take docker's own network, which each machine has alike, for one between them.
    ip link set docker0 down 2>/dev/null
    # What the machines talk over to each other, where they have it, and the right to hold memory for it.
    [ ! -e /dev/infiniband ] || fabric_words=(--device=/dev/infiniband --ulimit=memlock=-1)
    # What the user set comes last and wins.
    # shellcheck disable=SC2054
    in_job=(
        docker run --label flowc --log-driver none "${fabric_words[@]}" --network host --gpus all --mount type=bind,src=/mnt/flowc/0,dst=/data --mount type=bind,src=/run/flowc/peers,dst=/etc/mpi --mount type=bind,src=/run/flowc/peers/sshd,dst=/usr/sbin/sshd,readonly \
        -e FLOWC_RANK="$node_rank" \
        -e FLOWC_IPS="$node_ips" \
    )
    exec "${in_job[@]}" \
        --rm --name flowc --entrypoint /bin/sh horovod/horovod:0.28.1 -c 'printf '\''%s\n'\'' "$FLOWC_IPS" | sed '\''s/$/ slots=8/'\'' >/etc/mpi/hostfile
{ echo benchmarks-launcher 0; i=0; while [ $i -lt 2 ]; do echo benchmarks-worker-$i $i; i=$((i + 1)); done; } >/etc/mpi/names
{ echo '\''#!/bin/sh'\''; printf '\''%s\n'\'' "$FLOWC_IPS" | sed '\''s/^/echo /'\''; } >/etc/mpi/discover_hosts.sh; chmod +x /etc/mpi/discover_hosts.sh
export PATH="/etc/mpi:$PATH"
(umask 77; export -p >/etc/mpi/env)
if [ "$FLOWC_RANK" -gt 0 ]; then
exec /usr/sbin/sshd -D
fi
: >/etc/mpi/ready
export OMPI_MCA_orte_default_hostfile=/etc/mpi/hostfile
export OMPI_MCA_plm_rsh_agent=/etc/mpi/kubexec.sh
export I_MPI_HYDRA_BOOTSTRAP=rsh
export I_MPI_HYDRA_BOOTSTRAP_EXEC=/etc/mpi/kubexec.sh
exec mpirun --allow-run-as-root -bind-to none -x NCCL_DEBUG=INFO python /examples/benchmark.py --batch_size=64' \
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
        # shellcheck disable=SC2086
        wait ${stop_asked:-${peer_failed:-$!}}
        read -rt 0 <&3
    do
        ((stop_asked)) && stop_asked= && end_body PENDING C
        [ -z "$peer_failed" ] || { told_end=$peer_failed peer_failed= && end_body "$told_end" CI && (echo "$told_end" >"$state_dir/cancelled"; sleep 30 && kill -KILL -"$body_pid" &); }
    done
    read -r body_status <"$state_dir/life"
    # Docker gives a container's end by a signal as such a status.
    ((body_status > 128 && body_status < 193)) && body_signal=$((body_status - 128)) || body_signal=0
    ((must_die && body_signal - 15)) && end_state=
    # The end of the script is the end of the job: what still runs in the background ends too.
    kill -KILL -"$body_pid"
    # Docker may be removing one already, and says only that it does.
    for _ in {1..10}; do
        docker ps -aqf label=flowc | xargs -r docker rm -fv && break
        sleep 1
    done
    # When docker itself was started anew (its package was upgraded, say), the job was interrupted like by a reboot.
    if [ "$body_status$end_state" = 125 ] && [ /run/docker.pid -nt "$state_dir/docker" ]; then
        job_state=PENDING
        save_state
        systemctl restart --no-block flowc
        exit
    fi
    job_state=COMPLETED
    ((body_status)) && job_state=FAILED
    job_state=${end_state:-$job_state}
    save_state "$body_status" "$body_signal" "$EPOCHSECONDS"
    kill "$ears_pid"
    # For a minute: a datagram may be lost, a machine late.
    # The first machine's end is the job's.
    tells=FAILED
    [ "$node_rank$job_state" != 0COMPLETED ] || { tells=COMPLETED; gang_word+=0; }
    for each_try in {1..12}; do
        [ "$job_state${stop_asked-}" = "$tells" ] || break
        for each_node in "${node_names[@]#* }"; do
            echo -n "$gang_word" >"/dev/udp/$each_node/6818"
        done
        [ "$each_try" = 12 ] || sleep 5
    done
    exit "$body_status"
}
run_job
