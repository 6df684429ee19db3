"""Programs that a local machine has of its own, in /usr/local/sbin: short stand-ins for what belongs to a machine as a
whole, and the words in which they ask its first process for something.

A request is a file in /run/init, and a signal. Nothing of a startup script is changed for them.
"""

from __future__ import annotations

# What the first process is asked for: enable:UNIT, start:UNIT, restart:UNIT, stop:UNIT, off, fail.
REQUESTS = "/run/init"

SYSTEMCTL = """#!/bin/sh
# systemctl of a local machine: what startup scripts ask of it.
verb=
now=
for word; do
    case $word in
    --now) now=1 ;;
    -*) ;;
    *)
        if [ -z "$verb" ]; then
            verb=$word
            continue
        fi
        unit=${word%.service}
        case $verb in
        enable | start | restart)
            [ -e "/etc/systemd/system/${unit%@*}.service" ] || [ -e "/etc/systemd/system/${unit%@*}@.service" ] || {
                echo "Failed to $verb unit: Unit file $unit.service does not exist." >&2
                exit 1
            }
            if [ "$verb" = enable ]; then
                : >"@REQUESTS@/enable:$unit"
                [ -z "$now" ] || : >"@REQUESTS@/start:$unit"
            else
                : >"@REQUESTS@/$verb:$unit"
            fi
            ;;
        stop) : >"@REQUESTS@/stop:$unit" ;;
        *) exit 1 ;;
        esac
        ;;
    esac
done
case $verb in
poweroff | reboot | halt) : >@REQUESTS@/off ;;
enable | start | restart | stop) ;;
daemon-reload) exit 0 ;;
*) exit 1 ;;
esac
kill -USR1 @INIT@
"""

SHUTDOWN = """#!/bin/sh
# The end of a local machine.
: >@REQUESTS@/off
kill -USR1 @INIT@
"""

DOCKER = """#!/bin/sh
# A local machine has no docker engine: its job cannot run.
echo 'flowc: the job needs docker, and a local machine has no docker engine' >&2
: >@REQUESTS@/fail
kill -USR1 @INIT@
sleep 60
exit 125
"""

MOUNT = """#!/bin/bash
# mount of a local machine: its block volumes are folders.
source=${@: -2:1}
case $source in
/dev/disk/by-id/virtio-*) exec /usr/bin/mount --bind "/run/disks/${source#*/virtio-}" "${@: -1}" ;;
*) exec /usr/bin/mount "$@" ;;
esac
"""

BLKID = """#!/bin/bash
# blkid of a local machine: its block volumes have labels.
case $1-$2 in
-t-LABEL=*) readlink "/run/disks/by-label/${2#*=}" || exit 2 ;;
*) exec /usr/sbin/blkid "$@" ;;
esac
"""

# Where there are no mounts, links stand for them; and names of the machine are nobody else's.
LINKED_MOUNT = """#!/bin/bash
# mount of a local machine that can have no mounts: links stand for them.
case $1 in
--bind) rmdir -- "${@: -1}" 2>/dev/null || rm -f -- "${@: -1}" && ln -s -- "${@: -2:1}" "${@: -1}" ;;
*) mkdir -p -- "${@: -1}" ;;
esac
"""
LINKED_MOUNTPOINT = """#!/bin/bash
# mountpoint of a local machine that can have no mounts: links stand for them.
[ -L "${@: -1}" ]
"""
# The same where there are some: volumes are mounted from outside.
BOXED_MOUNT = """#!/bin/bash
# mount of a local machine that is a container: links stand for what cannot be mounted there.
source=${@: -2:1}
case $1-$source in
--bind-*) ;;
*-/dev/disk/by-id/virtio-*) source=/run/disks/${source#*/virtio-} ;;
*)
    mkdir -p -- "${@: -1}"
    exit
    ;;
esac
place=${@: -1}
if [ -L "$place" ]; then
    rm -f -- "$place"
else
    # What was there before is hidden below a mount.
    rmdir -- "$place" 2>/dev/null || mv -T -- "$place" "$place.below" || exit
fi
ln -s -- "$source" "$place"
"""
BOXED_MOUNTPOINT = """#!/bin/bash
# mountpoint of a local machine that is a container: links stand for what cannot be mounted there.
[ -L "${@: -1}" ] || exec /usr/bin/mountpoint "$@"
"""
OWN_NAME = """#!/bin/bash
# hostname of a local machine that has no name of its own.
case $1 in
-I | -i) exec /usr/bin/hostname "$1" ;;
# A step of the job has the programs of the machine that it was started from.
*) echo "${SLURMD_NODENAME:-@NAME@}" ;;
esac
"""

NOTHING = "#!/bin/sh\n"


# What a machine is, as far as its programs differ: it has namespaces of its own, is a group of processes, a container.
ALONE, GROUPED, BOXED = "alone", "grouped", "boxed"
_MOUNTS: dict[str, dict[str, str]] = {
    ALONE: {},
    GROUPED: {"mount": LINKED_MOUNT, "mountpoint": LINKED_MOUNTPOINT, "hostname": OWN_NAME},
    BOXED: {"mount": BOXED_MOUNT, "mountpoint": BOXED_MOUNTPOINT},
}


def programs(init: int, *, blocks: bool, docker: bool, kind: str) -> dict[str, str]:
    """Texts by name, in which @NAME@ stands for the machine's. `init` is the first process's id as the machine sees
    it, `blocks`: it has block volumes, `docker`: a docker may be called, `kind`: as above."""
    found = {
        "systemctl": SYSTEMCTL,
        "shutdown": SHUTDOWN,
        "poweroff": SHUTDOWN,
        "reboot": SHUTDOWN,
        # The disk is as durable as this computer's; waiting for all other disks here would take seconds.
        "sync": NOTHING,
        "foundrypf": NOTHING,
        **_MOUNTS[kind],
    }
    if not docker:
        found["docker"] = DOCKER
    if blocks and kind == ALONE:
        found["mount"] = MOUNT
    if blocks and kind != GROUPED:
        found["blkid"] = BLKID
    return {name: text.replace("@REQUESTS@", REQUESTS).replace("@INIT@", str(init)) for name, text in found.items()}
