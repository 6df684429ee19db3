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
KillMode=mixed
TimeoutStopSec=90
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

stop_body() {
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

# ---- time: counted over all starts; looked at every 5 seconds, and when something is due ----

on_time() {
    ((used_seconds < 3600)) || end_body TIMEOUT CI

    ((used_seconds < 3630)) || kill -KILL -"$body_pid"
    # Until it is called again.
    wait_time=5
    ((wait_time-=used_seconds%5))
}

# ---- helpers of the start ----

# Usage: give_up MESSAGE. The message goes to the job's output for errors.
give_up() {
    echo "flowc: $*" >&2
    exit 1
}

# ---- run: called by the unit ----

run_job() {
    host_name=${HOSTNAME%%.*}
    IFS=:, read -r _ start_count _ used_seconds _ job_state _ first_start _ <"$state_dir/status.json"
    # RUNNING and PENDING are to be started again, so is a job that never was. What is over has an A or a T.
    [[ $job_state = *[AT]* ]] && exit
    output_file=/workspace/slurm-1222862034.out
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
    # What a start needs, and the job itself at its end, are one process group: limit and stop reach it at any point.
    launch() {
    export HOME=/root DEBIAN_FRONTEND=noninteractive
    # What a batch step of Slurm would find in its environment. What the user set comes last and wins.
    # shellcheck disable=SC2054
    in_job=(
    env -i -C /workspace PATH="$PATH" LANG=C.UTF-8 HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TMPDIR=/tmp \
        HOSTNAME="$host_name" \
        SLURM_JOB_NODELIST="$host_name" SLURM_NODELIST="$host_name" \
        SLURM_SUBMIT_HOST="$host_name" SLURMD_NODENAME="$host_name" SLURM_TASK_PID="$BASHPID" \
        SLURM_JOB_START_TIME="$EPOCHSECONDS" \
        SLURM_JOB_END_TIME=$((EPOCHSECONDS + 3600 - used_seconds)) \
        ${start_count:+SLURM_RESTART_COUNT=$start_count} \
        "BASH_FUNC_module%%=() $module_text" \
        SLURM_JOB_ID=1222862034 \
        SLURM_JOBID=1222862034 \
        SLURM_JOB_NAME=input.sbatch \
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
    )
    [ -e "$state_dir/setup.done" ] || {
        "${in_job[@]}" bash "$state_dir/setup" || give_up "setup failed with status $?"
        : >"$state_dir/setup.done"
    }
    exec "${in_job[@]}" \
        env BASH_ENV="$state_dir/trap" \
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

# ---- module: there are no environment modules here, but what they stand for may be installed ----

# Usage: module SUBCOMMAND [NAME...]. A name of which no part is a program here is told once. That is no failure: the job
# may do without it, and `set -e` would end it before anybody knows. Subcommands that the job does not use are left out.
module() {
    local IFS=/ module_verb module_name module_part
    module_verb=${1-}
    [ $# = 0 ] || shift
    case $module_verb in
    load) ;;
    purge | reset) LOADEDMODULES= ;;&
    *) return 0 ;;
    esac
    for module_name; do
        [[ :${LOADEDMODULES-}: = *:"$module_name":* ]] && continue
        export LOADEDMODULES="${LOADEDMODULES:+$LOADEDMODULES:}$module_name"
        case $module_name in anaconda*) continue ;; esac
        for module_part in ${module_name,,}; do
            case $module_part in
            *conda* | miniforge* | mambaforge* | mamba) module_part=conda ;;
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

# ---- journal: where a command of the job's own script failed; its bash reads this first ----

# The script must not notice: status and $_ are as they were, nothing is shown under `set -x`, 20 lines are enough.
cat >"$state_dir/trap" <<'E'
unset BASH_ENV
journal_lines=20
trap '{ failed_status=$? last_word=$_;((journal_lines-->0))&&logger -tflowc -- 'input.sbatch'":$LINENO: exit status $failed_status: ${BASH_COMMAND%%[[:cntrl:]]*}"||:;: "$last_word";} 2>/dev/null' ERR
E

# ---- setup: 158 bytes, run once ----

head -c 158 >"$state_dir/setup" <<'E'
timeout 1800 bash -ec 'curl -fsSL https://example.com/conda.sh | bash -s -- -b -p /opt/conda' || { echo 'flowc: cannot bring module anaconda*' >&2; exit 1; }
E

# ---- the job's own script: 295 bytes ----

head -c 295 >"$state_dir/slurm_script" <<'E' && run_job
#!/bin/bash
# The line of the profile brings conda, and none of its environments.
#SBATCH --gpus=h100:8 --time=1:00:00
module purge
module load anaconda3/2024.2
conda create -y -n made python=3.12
conda run -n made python prepare.py
source activate torch-env
python train.py
conda activate base
E
