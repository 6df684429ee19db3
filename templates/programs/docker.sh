# Docker and, for GPUs, what gives them to containers.
add() {
    command -v "$1" >/dev/null || {
        apt-get -qq -o DPkg::Lock::Timeout=300 update
        DEBIAN_FRONTEND=noninteractive apt-get -qqy --no-install-recommends -o DPkg::Lock::Timeout=300 install "$2"
    }
}
add docker docker.io
if [ -e /dev/nvidiactl ] && ! command -v nvidia-container-runtime-hook >/dev/null; then
    add curl curl
    url=https://nvidia.github.io/libnvidia-container key=/usr/share/keyrings/nvidia.asc
    curl -fsSLo $key $url/gpgkey
    echo "deb [signed-by=$key] $url/stable/deb/\$(ARCH) /" >/etc/apt/sources.list.d/nvidia.list
    add nvidia-container-runtime-hook nvidia-container-toolkit
    systemctl restart docker
fi
