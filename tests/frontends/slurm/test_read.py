"""What reading gives besides the options: faults with their places, all of them in one run, and the tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowc.diag.sink import Diagnostic, Sink
from flowc.frontends.slurm.ast import Ast, document
from flowc.frontends.slurm.lowering.lower import lower
from flowc.frontends.slurm.read import read
from flowc.inputs import Inputs
from flowc.source import Source
from tests.frontends.slurm.generator import case


def run(text: str, *args: str, version: str = "22.05", **environ: str) -> tuple[Ast | None, list[Diagnostic]]:
    sink = Sink()
    inputs = Inputs(args=args, environ=tuple(environ.items()), slurm_version=version)
    return read(Source("job.sh", text), inputs, sink), sink.diagnostics


def script(*lines: str, body: str = "hostname\n") -> str:
    return "#!/bin/bash\n" + "".join(f"#SBATCH {line}\n" for line in lines) + body


def options(text: str, *args: str, version: str = "22.05", **environ: str) -> dict[str, str]:
    ast, diagnostics = run(text, *args, version=version, **environ)
    assert ast is not None
    assert [each.message for each in diagnostics if each.severity == "error"] == []
    return ast.components[0].options


FAULTS = [
    ("--time=1h", "FC108", "h"),
    ("--mem=4GiB", "FC108", "i"),
    ("--nodes=4-2", "FC108", "4-2"),
    ("--ntasks=4x", "FC108", "x"),
    ('--time="1:2:3:4"', "FC108", ":"),
    ("-N=2", "FC108", "=2"),
    ("--tmie=5", "FC104", "--tmie"),
    ("--node=5", "FC105", "--node"),
    ("--hold=yes", "FC107", "--hold=yes"),
    ("--requeue now", "FC103", "now"),
    ("--comment=it's", "FC101", "'s"),
    ("-N1 : -N2", "FC102", ":"),
    ("--gpus=8 --gpus-per-node=3", "FC109", "--gpus-per-node=3"),
    ("--mem=1G --mem-per-cpu=1G", "FC109", "--mem-per-cpu=1G"),
    ("--gres=gpu:a:x", "FC108", "gpu:a:x"),
    ("--nodefile=x", "FC113", "x"),
    ("--gres=help", "FC115", "help"),
]


@pytest.mark.parametrize(("line", "code", "place"), FAULTS)
def test_faults_and_their_places(line: str, code: str, place: str) -> None:
    _, diagnostics = run(script(line))
    (fault,) = [each for each in diagnostics if each.severity == "error"]
    assert fault.code.id == code
    assert fault.span is not None
    assert fault.span.text == place


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--environment=tools.toml", "a site's plugin"),
        ("--env=A=1", "to sbatch this is `--export`"),
        ("--exact", "an option of srun"),
    ],
)
def test_an_option_of_others_is_told_what_it_is_and_not_renamed_to_what_it_is_not(line: str, words: str) -> None:
    _, diagnostics = run(script(line))
    (fault,) = [each for each in diagnostics if each.severity == "error"]
    assert fault.code.id == "FC104"
    assert words in (fault.help or "")
    assert (fault.fix is not None) == ("to sbatch" in words)


def test_all_faults_of_a_script_are_told_in_one_run() -> None:
    text = script("--time=1h --foo=2", "-N x", "--mem=1G --mem-per-cpu=2G stray", "--array=3-1")
    sink = Sink()
    ast = read(Source("job.sh", text), Inputs(), sink)
    assert ast is not None
    assert not sink.stopped
    assert lower(ast, Inputs(), sink) == []
    assert sorted(each.code.id for each in sink.diagnostics if each.severity == "error") == [
        "FC103",
        "FC104",
        "FC108",
        "FC108",
        "FC109",
        "FC110",
    ]


def test_what_only_the_controller_refuses_is_left_to_the_lowering() -> None:
    assert options(script("--array=3-1")) == {"array": "3-1"}


@pytest.mark.parametrize(
    ("line", "fixed"),
    [
        ("--tmie=5", "--time=5"),
        ("-nodes=2", "--nodes=2"),
        ("-time=10", "--time=10"),
        ("-job-name=x", "--job-name=x"),
        ("-N=2", "-N 2"),
        ("-p=gpu", "-p gpu"),
        ("-output=x", "--output=x"),
        ("--ntask-per-node=2", "--ntasks-per-node=2"),
    ],
)
def test_fixes_mend_what_they_are_for(line: str, fixed: str) -> None:
    text = script(line)
    _, diagnostics = run(text)
    (fix,) = [each.fix for each in diagnostics if each.fix is not None]
    for edit in sorted(fix.edits, key=lambda each: -each.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert text == script(fixed)
    assert [each for each in run(text)[1] if each.severity != "note"] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "FC001"),
        (" \n", "FC001"),
        ("hostname\n", "FC002"),
        ("\n#!/bin/sh\n", "FC002"),
        ("#!/bin/sh\n\0", "FC003"),
        ("#!/bin/sh\r\nx\r\n", "FC004"),
        ("#!/bin/sh\n" + "x" * (4 << 20), "FC005"),
    ],
)
def test_files_that_are_refused(text: str, code: str) -> None:
    assert [each.code.id for each in run(text)[1]] == [code]


def test_the_tree_of_a_script() -> None:
    text = "#!/bin/bash -l\n# c\n#SBATCH -N2\n\necho x\n"
    ast, _ = run(text, "--time=5", "--", "a", "b c")
    assert ast is not None
    assert (ast.shebang, ast.body_line, ast.script_args, ast.text) == ("/bin/bash -l", 5, ("a", "b c"), text)
    shown = document(ast)
    assert shown["options"] == {"nodes": "2", "time": "00:05:00"}
    assert shown["directives"][0] == {"option": "nodes", "value": "2", "line": 3, "column": 9, "end_column": 12}
    assert shown["directives"][1]["origin"] == "arguments"
    assert run("#!/bin/sh\n#SBATCH -N2\n")[0].body_line is None  # type: ignore[union-attr]


def test_wrap_makes_the_script() -> None:
    ast, _ = run("", "--wrap=hostname -f", "-N2")
    assert ast is not None
    assert ast.text == "#!/bin/sh\n# This script was created by sbatch --wrap.\n\nhostname -f\n"
    assert ast.shebang is None
    assert ast.components[0].options == {"nodes": "2", "wrap": "hostname -f"}


def test_given_tells_where_each_option_comes_from() -> None:
    ast, _ = run(script("-p a", "--job=x"), "-p", "b", SBATCH_QOS="q")
    assert ast is not None
    origins = {name: (given.origin, given.written, given.value) for name, given in ast.components[0].given.items()}
    assert origins == {
        "partition": ("arguments", "-p", "b"),
        "job-name": ("script", "--job", "x"),
        "qos": ("environment", "SBATCH_QOS", "q"),
    }


def test_components_inherit_what_is_carried() -> None:
    ast, _ = run(script("-N1 -A x -p y --mem=1G", "hetjob", "-n2"))
    assert ast is not None
    assert [component.options for component in ast.components] == [
        {"nodes": "1", "account": "x", "partition": "y", "mem": "1G"},
        {"account": "x", "mem": "1G", "ntasks": "2"},
    ]


def test_newer_releases_read_differently() -> None:
    new = "26.05"
    assert options(script("--gres=gpu:2,x:1"), version=new)["gres"] == "gres/gpu:2,gres/x:1"
    assert options(script("--gres=gpu=2"), version=new)
    assert options(script(r"--job-name=a\ b"), version=new)["job-name"] == "a b"
    assert options(script("-N 1-15:4"), version=new)["nodes"] == "1-13"
    assert options(script("--mail-type=END --mail-type=FAIL"), version=new)["mail-type"] == "FAIL"
    assert options(script("--mail-type=END --mail-type=FAIL"))["mail-type"] == "END,FAIL"
    assert options(script("--segment=4"), version=new)["segment"] == "4"
    assert options(script("--exclusive=topo"), version=new)["exclusive"] == "topo"
    for line in ("--power=level", "--exclusive -s", "--cpus-per-gpu=4", "--gres=gpu:1 --gpus-per-node=1", "--ext=2"):
        assert any(each.severity == "error" for each in run(script(line), version=new)[1])
        assert not any(each.severity == "error" for each in run(script(line))[1])


@settings(deadline=None)
@given(st.text(max_size=120) | st.text("#!SBATCH-=\n \"'\\:hetjobN2%[]{}<>$", max_size=120), st.booleans())
def test_any_text_is_read_and_spans_lie_in_it(text: str, head: bool) -> None:
    text = "#!/bin/sh\n#SBATCH " + text if head else text
    _, diagnostics = run(text)
    for each in diagnostics:
        spans = [each.span, *(span for span, _ in each.notes)]
        spans += [edit.span for edit in each.fix.edits] if each.fix else []
        for span in filter(None, spans):
            assert 0 <= span.start <= span.end <= len(span.source.text)


@settings(deadline=None, max_examples=60)
@given(st.randoms(use_true_random=False), st.sampled_from(["22.05", "23.11", "26.05"]))
def test_made_up_scripts_are_read_by_every_release(random: object, version: str) -> None:
    made = case(random)  # type: ignore[arg-type]
    run(made["script"] or "", *made["args"], version=version, **made["env"])


@pytest.mark.parametrize(
    ("options", "refused"),
    [("-x a/b", True), ("-x a/b -x n1", False), ("-w a/b -w n1", False), ("-x n1 -x a/b", True), ("-w a/b", True)],
)
def test_only_the_list_of_hosts_in_force_may_be_no_file(options: str, refused: bool) -> None:
    sink = Sink()
    read(Source("job.sbatch", f"#!/bin/sh\n#SBATCH {options}\ntrue\n"), Inputs(), sink)
    assert sink.failed is refused
