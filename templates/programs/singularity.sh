#!/bin/bash
# What is called `singularity` and `apptainer`. A container of docker is the file tree, in which the program then runs as a
# child of its caller, as Singularity has it: with its signals, its input and output, its processors and network.
say() { echo "${0##*/}: $*" >&2; exit 255; }
# The reference in the place of an image.
image_of() {
    case $1 in
    docker://*) image=${1#docker://} ;;
    *)
        image=$(flowc-image "$1") || say "no line of the profile says what \`$1\` is"
        ;;
    esac
}
while [[ ${1-} = -* ]]; do
    [ "$1" != --version ] || { echo "${0##*/} version 1.3.0 (docker)" && exit; }
    shift
done
action=${1-}
[ $# = 0 ] || shift
case $action in
exec | run | shell) ;;
pull)
    while [[ ${1-} = -* ]]; do shift; done
    file=${1##*/} && file=${file/:/_}.sif
    [ $# != 2 ] || { file=$1 && shift; }
    image_of "${1-}"
    docker pull -q "$image" >/dev/null && echo "docker://$image" >"$file"
    exit
    ;;
*) say "\`$action\` is not answered here, only exec, run, shell and pull are" ;;
esac
binds=() vars=() more=() clean='' home=$HOME dir=$PWD gpus=() contain='' shell=/bin/sh
while [[ ${1-} = -* ]]; do
    name=$1 value=''
    case $name in
    --*=*) value=${name#*=} name=${name%%=*} ;;
    -[BHWs] | --bind | --env | --env-file | --[pc]wd | --home | --workdir | --mount | --shell | --no-mount | --security)
        value=${2-} && shift
        ;;
    -[BHWs]?*) value=${name:2} name=${name:0:2} ;;
    esac
    shift
    IFS=, read -ra more <<<"$value"
    case $name in
    -B | --bind) binds+=("${more[@]}") ;;
    --mount)
        from='' to='' mode=''
        for word in "${more[@]}"; do
            case $word in
            src=* | source=*) from=${word#*=} ;;
            dst=* | destination=* | target=*) to=${word#*=} ;;
            ro | readonly) mode=:ro ;;
            esac
        done
        binds+=("$from:$to$mode")
        ;;
    --env) vars+=("${more[@]}") ;;
    --env-file) while IFS= read -r line; do [[ $line = \#* || $line != *=* ]] || vars+=("$line"); done <"$value" ;;
    --pwd | --cwd) dir=$value ;;
    -H | --home) home=${value##*:} && binds+=("${value%%:*}:$home") ;;
    -s | --shell) shell=$value ;;
    --nv) [ ! -e /dev/nvidiactl ] || gpus=(--gpus=all) ;;
    -e | --cleanenv) clean=1 ;;
    -c | --contain) contain=1 ;;
    -C | --containall) contain=1 clean=1 ;;
    --no-home) home='' ;;
    --) break ;;
    -[wufW] | --writable* | --userns | --fakeroot | --compat | --no-[uiem]* | --workdir | --nvccli | --security) ;;
    *) say "\`$name\` is not answered here" ;;
    esac
done
[ $# != 0 ] || say 'no image is named'
file=$1
shift
image_of "$file"
IFS=, read -ra more <<<"${APPTAINER_BIND-${APPTAINER_BINDPATH-${SINGULARITY_BIND-${SINGULARITY_BINDPATH-}}}}"
# By their targets: what the caller says goes before what is there by itself.
declare -A mounts
if [ ! "$contain" ]; then
    for each in /tmp /var/tmp "$home" "$PWD"; do
        [ ! -d "$each" ] || [ "$each" = / ] || mounts[$each]=$each:$each
    done
fi
for bind in "${more[@]}" "${binds[@]}"; do
    IFS=: read -r from to mode <<<"$bind"
    [ -e "$from" ] || say "mount source $from doesn't exist"
    mounts[${to:-$from}]=$(realpath "$from"):${to:-$from}${mode:+:$mode}
done
words=()
for each in "${mounts[@]}"; do words+=(-v "$each"); done
docker image inspect "$image" >/dev/null 2>&1 || flock /run/flowc.pull docker pull -q "$image" >/dev/null ||
    say "cannot pull $image"
box=$(docker run -d --rm --privileged --label=flowc --network=host --pid=host --ipc=host "${gpus[@]}" "${words[@]}" \
    --entrypoint=sh "$image" -c "while [ -e /proc/$$ ];do sleep 1;done") || exit 255
pid=$(docker inspect -f '{{.State.Pid}}' "$box")
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin own=() given=()
while IFS= read -r line; do
    case $line in
    PATH=*) path=${line#PATH=} ;;
    *=*) own+=("$line") ;;
    esac
done < <(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$box")
while IFS= read -rd '' line; do
    case $line in
    HOME=* | PATH=* | LD_LIBRARY_PATH=* | BASH_FUNC_* | _=*) ;;
    APPTAINERENV_*=* | SINGULARITYENV_*=*) vars=("${line#*ENV_}" "${vars[@]}") ;;
    TERM=* | *_proxy=*) given+=("$line") ;;
    *) [ "$clean" ] || given+=("$line") ;;
    esac
done </proc/self/environ
list() { mapfile -t "$1" < <(docker image inspect -f "{{range .Config.$2}}{{println .}}{{end}}" "$image" | sed '$d'); }
case $action in
shell) set -- "$shell" "$@" ;;
run)
    list first Entrypoint
    list last Cmd
    [ $# != 0 ] || set -- "${last[@]}"
    set -- "${first[@]}" "$@"
    ;;
esac
[ $# != 0 ] || say 'there is no command'
# shellcheck disable=SC2016
exec env -i "${own[@]}" "${given[@]}" "HOME=${home:-/root}" "PATH=$path" "SINGULARITY_CONTAINER=$file" \
    "APPTAINER_CONTAINER=$file" "SINGULARITY_NAME=${file##*/}" "${vars[@]}" \
    "$(type -P nsenter)" -t "$pid" -m /bin/sh -c 'cd "$0"&&exec "$@"' "$dir" "$@"
