#!/bin/bash
# Startup script of job llama-sft.
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
    # Ports are closed but for those that the provider's tool holds open.
    cat >/etc/systemd/system/flowc-port@.service <<'E'
[Unit]
Wants=network-online.target
After=network-online.target
[Service]
ExecStart=/usr/local/bin/foundrypf %i
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
E
    systemctl enable --now --no-block flowc-port@6006 flowc-port@{8080..8082}
    # All of this must outlive a power cut.
    sync
    exit
}

# ---- state: one small JSON file, replaced as a whole; on a full disk written over, which takes no room ----

# Usage: save_state [EXIT_CODE SIGNAL END]
save_state() {
    IFS=. read -r uptime_seconds _ </proc/uptime
    used_base=${used_base-$((used_seconds - uptime_seconds))} used_seconds=$((used_base + uptime_seconds)) first_start=${first_start:-$EPOCHSECONDS}
    state_line='{"starts":'${start_count:-0}',"used_s":'$used_seconds',"state":"'$job_state'","start":'$first_start',"restarts":'${failure_count:-0}',"exit_code":'${1-null}',"signal":'${2-null}',"end":'${3-null}'}'
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

# Usage: await_tree TARGET MARKER. Until the submitter's files are there as a whole: once for each disk.
await_tree() {
    [ -e "$2" ] || echo "flowc: waits for the files of $1"
    until [ -e "$2" ]; do
        ((EPOCHSECONDS < $(stat -c %Y /run/flowc.trees) + 1800)) || give_up "no files for $1: nothing came for 30 minutes"
        sleep 1
    done
}

# ---- run: called by the unit ----

run_job() {
    host_name=${HOSTNAME%%.*}
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ failure_count _ <"$state_dir/status.json"
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
    chmod 755 "$state_dir/body"

    job_state=RUNNING
    [ ! -e "$state_dir/cancelled" ] || end_state=CANCELLED
    # One process watches, and does nothing in a trap.
    # Told to stop (shutdown, preemption): the next boot starts the job again.
    trap stop_asked=1 TERM
    # Job control gives each of its children a process group, and the signals of a fresh process.
    set -m
    # Where the job fails on one machine it ends on all: whoever has this script tells, by UDP.
    gang_word=$(sha256sum <"$0")
    trap peer_failed=1 USR2
    python3 -c 'import os,socket,sys;s=socket.socket(2,2);s.bind(("",6818))
while s.recv(99)!=sys.argv[1].encode():0
os.kill(int(sys.argv[2]),12)' "$gang_word" $$ >/dev/null 2>&1 &
    ears_pid=$!
    # What a start needs, and the job itself at its end, are one process group: limit and stop reach it at any point.
    launch() {
    sleep "${restart_delay:-0}"
    export HOME=/root DEBIAN_FRONTEND=noninteractive
    # Secrets come after the boot, from the submitter: lines NAME='value' in a file in memory that only root can read.
    for wait_count in {1..360}; do
        # shellcheck disable=SC1091
        missing_names=$(
            [ ! -e /run/flowc/secrets ] || . /run/flowc/secrets
            for each_name in HF_TOKEN WANDB_API_KEY; do [ "${!each_name+x}" ] || echo -n " $each_name"; done
        )
        [ "$missing_names" ] || break
        [ "$wait_count" != 1 ] || echo "flowc: waits for secrets in /run/flowc/secrets:$missing_names"
        sleep 5
    done
    [ -z "$missing_names" ] || give_up "no secrets after 30 minutes:$missing_names"
    # The platform mounts shared volumes by itself.
    for _ in {1..60}; do
        ! mountpoint -q /mnt/checkpoints || break
        sleep 1
    done
    mountpoint -q /mnt/checkpoints || give_up /mnt/checkpoints 'is not mounted after 60 seconds'
    # The machine's own disk is larger than the one that it boots from.
    ! mountpoint -q /mnt/local || {
        mkdir -p /mnt/local/flowc
        [ -e /mnt/flowc ] || ln -s /mnt/local/flowc /mnt/flowc
    }
    need_program rclone rclone
    need_program s3fs s3fs
    install -dm 1777 /mnt/flowc/4
    # What is fetched once, and where that is noted: on the same disk.
    marker_dir=/mnt/flowc
    bucket_tool=(bash -c '. /run/flowc/secrets&&export HF_TOKEN WANDB_API_KEY&&exec "$@"' - env RCLONE_S3_PROVIDER=AWS RCLONE_GCS_ANONYMOUS=true )
    mkdir -p /mnt/flowc/2
    mountpoint -q /mnt/flowc/2 || try_often "${bucket_tool[@]}" s3fs -o allow_other,public_bucket=1 llama-data /mnt/flowc/2
    [ -e "$marker_dir/done.2" ] || {
        mkdir -p "$(dirname /mnt/flowc/1)"
        try_often "${bucket_tool[@]}" rclone copyto :s3:llama-data/tokens /mnt/flowc/1
        : >"$marker_dir/done.2"
    }
    # Whoever brings the submitter's files leaves alone what the job itself writes, and says with this file's time that
    # something comes.
    printf '%s\0' "$output_file" >/run/flowc.trees
    await_tree /root/sky_workdir "$marker_dir/done.1"
    await_tree /root/.config/train.toml "$marker_dir/done.4"
    rm /run/flowc.trees
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
    docker image inspect nvcr.io/nvidia/pytorch:24.07-py3 >/dev/null 2>&1 || try_often docker pull -q nvcr.io/nvidia/pytorch:24.07-py3 >/dev/null
    # What the machines talk over to each other, where they have it, and the right to hold memory for it.
    [ ! -e /dev/infiniband ] || fabric_words=(--device=/dev/infiniband --ulimit=memlock=-1)
    # What the user set comes last and wins.
    # shellcheck disable=SC2054
    in_job=(
        docker run --label flowc --log-driver none "${fabric_words[@]}" --network host --user=0 --cap-add=SYS_RESOURCE --security-opt=apparmor=unconfined --ulimit=memlock=-1 --shm-size=64g --gpus all --mount type=bind,src=/mnt/checkpoints,dst=/checkpoints --mount type=bind,src=/mnt/flowc/0,dst=/root/sky_workdir --mount type=bind,src=/mnt/flowc/1,dst=/data --mount type=bind,src=/mnt/flowc/2,dst=/out --mount type=bind,src=/mnt/flowc/3,dst=/root/.config/train.toml --mount type=bind,src=/mnt/flowc/4,dst=/scratch -w /root/sky_workdir -e HF_TOKEN -e WANDB_API_KEY \
        -e SKYPILOT_NUM_NODES=2 \
        -e SKYPILOT_NUM_GPUS_PER_NODE=8 \
        -e PYTHONUNBUFFERED=1 \
        -e MODEL=meta-llama/Llama-3.1-8B \
        -e BUCKET=llama-data \
        -e EPOCHS=3 \
        -e LR=2.5e-05 \
        -e SKYPILOT_NODE_RANK="$node_rank" \
        -e SKYPILOT_NODE_IPS="$node_ips" \
    )
    # What is written below an image's own volumes is in no image: they get a name, and so setup's are the job's.
    for each_volume in $(docker image inspect -f '{{range $path, $_ := .Config.Volumes}}{{$path}} {{end}}' nvcr.io/nvidia/pytorch:24.07-py3); do
        [[ "${in_job[*]} " = *[:=]"$each_volume"[\ ,:]* ]] || in_job+=(-v flowc"${each_volume//\//_}:$each_volume")
    done
    # What setup leaves in its container is the image of all later starts.
    docker image inspect flowc >/dev/null 2>&1 || {
        bash -c '. /run/flowc/secrets&&export HF_TOKEN WANDB_API_KEY&&exec "$@"' - "${in_job[@]}" --name flowc-setup -v "$state_dir/setup":/flowc-setup:ro --entrypoint bash nvcr.io/nvidia/pytorch:24.07-py3 /flowc-setup || {
            setup_status=$?
            # Where docker itself starts anew, setup was interrupted like by a reboot.
            sleep 5
            docker ps >/dev/null
            [ /run/docker.pid -nt "$state_dir/docker" ] && exit 125
            give_up "setup failed with status $setup_status"
        }
        docker commit flowc-setup flowc >/dev/null || give_up "cannot keep what setup made"
        docker rm -v flowc-setup >/dev/null
    }
    # What fails from here on is started again.
    : >"$state_dir/ready"
    exec bash -c '. /run/flowc/secrets&&export HF_TOKEN WANDB_API_KEY&&exec "$@"' - "${in_job[@]}" \
        --rm --name flowc -v "$state_dir/body":/flowc-body:ro --entrypoint /flowc-body flowc \
        </dev/null
    }
    while :; do
    rm -f "$state_dir/ready"
    must_die=
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
        [ -z "$peer_failed" ] || { peer_failed= && end_body CANCELLED CI && (: >"$state_dir/cancelled"; sleep 30 && kill -KILL -"$body_pid" &); }
    done
    read -r body_status <"$state_dir/life"
    # Docker gives a container's end by a signal as such a status.
    ((body_status > 128 && body_status < 193)) && body_signal=$((body_status - 128)) || body_signal=0
    # A stop holds for the attempts to come.
    [ "$end_state" != PENDING ] || stop_asked=1
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
    # Only a failure of the job itself, while it may still run, is one that a restart may mend.
    if [ "$end_state" ] || [ "$body_status" = 0 ] || [ ! -e "$state_dir/ready" ]; then break; fi
    case $body_status in
    33 | 34) ;;
    *) ((failure_count < 3 && ++failure_count)) || break ;;
    esac
    find /mnt/flowc/4 -mindepth 1 -delete
    restart_delays=(5 5 )
    restart_delay=${restart_delays[failure_count < 1 ? failure_count : 1]}
    echo "flowc: exit status $body_status; starts again after $restart_delay seconds" >>"$output_file"
    done
    job_state=COMPLETED
    ((body_status)) && job_state=FAILED
    job_state=${end_state:-$job_state}
    save_state "$body_status" "$body_signal" "$EPOCHSECONDS"
    kill "$ears_pid"
    # For a minute: a datagram may be lost, a machine late.
    for each_try in {1..12}; do
        [ "$job_state${stop_asked-}" = FAILED ] || break
        for each_node in "${node_names[@]#* }"; do
            echo -n "$gang_word" >"/dev/udp/$each_node/6818"
        done
        [ "$each_try" = 12 ] || sleep 5
    done
    # Who looks after the job has a minute to see its end.
    shutdown -P +1
    exit "$body_status"
}

