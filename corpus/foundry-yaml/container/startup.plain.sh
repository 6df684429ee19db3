#!/bin/bash
# Startup script of job serve-eval.
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
    # EXTERNAL:INTERNAL
    cat >/etc/systemd/system/flowc-forward@.service <<'E'
[Service]
ExecStart=/bin/sh -c 'p=%i;exec systemd-socket-activate -l $${p%%%%:*} /lib/systemd/systemd-socket-proxyd localhost:$${p#*:}'
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
E
    systemctl enable --now --no-block flowc-port@{6006..6008} flowc-port@8080 flowc-port@8441 flowc-forward@8441:8001
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

# Usage: mount_block FOLDER LABEL OPTIONS [ID [BYTES]]. A disk is found by its id, by the label that we gave it, or among
# those not in use: the one of the nearest size, without sizes the first one in the order of attachment. It is formatted
# only where nothing at all is on it: no mark of a file system, partitions, LVM or RAID anywhere, at its end included, and
# zeros as far as the first copy of an ext4's superblock.
mount_block() {
    mkdir -p "$1"
    ! mountpoint -q "$1" || return 0
    if [ "$4" ]; then
        # The link may come after the disk.
        disk_link=/dev/disk/by-id/virtio-${4::20}
        for _ in {1..60}; do
            [ ! -e "$disk_link" ] || break
            sleep 1
        done
        # Where no volume has a link it is the one disk that there is.
        [ ${#disk_list[@]} != 1 ] || compgen -G '/dev/disk/by-id/virtio-vol_*' >/dev/null || disk_link=${disk_list[0]}
        disk_device=$(readlink -e "$disk_link") || give_up "volume $2: no $disk_link after 60 seconds"
    else
        disk_device=$(blkid -t LABEL="$2" -o device "${disk_list[@]}" || printf '%s\n' "${disk_list[@]}" | grep -vxFf <(cut -d ' ' -f 1 /proc/mounts) | head -n 1)
    fi
    if disk_marks=$(wipefs "$disk_device") && [ -z "$disk_marks" ] && cmp -sn 129M "$disk_device" /dev/zero; then
        mkfs.ext4 -qFL "$2" "$disk_device" || give_up "volume $2: cannot format $disk_device"
    fi
    mount -o "$3" "$disk_device" "$1" || give_up "volume $2: cannot mount $disk_device"
}

# ---- run: called by the unit ----

run_job() {
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ <"$state_dir/status.json"
    # RUNNING and PENDING are to be started again, so is a job that never was. What is over has an A or a T.
    [[ $job_state = *[AT]* ]] && exit
    output_file=/var/log/foundry/job.log
    mkdir -p /run/flowc

    # The first start empties the files, a later one goes on writing.
    [ "$start_count" ] || : >"$output_file"
    # The provider's log folder leads to the job's own output.

    job_state=RUNNING
    # One process watches, and does nothing in a trap.
    # Told to stop (shutdown, preemption): the next boot starts the job again.
    trap stop_asked=1 TERM
    # Job control gives each of its children a process group, and the signals of a fresh process.
    set -m
    # What a start needs, and the job itself at its end, are one process group: limit and stop reach it at any point.
    launch() {
    export HOME=/root DEBIAN_FRONTEND=noninteractive
    # The provider's block devices in the order of their attachment.
    for _ in {1..60}; do
        mapfile -t disk_list < <({ readlink -e /dev/disk/by-id/virtio-vol_* || readlink -e /dev/vd[d-z] /dev/xvd[d-z]; } | sort)
        [ ${#disk_list[@]} -lt 1 ] || break
        sleep 1
    done
    [ ${#disk_list[@]} -ge 1 ] || give_up "${#disk_list[@]} of 1 block volumes after 60 seconds"
    mount_block /mnt/flowc/datasets datasets rw ''
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
    docker image inspect ghcr.io/example/eval:1.4 >/dev/null 2>&1 || try_often docker pull -q ghcr.io/example/eval:1.4 >/dev/null
    # What the user set comes last and wins.
    # shellcheck disable=SC2054
    in_job=(
        docker run --label flowc --log-driver none --network host --ipc=host '--env=MODE=a b' --gpus all --mount type=bind,src=/mnt/flowc/datasets,dst=/mnt/datasets --mount type=bind,src=/mnt/flowc/0,dst=/scratch \
    )
    # What is written below an image's own volumes is in no image: they get a name, and so setup's are the job's.
    for each_volume in $(docker image inspect -f '{{range $path, $_ := .Config.Volumes}}{{$path}} {{end}}' ghcr.io/example/eval:1.4); do
        [[ "${in_job[*]} " = *[:=]"$each_volume"[\ ,:]* ]] || in_job+=(-v flowc"${each_volume//\//_}:$each_volume")
    done
    # What setup leaves in its container is the image of all later starts.
    docker image inspect flowc >/dev/null 2>&1 || {
        "${in_job[@]}" --name flowc-setup -v "$state_dir/setup":/flowc-setup:ro --entrypoint bash ghcr.io/example/eval:1.4 /flowc-setup || {
            setup_status=$?
            # Where docker itself starts anew, setup was interrupted like by a reboot.
            sleep 5
            docker ps >/dev/null
            [ /run/docker.pid -nt "$state_dir/docker" ] && exit 125
            give_up "setup failed with status $setup_status"
        }
        docker commit -c "ENTRYPOINT $(docker image inspect -f '{{with .Config.Entrypoint}}{{json .}}{{else}}[""]{{end}}' ghcr.io/example/eval:1.4)" -c "CMD $(docker image inspect -f '{{with .Config.Cmd}}{{json .}}{{else}}[]{{end}}' ghcr.io/example/eval:1.4)" flowc-setup flowc >/dev/null || give_up "cannot keep what setup made"
        docker rm -v flowc-setup >/dev/null
    }
    exec "${in_job[@]}" \
        --rm --name flowc flowc \
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
        wait ${stop_asked:-$!}
        read -rt 0 <&3
    do
        ((stop_asked)) && stop_asked= && end_body PENDING C
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
    exit "$body_status"
}

# ---- setup: 35 bytes, run once ----

head -c 35 >"$state_dir/setup" <<'E'
nvidia-smi
mkdir -p /scratch/cache
E
run_job
