"""A container for the tasks of a step on one node (the words of pyxis)."""
#% if container
def credentials(image):
    """An image as docker writes it, and the registry, user and password that enroot's file of credentials has for it: a
    line of netrc, whose password a shell reads where it begins with `$`."""
    front, mark, rest = image.removeprefix("docker://").partition("#")
    user, at, registry = front.rpartition("@") if mark else ("", "", front)
    image = registry + "/" * bool(mark) + rest
    registry, mark, _ = image.partition("/")
    hosts = [registry.split(":")[0]]
    if not mark or not {".", ":"} & {*registry}:
        registry, hosts = "docker.io", ["docker.io", "registry-1.docker.io", "auth.docker.io"]
    config = ENV.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    try:
        lines = open((ENV.get("ENROOT_CONFIG_PATH") or config + "/enroot") + "/.credentials").readlines()
    except OSError:
        lines = []
    for line in lines:
        words = line.split(None, 5)
        if words[::2] == ["machine", "login", "password"] and words[1] in hosts and user in ("", words[3]) and words[5:]:
            password = words[5]
            return image, [registry, words[3], os.popen("echo " + password).read() if password[0] == "$" else password.split()[0]]
    if user:
        die(f"error: no password of {user} for {registry} in enroot's .credentials on this machine")
    return image, ()


def enter(options, where, env):
    """Makes the container of a step on this node, or finds the one of that name. All tasks of the node are in it.

    Gives its process, its folder and its variables; OSError or CalledProcessError where that cannot be."""
    import json, subprocess

    def docker(*words):
        return subprocess.run(["docker", *words], check=True, stdout=subprocess.PIPE, stderr=2).stdout

    image = options.get("container-image")
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
        if options.get("login"):
            registry, user, password = options["login"]
            # In memory.
            ENV["DOCKER_CONFIG"] = "/run/flowc.login"
            subprocess.run(["docker", "login", "-u", user, "--password-stdin", registry], input=password.strip().encode(), check=True, stdout=-3)
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
