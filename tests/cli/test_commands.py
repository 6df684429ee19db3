from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from flowc import driver
from flowc.cli.commands import COMMANDS, all_commands, load
from flowc.inputs import Inputs
from tests.cli.conftest import BAD, GOOD, ROOT, Outcome

Run = Callable[..., Outcome]
Process = Callable[..., "subprocess.CompletedProcess[bytes]"]


def test_compile_prints_the_artifact_and_nothing_else(flowc: Run, job: Path) -> None:
    done = flowc("compile", job.name)
    assert done.status == 0
    assert json.loads(done.out)["format"] == "flowc.mithril/1"


@pytest.mark.parametrize("target", driver.TARGETS)
def test_every_target_is_emitted(flowc: Run, job: Path, target: str) -> None:
    done = flowc("compile", job.name, "--emit", target)
    assert done.status == 0, done.err
    assert done.out.endswith("\n")


def test_compile_writes_files_below_a_folder(flowc: Run, job: Path) -> None:
    done = flowc("compile", job.name, "-o", "out/deep")
    assert (done.status, done.out) == (0, "")
    names = {path.name for path in Path("out/deep").iterdir()}
    assert names == {"request.json", "startup.sh", "startup.plain.sh", "report.txt"}


def test_several_sources_get_a_folder_each(flowc: Run, job: Path) -> None:
    Path("b").mkdir()
    Path("b/job.sbatch").write_text(GOOD)
    assert flowc("compile", "job.sbatch", "b/job.sbatch", "-o", "out").status == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["job", "job-2"]


def test_errors_give_status_1_and_no_artifact(flowc: Run, bad: Path) -> None:
    done = flowc("compile", bad.name, "-o", "out")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("bad.sbatch:2:23: error[FC")
    assert done.err.endswith("1 error in 1 file\n")
    assert not Path("out").exists()


def test_missing_file_gives_status_4_and_a_suggestion(flowc: Run, job: Path) -> None:
    done = flowc("compile", "jbo.sbatch", "job.sbatch")
    assert done.status == 4
    assert "cannot read `jbo.sbatch`: no such file" in done.err
    assert "did you mean `job.sbatch`?" in done.err
    assert json.loads(done.out)["format"] == "flowc.mithril/1"


def test_folder_cannot_be_compiled(flowc: Run, folder: Path) -> None:
    done = flowc("compile", ".")
    assert done.status == 4
    assert "it is a folder" in done.err


