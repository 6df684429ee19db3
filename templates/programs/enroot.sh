#!/bin/bash
# What is called `enroot` where the machine's docker answers it. A file of an image holds docker's name of it; a container is
# a folder among enroot's data, with the image that it has begun with and the container of docker that is its file tree. Whoever
# starts a program in it enters that tree, as a child of its caller: with its signals, its input and output, its processors and
# network, and of its variables those alone that enroot's own hooks hand on. Other mounts than before ask for another tree, made
# of the files as they are. What stands between `#% if WORD` and `#% end` is for texts with that word.
say() { echo "[ERROR] $*" >&2; exit 1; }
yes() { [[ $1 && ! $1 =~ ^(no?|N[oO]?|[fF](alse)?|FALSE)$ ]]; }
wrong() { say "\`enroot $action $1\` is not answered here"; }
data=${ENROOT_DATA_PATH:-${XDG_DATA_HOME:-${HOME:=/root}/.local/share}/enroot}
mkdir -p "$data"
# Docker's name of docker://[USER@][REGISTRY#]IMAGE, and a login where enroot's file of credentials has one.
named() {
    local user='' host of login word
    image=${1#*://}
    [[ ! $image =~ ^([^/#@]+)@(.*)$ || ${BASH_REMATCH[2]} = sha256:* ]] ||
        { user=${BASH_REMATCH[1]} && image=${BASH_REMATCH[2]}; }
    image=${image/\#//}
    host=${image%%/*}
    [[ $image = */* && $host = *[.:]* ]] || host=docker.io
    file=${image#"$host"/}
    case $file in
    *@*) file=${file%@*} && file=${file%:*}+${image##*@} ;;
    *:*) file=${file/:/+} ;;
    *) file=$file+latest ;;
    esac
    file=${file#library/}
    file=${file//\//+}
    case $1 in
    dockerd://*) file=${image//[:\/]/+} && return ;;
    docker://*) ;;
    *) say "Invalid argument: $1" ;;
    esac
    #% if credentials
    while read -r _ of _ login _ word; do
        case $host:$of in
        docker.io:registry-1.docker.io | docker.io:auth.docker.io | docker.io:docker.io) ;;
        *) [ "${host%:*}" = "$of" ] || continue ;;
        esac
        [ "${user:-$login}" = "$login" ] || continue
        [[ $word = \$* ]] && word=$(eval "echo $word") || word=${word%% *}
        export DOCKER_CONFIG=/run/flowc.login
        docker login -u "$login" --password-stdin "$host" <<<"$word" >/dev/null 2>&1
        break
    done < <(grep -Eh '^\s*machine\s+\S+\s+login\s+\S+\s+password\s' \
        "${ENROOT_CONFIG_PATH:-${XDG_CONFIG_HOME:-${HOME:-/root}/.config}/enroot}/.credentials" 2>/dev/null)
    #% end
}
pull() {
    docker image inspect "$image" >/dev/null 2>&1 || flock /run/flowc.pull docker pull -q "$image" >/dev/null ||
        say "cannot pull $image"
}
# The image that a file stands for, and the one that says how it starts.
known() {
    image=$(flowc-image "$1" 2>/dev/null) || return
    [ "$(stat -Lc %s "$1" 2>/dev/null || echo 9999)" -gt 999 ] || from=$(sed -n 2p "$1")
}
# A new container.
fresh() {
    [[ $name != */* ]] || say "Invalid argument: $name"
    if [ -e "$data/$name" ]; then
        yes "$force" || say "File already exists: $data/$name"
        gone "$name"
    fi
    pull
    mkdir "$data/$name"
    echo "$image" >"$data/$name/.image"
    echo "${from:-$image}" >"$data/$name/.from"
}
gone() {
    docker rm -fv "$(cat "$data/$1/.box" 2>/dev/null)" >/dev/null 2>&1
    rm -rf "${data:?}/$1"
}
there() { [[ $1 && $1 != */* && -d $data/$1 ]] || say "No such file or directory: $data/$1"; }
process() { docker inspect -f '{{.State.Pid}}' "$1" 2>/dev/null; }
action=${1-}
[ $# = 0 ] || shift
out='' name='' from='' force=${ENROOT_FORCE_OVERRIDE-} home=${ENROOT_MOUNT_HOME-} fancy='' rc='' binds=() vars=()
while [[ ${1-} = -?* ]]; do
    option=$1 value=''
    shift
    case $option in
    --) break ;;
    --*=*) value=${option#*=} option=${option%%=*} ;;
    -[aocemn] | --arch | --output | --conf | --env | --rc | --mount | --name) value=${1-} && shift ;;
    esac
    case $action:$option in
    import:-a | import:--arch | load:-a | load:--arch | start:-[rw] | start:--root | start:--rw | start:--net) ;;
    start:--pid | start:--ipc | start:--uts) ;;
    import:-o | import:--output | export:-o | export:--output) out=$value ;;
    create:-n | create:--name | load:-n | load:--name) name=$value ;;
    create:-f | load:-f | export:-f | remove:-f | *:--force) force=1 ;;
    #% if exec
    list:-f | list:--fancy) fancy=1 ;;
    #% end
    start:-m | start:--mount) binds+=("$value") ;;
    start:--rc) rc=$value ;;
    start:-e | start:--env | exec:-e | exec:--env)
        [[ $value = *=* ]] || value=$value=${!value-}
        vars+=("$value")
        ;;
    *) wrong "$option" ;;
    esac