# ---- setup: 388 bytes, run once ----

head -c 388 >"$state_dir/setup" <<'E'
[ ! -f ~/.bashrc ]||PS1=x . <(sed 's/\$-/i/g' ~/.bashrc);type -P pip >/dev/null || timeout 1800 bash -ec 'apt-get -yq update >/dev/null || :
env DEBIAN_FRONTEND=noninteractive apt-get -yqo DPkg::Options::=--force-confnew install rsync curl wget patch openssh-server python3-pip fuse >/dev/null' || { echo 'flowc: cannot bring program rsync' >&2; exit 1; }
pip install -r requirements.txt
E

# ---- the job's own script: 395 bytes ----

head -c 395 >"$state_dir/body" <<'E' && run_job
#!/bin/bash
[ ! -f ~/.bashrc ]||PS1=x . <(sed 's/\$-/i/g' ~/.bashrc);set -euo pipefail
master=$(echo "$SKYPILOT_NODE_IPS" | head -n1)
torchrun --nnodes="$SKYPILOT_NUM_NODES" --nproc-per-node="$SKYPILOT_NUM_GPUS_PER_NODE" \
  --node-rank="$SKYPILOT_NODE_RANK" --master-addr="$master" --master-port=29500 \
  train.py --model "$MODEL" --data /data --out /checkpoints --epochs "$EPOCHS" --lr "$LR"
E
