"""Enroot's words, answered by the machine's docker, and Pyxis's variables: when, and as which containers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from flowc import driver
from flowc.body.out_of_reach import images_of_enroot
from flowc.profile import images
from tests.profile.jobs import JOB, ids, job_of

LINE = "programs: {enroot: docker}\n"
START = "enroot import -o t.sqsh docker://nvcr.io#nvidia/pytorch:24.05-py3\nenroot create -n t t.sqsh\n"

# A container is a process, a file tree is the machine's own; what docker is told is written down.
DOCKER = """\
#!/bin/bash
printf '%s\\n' "$*" >>"$LOG"
[ "$1" != login ] || echo "by $(cat)" >>"$LOG"
case "$*" in
*".Config.Entrypoint"*) printf '%s\\n' $ENTRY '' ;;
*".Config.Cmd"*) printf '%s\\n' $CMD '' ;;
*WorkingDir*) echo "$WORK" ;;
*State.Pid*) [ "${!#}" ] && cat "$FOLDER/${!#}" ;;
*".Config.Env"*) printf 'PATH=/image/bin:/usr/bin:/bin\\nOWN=image\\n\\n' ;;
"image inspect"*) [ "$HAS_IMAGE" ] ;;
pull*) [ ! "$NO_PULL" ] ;;
commit*) echo sha256:kept ;;
run*) box=box$RANDOM && echo $$ >"$FOLDER/$box" && echo $box ;;
rm*) rm -f "$FOLDER/${!#}" ;;
esac
"""
NSENTER = """\
#!/bin/bash
[ "$1" = -t ] && [ "$3" = -m ] || exit 99
shift 3
[ "$1" != -w ] || shift
exec "$@"
"""


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.data = folder / ".local/share/enroot"
        texts = {
            "docker": DOCKER,
            "nsenter": NSENTER,
            "enroot": images.program("enroot"),
            "flowc-image": images.names([("lab*.sqsh", "lab:1")]),
        }
        (folder / "bin").mkdir()
        for name, text in texts.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def run(self, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
        self.log.write_text("")
        env = {"PATH": f"{self.folder}/bin:/usr/bin:/bin", "HOME": str(self.folder), "LOG": str(self.log)}
        env |= {"FOLDER": str(self.folder), "WORK": str(self.folder), "HAS_IMAGE": "1", **environ}
        words = ["bash", "-c", line]
        return subprocess.run(words, env=env, cwd=self.folder, capture_output=True, text=True, check=False, timeout=20)

    def told(self, start: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(start)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("uri", "file", "image"),
    [
        ("docker://ubuntu", "ubuntu+latest.sqsh", "ubuntu"),
        ("docker://nvidia/cuda:12.4", "nvidia+cuda+12.4.sqsh", "nvidia/cuda:12.4"),
        (
            "docker://nvcr.io#nvidia/pytorch:24.05-py3",
            "nvidia+pytorch+24.05-py3.sqsh",
            "nvcr.io/nvidia/pytorch:24.05-py3",
        ),
        ("docker://$oauthtoken@nvcr.io/nvidia/cuda", "nvidia+cuda+latest.sqsh", "nvcr.io/nvidia/cuda"),
        ("docker://host:5000/a:1", "a+1.sqsh", "host:5000/a:1"),
        ("docker://ubuntu@sha256:12", "ubuntu+sha256:12.sqsh", "ubuntu@sha256:12"),
        ("dockerd://me/x:1", "me+x+1.sqsh", "me/x:1"),
    ],
)
def test_a_file_holds_the_name_of_its_image(machine: Machine, uri: str, file: str, image: str) -> None:
    assert machine.run(f"enroot import '{uri}'").stderr == ""
    assert (machine.folder / file).read_text() == f"docker://{image}\n"
    assert machine.run(f"enroot import '{uri}'").returncode == 1
    assert machine.run(f"flowc-image ./{file}").stdout == f"{image}\n"


def test_a_login_is_the_one_among_enroots_credentials(machine: Machine) -> None:
    folder = machine.folder / ".config/enroot"
    folder.mkdir(parents=True)
    (folder / ".credentials").write_text(
        "# machine nvcr.io login no password no\n"
        "machine other.io login me password no\n"
        "machine nvcr.io login $oauthtoken password $(printf 'na-%s' pass)\n"
        "machine auth.docker.io login hub password hub-pass more\n"
    )
    for uri, told in (
        ("nvcr.io#a/b", ["login -u $oauthtoken --password-stdin nvcr.io", "by na-pass"]),
        ("someone@nvcr.io#a/c", []),
        ("ubuntu", ["login -u hub --password-stdin docker.io", "by hub-pass"]),
        ("ghcr.io#a/d", []),
    ):
        assert machine.run(f"enroot import docker://{uri}").returncode == 0
        assert [*machine.told("login"), *machine.told("by")] == told


def test_a_program_runs_in_a_container(machine: Machine) -> None:
    machine.run("enroot import -o t.sqsh docker://torch:1; enroot create --name=t t.sqsh")
    told = 'echo "$1 $OWN $SAID $GIVEN $SLURM_JOB_ID $PATH $HOME"; pwd; exit 7'
    options = "--rw --root -e GIVEN -m .:mnt --mount=/usr:/u:none:x-create=dir,ro"
    line = f"GIVEN=mine enroot start {options} t sh -c '{told}' a 'b c'"
    done = machine.run(line, SAID="job", SLURM_JOB_ID="4")
    assert done.stdout == f"b c image  mine 4 /image/bin:/usr/bin:/bin /root\n{machine.folder}\n", done.stderr
    assert done.returncode == 7
    (started,) = machine.told("run")
    assert f" -v{machine.folder}:/mnt -v/usr:/u:ro --entrypoint=sh torch:1 " in started


def test_an_image_starts_as_it_says(machine: Machine) -> None:
    assert machine.run("enroot start lab-2.sqsh", ENTRY="echo", CMD="last").stdout == "last\n"
    assert machine.told("run --rm")
    assert machine.run("enroot start lab-2.sqsh a 'b c'", ENTRY="echo", CMD="last").stdout == "a b c\n"
    (machine.folder / "rc").write_text("echo rc $1\n")
    machine.run("enroot start --rc rc lab-2.sqsh x")
    assert f"-v{machine.folder}/rc:/etc/rc:ro " in machine.told("run")[0]


def test_what_is_written_in_a_container_stays(machine: Machine) -> None:
    machine.run("enroot load -n t docker://torch:1")
    assert machine.run("enroot start -w t true; enroot start t true; srun=1 enroot start t true").stderr == ""
    assert len(machine.told("run")) == 1
    machine.run("enroot start -m /usr:/u t true")
    assert len(machine.told("commit")) == 1
    assert " sha256:kept -c " in machine.told("run")[0]
    assert machine.run("enroot export -o kept.sqsh t; cat kept.sqsh").stdout == "docker://sha256:kept\ntorch:1\n"
    machine.run("enroot start kept.sqsh true")
    assert any(line.endswith("torch:1") for line in machine.told("image inspect -f {{range .Config.Entrypoint}}"))


def test_containers_are_listed_and_removed(machine: Machine) -> None:
    machine.run("enroot load -n b docker://x; enroot load docker://library/a:2")
    assert machine.run("enroot list").stdout == "a+2\nb\n"
    assert machine.run("enroot list -f").stdout == "NAME PID COMM\na+2\nb\n"
    again = machine.run("enroot load -n b docker://x")
    assert again.stderr == f"[ERROR] File already exists: {machine.data}/b\n"
    assert machine.run("enroot load -f -n b docker://x").returncode == 0
    machine.run("enroot remove b </dev/null; echo y | enroot remove a+2; ls")
    assert machine.run("enroot list").stdout == "b\n"
    done = machine.run("enroot remove -f b; enroot remove -f b")
    assert done.stderr == f"[ERROR] No such file or directory: {machine.data}/b\n"


def test_a_program_joins_another(machine: Machine) -> None:
    # It has its variables when it is no copy of the shell any more.
    begun = "X=1 Y=2 sleep 5 & until [ $(</proc/$!/comm) = sleep ]; do :; done"
    line = f"{begun}; enroot exec -e Y=3 $! sh -c 'echo $X $Y'; kill $!"
    assert machine.run(line).stdout == "1 3\n"
    assert machine.run("enroot exec 999999999 true").stderr == "[ERROR] Process not found: 999999999\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("enroot start no-such true", "No such file or directory: {data}/no-such"),
        ("enroot create other.sqsh", "No such file or directory: {folder}/other.sqsh"),
        ("touch o.sqsh; enroot create o.sqsh", "no line of the profile says what `o.sqsh` is"),
        ("touch o.sqsh; enroot start o.sqsh", "no line of the profile says what `o.sqsh` is"),
        ("enroot start -m /not/there:/x lab.sqsh", "failed to mount: /not/there at /x: No such file or directory"),
        ("enroot batch x", "`enroot batch ` is not answered here"),
        ("enroot start -c conf lab.sqsh", "`enroot start -c` is not answered here"),
        ("enroot import podman://x", "Invalid argument: podman://x"),
        ("enroot start", "Invalid argument"),
        ("HAS_IMAGE= NO_PULL=1 enroot import docker://x", "cannot pull x"),
    ],
)
def test_what_cannot_be_is_said(machine: Machine, line: str, says: str) -> None:
    done = machine.run(line)
    assert (done.returncode, done.stderr) == (1, f"[ERROR] {says}\n".format(data=machine.data, folder=machine.folder))


def test_names_of_images() -> None:
    text = 'srun -N1 enroot start --rw -m /a:/b --env=X "$NAME" enroot\nenroot create -n x y.sqsh\nenroot list z\n'
    assert [(word, text[start : start + len(word)]) for start, word in images_of_enroot(text)] == [
        ('"$NAME"', '"$NAME"'),
        ("y.sqsh", "y.sqsh"),
    ]


@pytest.mark.parametrize(
    ("body", "unknown"),
    [
        (START + "srun enroot start --rw t python x.py\n", None),
        (
            "enroot import docker://ubuntu:22.04\nenroot create ubuntu+22.04.sqsh\nenroot start ubuntu+22.04 true\n",
            None,
        ),
        ("NAME=c_$SLURM_JOB_ID\nenroot load -n ${NAME} docker://x\nenroot start $NAME true\n", None),
        ("enroot start -m $PWD:/w mine true\n", "mine"),
        ("enroot start /lab/x.sqsh true\n", "/lab/x.sqsh"),
        ("F=/lab/x.sqsh\nenroot create -n t $F\nenroot start t true\n", "$F"),
        ("enroot start $1 true\n", None),
        (START + "srun --container-image=./t.sqsh true\n", None),
        (START + "srun --container-image=./u.sqsh true\n", "./u.sqsh"),
    ],
)
def test_docker_answers_where_a_line_says_so(
    told: Callable[..., driver.Result], body: str, unknown: str | None
) -> None:
    assert "FC804" in ids(told("{}\n", JOB + body, emit="mithril"))
    result = told(LINE, JOB + body, emit="mithril")
    assert "FC804" not in ids(result)
    said = [each.span.text for each in result.diagnostics if each.code.id == "FC818" and each.span]
    assert said == ([unknown] if unknown else [])
    assert not result.failed


@pytest.mark.parametrize(
    ("more", "word"), [("enroot exec 1 x\n", "Process not found"), ("ls .credentials\n", "docker login")]
)
def test_what_no_text_calls_takes_no_room(told: Callable[..., driver.Result], more: str, word: str) -> None:
    setups = [job_of(told(LINE, JOB + START + each))["setup"] for each in ("", more)]
    assert [word in each for each in setups] == [False, True]


def test_images_of_the_profile_are_files_and_containers(told: Callable[..., driver.Result]) -> None:
    lines = "images: {mine: 'lab:1', '*.sqsh': 'lab:2'}\n"
    result = told(lines, JOB + "enroot start mine true\nenroot start /lab/x.sqsh true\n", emit="mithril")
    assert not {"FC804", "FC818"} & ids(result)
    found = job_of(told(lines, JOB + "enroot start mine true\n"))
    assert (found["programs"], "/usr/local/bin/enroot" in found["setup"]) == (["enroot"], True)


def test_only_enroot_is_answered_so(told: Callable[..., driver.Result]) -> None:
    result = told("programs: {gmx: docker}\n", JOB + "gmx\n")
    assert [each.span.text for each in result.diagnostics if each.severity == "error" and each.span] == ["docker"]


def test_image_file_of_a_directive(told: Callable[..., driver.Result]) -> None:
    script = JOB + "#SBATCH --container-image=/lab/x.sqsh\npython -V\n"
    assert told("{}\n", script).failed
    result = told("images: {x.sqsh: 'lab:2'}\n", script, emit="plan")
    (used,) = job_of(result)["profile"]["used"]
    assert used == {"entry": "images.x.sqsh", "line": 1, "brings": "image lab:2", "instead_of": ["FC183"]}
    assert job_of(told("images: {x.sqsh: 'lab:2'}\n", script))["image"] == "lab:2"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("export PYXIS_CONTAINER_IMAGE=/lab/x.sqsh\nsrun true\n", "FC818"),
        ("export PYXIS_CONTAINER_IMAGE=ubuntu PYXIS_CONTAINER_MOUNTS=/usr:/u\nsrun python x.py\n", None),
    ],
)
def test_variables_of_pyxis(told: Callable[..., driver.Result], body: str, code: str | None) -> None:
    found = ids(told("{}\n", JOB + body, emit="mithril"))
    assert ("FC818" in found) is (code is not None)
    assert "FC840" not in found
    text = told("{}\n", JOB + body, emit="script").artifacts[0].text
    assert "PYXIS_CONTAINER_" in text.split(body)[0] + text.split(body)[-1]
    assert "FC818" not in ids(told("images: {x.sqsh: 'lab:1'}\n", JOB + body, emit="mithril"))