def test_what_cannot_be_opened_gives_status_4(flowc: Run, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:  # permissions would not stop root
        listener.bind("plug.sbatch")
        done = flowc("compile", "plug.sbatch")
    assert done.status == 4
    assert "cannot read `plug.sbatch`: no such device or address" in done.err


def test_endless_source_is_refused(flowc: Run, folder: Path) -> None:
    done = flowc("check", "/dev/zero")
    assert done.status == 4
    assert "more than 16 MiB" in done.out


def test_catalog_that_cannot_be_read_gives_status_4(flowc: Run, job: Path) -> None:
    done = flowc("compile", job.name, "--catalog", "nowhere.json")
    assert (done.status, done.out) == (4, "")
    assert "cannot read the catalog `nowhere.json`" in done.err


def test_output_must_be_a_folder(flowc: Run, job: Path) -> None:
    done = flowc("compile", job.name, "-o", job.name)
    assert done.status == 2
    assert "is not a folder" in done.err


def test_output_that_cannot_be_written_gives_status_4(flowc: Run, job: Path) -> None:
    done = flowc("compile", job.name, "-o", "/proc/nowhere")
    assert done.status == 4
    assert "cannot write" in done.err


def test_wrap_needs_no_source(flowc: Run, folder: Path) -> None:
    done = flowc("compile", "--emit", "ast", "--", "--gpus=1", "--wrap", "echo hi")
    assert done.status == 0, done.err
    assert json.loads(done.out)["options"]["gpus"]


@pytest.mark.parametrize("words", [["compile"], ["check"], ["compile", "--", "-N2"], ["explain"], ["completion"]])
def test_nothing_to_do_is_wrong_usage(flowc: Run, folder: Path, words: list[str]) -> None:
    done = flowc(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.count("\n") == 2


@pytest.mark.parametrize("name", ["local", "profile"])
def test_where_the_first_word_says_what_to_do_its_help_is_shown_for_none(flowc: Run, name: str) -> None:
    done = flowc(name)
    assert (done.status, done.out) == (2, "")
    assert done.err == flowc(name, "--help").out


def test_flag_with_a_wrong_value_is_wrong_usage(flowc: Run, job: Path) -> None:
    done = flowc("compile", job.name, "--time", "soon")
    assert (done.status, done.out) == (2, "")
    assert "1 | flowc compile job.sbatch --time soon\n" in done.err
    assert flowc("compile", job.name, "--budget", "1").status == 1  # the flag is right, the job is too dear


def test_unknown_command_gets_a_suggestion(flowc: Run, job: Path) -> None:
    done = flowc("chekc", "x")
    assert done.status == 2
    assert "did you mean `flowc check`?" in done.err
    assert "`flowc compile job.sbatch`" in flowc("job.sbatch").err
    assert "did you mean `flowc check`?" in flowc("help", "chekc").err


def test_help_may_stand_in_front_of_the_command(flowc: Run) -> None:
    for words in (("compile",), ()):
        asked, shown = flowc("help", *words), flowc(*words, "--help")
        assert (asked.status, asked.out, asked.err) == (0, shown.out, "")


def test_mistakes_of_a_catalog_stand_at_its_file(flowc: Run, job: Path) -> None:
    Path("mine.json").write_text('{"as_of":')
    done = flowc("check", job.name, "--catalog", "mine.json")
    assert done.out.startswith("mine.json:1:9: error[FC612]")
    Path("mine.json").write_text("{}")
    assert flowc("check", job.name, "--catalog", "mine.json").out.startswith("mine.json:1:1: error[FC613]")


def test_check_shows_findings_on_standard_output(flowc: Run, job: Path, bad: Path) -> None:
    done = flowc("check", "bad.sbatch", "job.sbatch")
    assert (done.status, done.err) == (1, "")
    assert done.out.startswith("bad.sbatch:2:23: error[FC")
    assert " in 2 files" in done.out.splitlines()[-1]


def test_strict_makes_warnings_errors(flowc: Run, folder: Path) -> None:
    Path("job.sbatch").write_text("#!/bin/bash\n#SBATCH --gpus=1 --time=10\n# SBATCH -N2\ntrue\n")
    assert flowc("check", "job.sbatch").status == 0
    assert flowc("check", "--strict", "job.sbatch").status == 1


def test_check_reads_standard_input(process: Process) -> None:
    done = process("check", "-", "--format", "json", input=BAD.encode())
    assert done.returncode == 1
    assert {each["path"] for each in json.loads(done.stdout)["diagnostics"]} == {"<stdin>"}


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_machine_formats_are_utf8_whatever_the_input(process: Process, folder: Path, form: str) -> None:
    Path("odd\udcff.sbatch").write_bytes("#!/bin/bash\n#SBATCH --tmié=\udcff\n".encode("utf-8", "surrogateescape"))
    done = process("check", "--format", form, ".", cwd=folder, environ={"LC_ALL": "C", "PYTHONUTF8": "0"})
    assert done.returncode == 1
    json.loads(done.stdout.decode("utf-8"))


def test_check_walks_folders(flowc: Run, folder: Path) -> None:
    for name in (
        "b/one.sbatch",
        "a/two.slurm",
        "a/three.sh",
        ".hidden/x.sbatch",
        "venv/y.sbatch",
        "env/z.sbatch",
    ):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(GOOD)
    (folder / "a/plain.sh").write_text("#!/bin/sh\necho hi\n")
    (folder / "a/notes.txt").write_text("#SBATCH\n")
    (folder / "env/pyvenv.cfg").write_text("")
    os.mkfifo(folder / "a/pipe.sbatch")
    done = flowc("check", ".", "a/notes.txt", "--format", "json", "--strict")
    assert json.loads(done.out)["summary"]["files"] == 4
    (folder / "b/one.sbatch").write_text(BAD)
    (folder / "a/three.sh").write_text(BAD)
    done = flowc("check", ".", "--format", "json")
    paths = [each["path"] for each in json.loads(done.out)["diagnostics"] if each["severity"] == "error"]
    assert paths == ["a/three.sh", "b/one.sbatch"]


def test_folder_without_jobs_says_what_is_looked_for(flowc: Run, folder: Path) -> None:
    done = flowc("check", ".")
    assert (done.status, done.out) == (0, "")
    assert "no job files found below `.`" in done.err
    assert ".sbatch" in done.err


def test_many_files_are_checked_in_their_order(flowc: Run, folder: Path) -> None:
    for number in range(100):
        (folder / f"{number:03}.sbatch").write_text(BAD if number % 7 == 0 else GOOD)
    alone = [flowc("check", f"{number:03}.sbatch").out for number in range(0, 100, 7)]
    done = flowc("check", ".")
    assert done.status == 1
    assert done.out.startswith("".join(text[: text.rindex("1 error")] for text in alone)[:200])
    places = [line.split(":")[0] for line in done.out.splitlines() if ": error[" in line]
    assert places == [f"{number:03}.sbatch" for number in range(0, 100, 7)]
    assert done.out.splitlines()[-1].startswith("15 errors")
    assert " in 100 files" in done.out.splitlines()[-1]


def test_fix_mends_the_file_and_keeps_its_mode(flowc: Run, bad: Path) -> None:
    bad.chmod(0o751)
    Path("link.sbatch").symlink_to("bad.sbatch")
    done = flowc("check", "--fix", "link.sbatch")
    assert done.status == 0, done.out
    assert bad.read_text() == BAD.replace("--tmie", "--time")
    assert bad.stat().st_mode & 0o777 == 0o751
    assert Path("link.sbatch").is_symlink()
    assert "fixed 1 problem\n" in done.out
    assert sorted(path.name for path in Path().iterdir()) == ["bad.sbatch", "link.sbatch"]


def test_fix_cannot_change_standard_input(flowc: Run, folder: Path) -> None:
    assert flowc("check", "--fix", "-").status == 2


@pytest.mark.parametrize("command", all_commands(), ids=lambda command: command.name)
def test_help_shows_every_option_and_an_example(flowc: Run, command: object) -> None:
    done = flowc(command.name, "--help")  # type: ignore[attr-defined]
    assert (done.status, done.err) == (0, "")
    assert all(option.name in done.out for option in command.options)  # type: ignore[attr-defined]
    assert f"flowc {command.name}" in done.out  # type: ignore[attr-defined]
    assert max(map(len, done.out.splitlines())) <= 120


def help_in_a_terminal(words: tuple[str, ...], columns: int, environ: dict[str, str]) -> str:
    """What a process prints into a terminal of that many columns."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.defpath, "TERM": "xterm", **environ}
    command = [sys.executable, "-m", "flowc", *words, "--help"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        text = b""
        with suppress(OSError):  # as the end of a terminal is told
            while part := os.read(ours, 65536):
                text += part
        assert process.wait() == 0
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 80, 132])
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_as_wide_as_the_terminal(name: str, columns: int) -> None:
    words = (name,) if name else ()
    shown = help_in_a_terminal(words, columns, {})
    assert max(map(len, shown.splitlines())) <= min(columns, 120)
    whole = help_in_a_terminal(words, 500, {})
    # Nothing is lost, whatever it is parted at.
    page, known = (re.sub(r"\s", "", text.split("\nExamples:\n")[0]) for text in (shown, whole))
    assert page == known
    commands = [load(name).COMMAND] if name else all_commands()
    for example, meaning in [each for command in commands for each in command.examples[: None if name else 1]]:
        assert example in re.sub(r" \\\n +", " ", shown)
        assert re.sub(r"[\s#]", "", meaning) in re.sub(r"[\s#]", "", shown)
    # An option and its value are read together, as are flowc and its command.
    assert not re.search(r"(?:\s--?(?!parsable)\w[\w-]*|\bflowc) \\\n +[^-\s]", shown)


def test_columns_win_over_the_terminal() -> None:
    assert help_in_a_terminal(("submit",), 132, {"COLUMNS": "60"}) == help_in_a_terminal(("submit",), 60, {})
    for nonsense in ("", "0", "wide", "-3", "99999999999"):
        assert help_in_a_terminal(("submit",), 60, {"COLUMNS": nonsense}) == help_in_a_terminal(("submit",), 60, {})


def test_explain_takes_codes_and_names(flowc: Run) -> None:
    by_code = flowc("explain", "fc400")
    assert by_code.status == 0
    assert by_code.out == flowc("explain", "unreadable-source").out
    assert "did you mean `unreadable-source`?" in flowc("explain", "unreadable-sorce").err
    codes = json.loads(flowc("explain", "--all", "--format", "json").out)["codes"]
    assert "FC400" in {each["code"] for each in codes}


def test_internal_error_is_reported_without_a_traceback(flowc: Run, job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise AssertionError("resolve: a plan without a machine")

    monkeypatch.setattr(driver, "compile_all", broken)
    monkeypatch.setattr(driver, "check", broken)
    for command in ("compile", "check"):
        done = flowc(command, job.name)
        assert done.status == 3
        assert "internal error: AssertionError: resolve: a plan without a machine" in done.err
        assert "Traceback" not in done.err
    monkeypatch.setenv("FLOWC_DEBUG", "1")
    assert "Traceback" in flowc("compile", job.name).err


def test_reader_that_goes_away_is_no_error(job: Path) -> None:
    shell = f"{sys.executable} -m flowc explain --all | head -n 1 >&2; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, check=False, env={"PYTHONPATH": str(ROOT), **os.environ}
    )
    assert done.stderr.count(b"\n") == 1
    assert done.returncode in (0, 141)  # 0 where the pipe took everything


def test_interrupt_ends_with_130_and_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "flowc", "check", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
    ) as running:
        assert running.stdin is not None
        running.stdin.write(b"#!/bin/sh\n" * 20_000)  # more than a pipe holds: it is reading by now
        running.stdin.flush()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate()
    assert (running.returncode, err) == (130, b"")


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_terminals_and_those_who_ask(
    process: Process, bad: Path, environ: dict[str, str], coloured: bool
) -> None:
    done = process("check", str(bad), environ=environ)
    assert (b"\x1b[" in done.stdout) == coloured


def test_fix_leaves_alone_what_would_make_another_job_of_it(tmp_path: Path, flowc: Run) -> None:
    job = tmp_path / "job.sbatch"
    text = "#!/bin/bash\n#SBATCH --gpus=h100:8 --tmie=10\ntrue\n#SBATCH --array=0-99\n"
    job.write_text(text)
    flowc("check", "--fix", str(job))
    assert job.read_text() == text.replace("--tmie", "--time")


def test_exported_names_reach_the_job_and_no_other_variable_does(
    process: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    job = tmp_path / "job.sbatch"
    job.write_text("#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10 --export=RUN_MODE,B=2\ntrue\n")
    done = process("compile", str(job), "--emit", "script", environ={"RUN_MODE": "fast lane", "OTHER": "not this one"})
    assert b"RUN_MODE=fast lane" in done.stdout
    assert b"not this one" not in done.stdout + done.stderr
    assert b"FC187" not in done.stderr


def test_inputs_show_no_value_of_the_environment() -> None:
    assert "hunter2" not in repr(Inputs(environ=(("DB_PASSWORD", "hunter2"),)))


def test_a_signal_that_comes_while_a_library_makes_its_classes_asks_for_the_end() -> None:
    from flowc.cli.tasks.guard import guarded

    class Asks:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt(15)

    def work() -> int:
        return len(type("Made", (), {"at": Asks()}).__name__)

    with pytest.raises(KeyboardInterrupt) as caught:
        guarded(work, failed=4)
    assert caught.value.args == (15,)
