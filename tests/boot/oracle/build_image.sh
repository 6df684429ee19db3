#!/bin/bash
# Build (once, cached) the guest that boot_oracle.py boots. Debian or Ubuntu host, root.
# Usage: build_image.sh [--chroot|--nspawn|--uml|--qemu], the mode whose programs are installed when missing.
#   $BOOT_CACHE/root/      the guest's root folder (--nspawn and --chroot run on it, copy-on-write)
#   $BOOT_CACHE/root.ext4  the same as a disk image; vmlinuz, initrd: what qemu boots
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${BOOT_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/flowc/boot}
packages=systemd,systemd-sysv,dbus,udev,kmod,procps,iproute2,util-linux,fdisk,e2fsprogs,xfsprogs,sudo,openssh-server
packages+=,python3-minimal,cloud-init,ca-certificates,curl,wget,rsync,jq,gzip,bzip2,xz-utils,zstd,netbase
mkdir -p "$cache"
exec 9>"$cache/.lock"; flock 9                       # two tests may ask at once

missing=()
pairs=(mmdebstrap:mmdebstrap mkfs.ext4:e2fsprogs)
case ${1-} in
    --nspawn) pairs+=(systemd-nspawn:systemd-container) ;;
    --uml) pairs+=(linux.uml:user-mode-linux) ;;
    --qemu) pairs+=(qemu-system-x86_64:qemu-system-x86) ;;
esac
for pair in "${pairs[@]}"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
fi

# Stage 1 (minutes): packages and kernel. Made again only when the list or the hook changes.
# The kernel is unpacked, not installed: its postinst would build an initramfs four times slower to boot.
hook='chroot "$1" sh -ec "cd /tmp; mkdir k
    apt-get download \$(apt-cache depends linux-image-cloud-amd64 | sed -n \"s/.*Depends: \\(linux-image-[0-9]\\)/\\1/p\" | head -n1) busybox-static
    for deb in *.deb; do dpkg-deb -x \$deb k; done
    cp -r k/lib/modules /usr/lib/; mkdir -p /boot; cp k/boot/vmlinuz-* /boot/vmlinuz; cp k/bin/busybox /boot/busybox
    depmod \$(ls /usr/lib/modules); rm -rf k *.deb"'
stamp1=$(printf '%s\n' 1 "$packages" "$hook" | sha256sum)
if [ "$(cat "$cache/stamp1" 2>/dev/null)" != "$stamp1" ]; then
    rm -rf --one-file-system "$cache/root" "$cache/base" "$cache/stamp1" "$cache/stamp2"
    mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --customize-hook="$hook" bookworm "$cache/base" >&2
    echo "$stamp1" >"$cache/stamp1"
fi

# Stage 2 (seconds): the guest files of this folder, then the disk image.
stamp2=$(cat "$cache/stamp1" "$0" "$here"/guest/* | sha256sum)
if [ "$(cat "$cache/stamp2" 2>/dev/null)" != "$stamp2" ]; then
    rm -rf --one-file-system "$cache/root" "$cache/initrd.d"
    cp -a "$cache/base" "$cache/root"
    cd "$cache/root"
    echo vm >etc/hostname; : >etc/machine-id
    printf '/dev/vda / ext4 defaults 0 1\n' >etc/fstab
    mkdir -p var/lib/cloud/seed/nocloud var/lib/boot-oracle usr/lib/boot-oracle
    install -m 755 "$here"/guest/{agent.py,systemctl} usr/lib/boot-oracle/
    install -m 755 "$here/guest/nvidia-smi" usr/bin/
    install -m 644 "$here/guest/cloud.cfg" etc/cloud/cloud.cfg.d/90_oracle.cfg
    install -m 644 "$here"/guest/boot-oracle{,-fstab}.service etc/systemd/system/
    mkdir -p etc/systemd/system/systemd-networkd-wait-online.service.d   # these have no link to wait for
    printf '[Unit]\nConditionVirtualization=!container\nConditionVirtualization=!uml\n' \
        >etc/systemd/system/systemd-networkd-wait-online.service.d/vm.conf
    for d in a b c d e f g h; do echo "KERNEL==\"ubd$d\", SYMLINK+=\"vd$d\""; done >etc/udev/rules.d/60-uml.rules
    chroot . useradd -m -s /bin/bash ubuntu
    echo 'ubuntu ALL=(ALL) NOPASSWD:ALL' >etc/sudoers.d/ubuntu
    chroot . systemctl -q enable boot-oracle.service boot-oracle-fstab.service systemd-networkd.service
    chroot . systemctl -q mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service \
        fstrim.timer getty@tty1.service serial-getty@ttyS0.service
    touch etc/.updated var/.updated                  # no hwdb, ldconfig... runs on the first boot
    find etc/systemd/system -printf '%f\n' | sort -u >usr/lib/boot-oracle/baseline-units
    cp boot/vmlinuz "$cache/vmlinuz"

    # A minimal initrd: four modules, mount, switch_root.
    mkdir -p "$cache/initrd.d"/{dev,root,m}; cd "$cache/initrd.d"
    cp ../root/boot/busybox busybox
    for m in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
        find ../root/usr/lib/modules -name $m.ko -exec cp {} m/ \;
    done
    cat >init <<'INIT'
#!/busybox sh
/busybox mount -t devtmpfs dev /dev
for m in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do /busybox insmod /m/$m.ko; done
until /busybox mount -t ext4 -o ro /dev/vda /root; do /busybox sleep 0.1; done
exec /busybox switch_root /root /sbin/init
INIT
    chmod 755 init
    find . | ./busybox cpio -o -H newc >"$cache/initrd" 2>/dev/null
    rm -rf "$cache/initrd.d"

    rm -f "$cache/root.ext4"
    mkfs.ext4 -q -F -L root -J size=16 -d "$cache/root" "$cache/root.ext4" 6G
    echo "$stamp2" >"$cache/stamp2"
fi
echo "$cache"
