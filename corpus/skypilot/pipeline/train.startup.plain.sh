#!/bin/bash
# Startup script of job train.
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
KillMode=mixed
[Install]
WantedBy=multi-user.target
UNIT
    # Ubuntu knows Python by its new name alone.
    type -P python >/dev/null || ln -s /usr/bin/python3 /usr/local/bin/python
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
    IFS=. read -r uptime_seconds _ </proc/uptime
    used_seconds=$((used_base + uptime_seconds))
    printf '{"starts":%s,"used_s":%s,"state":"%s","start":%s,"exit_code":%s,"signal":%s,"end":%s}\n' \
        "$start_count" $used_seconds "$job_state" "$first_start" "${1-null}" "${2-null}" "${3-null}" \
        >"$state_dir/new"
    mv "$state_dir/new" "$state_dir/status.json"
}

# Usage: not_started MESSAGE. The job has failed before it began.
not_started() {
    echo "flowc: $*"
    IFS=. read -r uptime_seconds _ </proc/uptime
    used_base=$((used_seconds - uptime_seconds))
    start_count=${start_count:-0}
    first_start=${first_start:-$EPOCHSECONDS}
    job_state=FAILED
    save_state 1 0 "$EPOCHSECONDS"
    exit 1
}

# ---- stop: the job is asked to end; what it was prepared with stays until it has ended ----

# Usage: end_body STATE SIGNALS. What is dead by now has ended by itself. So has what then ends otherwise than by TERM
# though it did not catch TERM (SIGNALS: C), nor ignore it (I).
end_body() {
    [ "$job_state" = RUNNING ] && body_facts=$(<"/proc/$body_pid/status") && [[ $body_facts != *State:?[XZ]* ]] || return
    job_state=$1
    [[ $body_facts = *Sig[$2]g[nt]:?????????????[4-7c-f]???* ]] || must_die=1
    kill -TERM -"$body_pid"
    kill -CONT -"$body_pid"
}

# ---- run: called by the unit ----

run_job() {
    host_name=${HOSTNAME%%.*}
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ <"$state_dir/status.json"
    # RUNNING and PENDING are to be started again, so is a job that never was; COMPLETED, FAILED and TIMEOUT are over.
    [[ ${job_state:-ING} = *ING* ]] || exit 0
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
    output_file=/var/log/foundry/job.log
    mkdir -p /root/sky_workdir
    # The first start empties the files, a later one goes on writing.
    [ "$start_count" ] || : >"$output_file"
    # The provider's log folder leads to the job's own output.
    chmod 700 "$state_dir/body"

    IFS=. read -r uptime_seconds _ </proc/uptime
    used_base=$((used_seconds - uptime_seconds))
    first_start=${first_start:-$EPOCHSECONDS}
    job_state=RUNNING
    # One process watches, and does nothing in a trap. It sleeps until the time is due or somebody rings here; what has
    # happened stands elsewhere, so a ring that falls together with the time may be lost.
    exec 3<> <(:)
    # Told to stop (shutdown, preemption): the next boot starts the job again.
    trap 'stop_asked=1; echo >&3' TERM
    # Job control gives each of its children a process group, and the signals of a fresh process.
    set -m
    # Where the job fails on one machine it ends on all: whoever has this script tells, by UDP.
    gang_word=$(sha256sum <"$0")
    trap 'peer_failed=1; echo >&3' USR2
    python3 -c 'import os,socket,sys;s=socket.socket(2,2);s.bind(("",6818))
while s.recv(99)!=sys.argv[1].encode():0
os.kill(int(sys.argv[2]),12)' "$gang_word" $$ >/dev/null 2>&1 &
    ears_pid=$!
    launch() {
    # What the user set comes last and wins.
    exec env -i -C /root/sky_workdir PATH="$PATH" LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TMPDIR=/tmp \
        HOSTNAME="$host_name" \
        PYTHONUNBUFFERED=1 \
        BASH_ENV="$state_dir/trap" \
        "$state_dir/body" \
        </dev/null
    }
    # Its process, then its exit status.
    : >"$state_dir/life"
    # The keeper has the body as its child and nothing else to do. Bash tells it of a death by a signal, in words, and of an
    # exit in none; the status may be the same.
    (
        trap '' TERM
        set -m
        (
            trap - TERM
            echo "$BASHPID" >"$state_dir/life"
            echo >&3
            launch 3>&-
        ) >>"$output_file" 2>&1 &
        # In a subshell `wait` passes over a body that is only stopped.
        wait $!
        echo $? >>"$state_dir/life"
        echo >&3
    ) 2>"$state_dir/death" &
    exec 2>/dev/null
    start_count=$((start_count + 1))
    while
        save_state
        read -r -u 3
        { read -r body_pid; ! read -r body_status; } <"$state_dir/life"
    do
        [ -z "$stop_asked" ] || end_body PENDING C
        ! { [ "$peer_failed" ] && end_body CANCELLED CI; } || {
            peer_failed=
            (sleep 30; kill -KILL -"$body_pid") &
        }
    done
    [ ! -s "$state_dir/death" ] || body_signal=$((body_status - 128))
    [ -z "$must_die" ] || [ "$body_signal" = 15 ] || job_state=RUNNING
    # The end of the script is the end of the job: what still runs in the background ends too.
    kill -KILL -"$body_pid"
    if [ "$job_state" = RUNNING ]; then
        job_state=COMPLETED
        [ "$body_status" = 0 ] || job_state=FAILED
    fi
    save_state "$body_status" "${body_signal:-0}" "$EPOCHSECONDS"
    kill "$ears_pid"
    # For a minute: a datagram may be lost, a machine late.
    for each_try in {1..12}; do
        [ "$job_state${stop_asked-}" = FAILED ] || break
        for each_node in "${node_names[@]#* }"; do
            echo -n "$gang_word" >"/dev/udp/$each_node/6818"
        done
        [ "$each_try" = 12 ] || sleep 5
    done
    exit "$body_status"
}

# ---- journal: where a command of the job's own script failed; its bash reads this first ----

# The script must not notice: status and $_ are as they were, nothing is shown under `set -x`, 20 lines are enough.
cat >"$state_dir/trap" <<'E'
unset BASH_ENV
journal_lines=20
trap '{ failed_status=$? last_word=$_;((journal_lines-->0))&&logger -tflowc -- 'input.yaml'":$((LINENO+11)): exit status $failed_status: ${BASH_COMMAND%%[[:cntrl:]]*}"||:;: "$last_word";} 2>/dev/null' ERR
E

# ---- the job's own script: 28 bytes ----

head -c 28 >"$state_dir/body" <<'E' && run_job
#!/bin/bash
python train.py
E
