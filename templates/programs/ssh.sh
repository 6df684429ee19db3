#!/bin/sh
# `ssh` in the containers of a job: starts a command in that of another of its machines, whatever the options say of keys
# and ports. Whom the job does not know, the image's own ssh reaches. The machine is asked by pipes in the folder that this
# file stands in (peers.py). Called `kubexec.sh` it is the same.
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
                # The value is the next word, or the rest of this one.
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