done
case $action in
version) echo '4.0.0 (docker)' && exit ;;
list)
    cd "$data" || exit
    [ "$fancy" ] || exec ls -1
    #% if exec
    echo 'NAME PID COMM'
    for name in *; do
        pid=$(process "$(cat "$name/.box" 2>/dev/null)")
        of=$(readlink "/proc/$pid/ns/mnt")
        pids=()
        for each in /proc/[0-9]*; do
            [ "${of:-none}" = "$(readlink "$each/ns/mnt" 2>/dev/null)" ] || continue
            # Not what keeps it.
            read -r own _ _ parent _ <"$each/stat"
            [[ " $own $parent " = *" $pid "* ]] || pids+=("$own")
        done
        [ ${#pids[@]} != 0 ] || echo "$name"
        for each in "${pids[@]}"; do echo "$name $each $(cat "/proc/$each/comm")" && name=' '; done
    done
    #% end
    exit
    ;;
#% if exec
exec) [ $# -gt 1 ] || say 'Invalid argument' ;;
#% end
#% if export
export) [ $# != 0 ] || say 'Invalid argument' ;;
#% end
import | load | create | start | remove) [ $# != 0 ] || say 'Invalid argument' ;;
*) wrong '' ;;
esac
case $action in
import)
    named "$1"
    out=${out:-$file.sqsh}
    [ ! -e "$out" ] || say "File already exists: $(realpath "$out")"
    pull
    echo "docker://$image" >"$out"
    ;;
load)
    named "$1"
    name=${name:-$file}
    fresh
    ;;
create)
    known "$1" || { [ -e "$1" ] && say "no line of the profile says what \`$1\` is"; } ||
        say "No such file or directory: $(realpath "$1")"
    name=${name:-$(basename "$1" .sqsh)}
    fresh
    ;;
remove)
    for name; do
        there "$name"
        yes "$force" || read -rp "Do you really want to delete $data/$name? [y/N] "
        if yes "$force" || [[ $REPLY = [yY] ]]; then gone "$name"; fi
    done
    ;;
#% if export
export)
    there "$1"
    out=${out:-$1.sqsh}
    [ ! -e "$out" ] || yes "$force" || say "File already exists: $(realpath "$out")"
    image=$(<"$data/$1/.image")
    [ ! -e "$data/$1/.box" ] || image=$(docker commit "$(<"$data/$1/.box")") || exit 1
    echo "docker://$image" >"$out"
    cat "$data/$1/.from" >>"$out"
    ;;
#% end
#% if exec
exec)
    pid=$1
    shift
    kill -0 "$pid" 2>/dev/null || say "Process not found: $pid"
    mapfile -d '' own <"/proc/$pid/environ"
    exec env -i "${own[@]}" "${vars[@]}" "$(type -P nsenter)" -t "$pid" -m -w "$@"
    ;;
#% end
esac
[ "$action" = start ] || exit 0
target=$1
shift
words=()
! yes "$home" || binds+=("$HOME:$HOME")
[ ! "$rc" ] || binds+=("$rc:/etc/rc:none:ro")
[ ! -e /dev/nvidiactl ] || words+=(--gpus=all)
for each in "${binds[@]}"; do
    IFS=: read -r own to _ mode <<<"$each"
    to=${to:-$own} to=/${to#/}
    [ "$own" != tmpfs ] || { words+=("--tmpfs=$to:exec") && continue; }
    [ -e "$own" ] || say "failed to mount: $own at $to: No such file or directory"
    [[ ,$mode, = *,ro,* ]] && mode=:ro || mode=''
    words+=("-v$(realpath "$own"):$to$mode")
done
# The file tree, as docker's container `box`; the first word tells how long it is there.
begin() {
    box=$(docker run "${@:2}" -d --privileged --label=flowc --network=host --pid=host --ipc=host "${words[@]}" \
        --entrypoint=sh "$image" -c "while $1;do sleep 1;done") || exit 1
}
if [[ $target != */* && -d $data/$target ]]; then
    cd "$data/$target" || exit
    exec 9>.lock
    flock 9
    image=$(<.image)
    from=$(<.from)
    pid=$(process "$(cat .box 2>/dev/null)")
    if [ "${pid:-0}" = 0 ] || [ "$(cat .words)" != "${words[*]}" ]; then
        [ ! -e .box ] || image=$(docker commit "$(<.box)") || exit 1
        begin :
        echo "$image" >.image
        echo "$box" >.box
        echo "${words[*]}" >.words
    fi
    box=$(<.box)
    exec 9>&-
    cd - >/dev/null || exit
elif known "$target"; then
    pull
    begin "[ -e /proc/$$ ]" --rm
elif [ -f "$target" ]; then
    say "no line of the profile says what \`$target\` is"
else
    there "$target"
fi
pid=$(process "$box")
own=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
mapfile -tO 1 own < <(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$box" | sed '/^$/d')
while IFS= read -rd '' line; do
    case $line in
    SLURM_*=* | PMI_*=* | PMIX_*=* | CUDA_VISIBLE_DEVICES=* | TERM=*) own+=("$line") ;;
    esac
done </proc/self/environ
# shellcheck disable=SC2154  # `first` and `last`
list() {
    mapfile -t "$1" < <(docker image inspect -f "{{range .Config.$2}}{{println .}}{{end}}" "${from:-$image}" | sed '$d')
}
if [ "$rc" ]; then
    set -- sh /etc/rc "$@"
else
    list first Entrypoint
    list last Cmd
    [ $# != 0 ] || set -- "${last[@]}"
    set -- "${first[@]}" "$@"
    [ $# != 0 ] || set -- /bin/sh
fi
dir=$(docker image inspect -f '{{.Config.WorkingDir}}' "${from:-$image}")
# shellcheck disable=SC2016
exec env -i HOME=/root "${own[@]}" "${vars[@]}" "$(type -P nsenter)" -t "$pid" -m \
    /bin/sh -c 'mkdir -p "$0";cd "$0"&&exec "$@"' "${dir:-/}" "$@"
