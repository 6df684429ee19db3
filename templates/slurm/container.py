"""A container for the tasks of a step on one node (the words of pyxis)."""
#% if container
def enter(options, where, env):
    """Makes the container of a step on this node, or finds the one of that name. All tasks of the node are in it.

    Gives its process, its folder and its variables; OSError or CalledProcessError where that cannot be."""
    import json, subprocess

    def docker(*words):
        return subprocess.run(["docker", *words], check=True, stdout=subprocess.PIPE, stderr=2).stdout

    image = options.get("container-image", "").removeprefix("docker://").replace("#", "/")
    subprocess.run(["flock", "/run/flowc.docker", "bash", "-c", INSTALL], check=True, stdout=2)
    name = "flowc-" + (options.get("container-name", "").split(":")[0] or f"{env['SLURM_JOB_ID']}.{env['SLURM_STEP_ID']}")
    if not docker("ps", "-qf", f"name=^{name}$"):
        if not image:
            raise ValueError(f"there is none of the name {name[6:]}")
        # One from before a reboot has ended.
        subprocess.run(["docker", "rm", "-fv", name], stdout=-3, stderr=-3)
        words = ["--gpus=all"] * os.path.exists("/dev/nvidiactl")
        mounts = options.get("container-mounts", "").split(",") + ["/root"] * ("container-mount-home" in options)
        for mount in filter(None, mounts):
            source, _, rest = mount.partition(":")
            if source == "tmpfs":
                words.append("--tmpfs=" + rest)
                continue
            source = os.path.join(where, source)
            # Docker would make an empty folder of it.
            os.stat(source)
            words.append(f"-v{source}:{rest.replace('+', ',') or source}")
        # Apart from its files it is the machine: tasks are started as other programs are, and get signals.
        for kind in "network", "ipc", "pid", "uts":
            words.append(f"--{kind}=host")
        docker("run", "-d", "--privileged", "--label=flowc", "--name=" + name, *words, "--entrypoint=sleep", image, "infinity")
    (box,) = json.loads(docker("inspect", name))
    image_env = dict(pair.split("=", 1) for pair in box["Config"]["Env"] or ())
    for kept in options.get("container-env", "").split(","):
        image_env.pop(kept, 0)
    return box["State"]["Pid"], options.get("container-workdir") or box["Config"]["WorkingDir"] or "/", image_env


# Docker and, for GPUs, what gives them to containers.
INSTALL = """
add() { command -v $1 >/dev/null||{ apt-get -qq update;DEBIAN_FRONTEND=noninteractive apt-get -qqy --no-install-recommends -o DPkg::Lock::Timeout=600 install $2;};}
add docker docker.io||exit
[ ! -e /dev/nvidiactl ]||command -v nvidia-container-runtime-hook >/dev/null||{
u=https://nvidia.github.io/libnvidia-container k=/usr/share/keyrings/nvidia.asc
add curl curl
curl -fsSLo $k $u/gpgkey&&echo "deb [signed-by=$k] $u/stable/deb/\\$(ARCH) /">/etc/apt/sources.list.d/nvidia.list
add nvidia-container-runtime-hook nvidia-container-toolkit&&systemctl restart docker
}
"""
#% end
