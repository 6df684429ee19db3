"""Findings of one kind about one job are one, which lists the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowc import driver
from flowc.cli import main
from flowc.diag.gather import gathered
from flowc.diag.jobs import areas, labels
from flowc.diag.render import render
from flowc.inputs import Inputs
from flowc.source import Source

MODULES = """\
#!/bin/bash
#SBATCH --gpus=h100:8 --time=10
module load gaussian
module load vasp
nvidia-smi
module load gaussian
"""
KIN = "#!/bin/bash\n#SBATCH -p gpu --gpus=8 --time=10 --nodes=2\nsrun nvidia-smi\n"
TWO = """\
name: first
command: nvidia-smi
instance_type: 8xh100
max_price_per_hour: 9
max_run_time_hours: 1
---
name: second
command: nvidia-smi
instance_type: 1xa100
upload_code: true
"""


def shown(text: str, path: str = "job.sbatch") -> list[tuple[str, list[str]]]:
    found = driver.check(Source(path, text), Inputs()).diagnostics
    return [(each.first.code.id, [other.code.id for other in each.others]) for each in gathered(path, found)]


def test_one_code_is_one_finding_with_its_places() -> None:
    assert shown(MODULES) == [("FC812", ["FC812"])]
    text = render("job.sbatch", driver.check(Source("job.sbatch", MODULES), Inputs()).diagnostics)
    assert "job.sbatch:3:13: warning[FC812]" in text
    assert "  = also line 4: the machine has nothing in place of module `vasp`\n" in text


def test_ignored_line_leaves_the_list() -> None:
    lines = MODULES.splitlines()
    lines[3] += "  # flowc: ignore[FC812]"
    assert shown("\n".join(lines)) == [("FC812", [])]
    lines = MODULES.splitlines()
    lines[2] += "  # flowc: ignore[FC812]"
    found = driver.check(Source("job.sbatch", "\n".join(lines)), Inputs()).diagnostics
    assert [each.span.line for each in found if each.span is not None] == [4]


def test_notes_stand_below_the_warning_of_their_kind() -> None:
    assert shown(KIN) == [("FC608", ["FC180", "FC707"])]
    text = render("job.sbatch", driver.check(Source("job.sbatch", KIN), Inputs()).diagnostics)
    assert "  = line 2: note[FC180] cluster-options: no effect outside the cluster: `--partition`\n" in text


def test_notes_without_a_warning_stand_below_the_first() -> None:
    assert shown(KIN.replace("gpus=8", "gpus=h100:16")) == [("FC180", ["FC707"])]


def test_what_one_help_mends_is_one_finding() -> None:
    text = MODULES.replace("module load vasp", "source /proj/lab/env.sh").replace("nvidia-smi", "conda activate lab")
    found = driver.check(Source("job.sbatch", text), Inputs()).diagnostics
    assert len({each.help for each in found}) == 1
    assert shown(text) == [("FC812", ["FC820", "FC804"])]
    lines = render("job.sbatch", found).splitlines()
    assert any(line.startswith("  = line 4: warning[FC820] cluster-path: ") for line in lines)
    # What Ubuntu has is mended otherwise.
    assert shown(text.replace("gaussian", "cmake")) == [("FC812", []), ("FC820", ["FC804"])]


def test_names_of_one_kind_stand_in_one_line() -> None:
    loads = "".join(f"module load {name}\n" for name in ("vasp", "abinit", "cmake", "lammps", "vasp", "orca"))
    found = driver.check(Source("job.sbatch", MODULES.partition("module")[0] + loads), Inputs()).diagnostics
    text = render("job.sbatch", found)
    assert "  = also lines 4, 6, 8: the machine has nothing in place of module `abinit`, `lammps`, `orca`\n" in text
    assert "  = also line 5: the machine has nothing in place of module `cmake` (`apt-get install" in text


def test_what_is_about_one_place_is_one_finding() -> None:
    text = "#!/bin/bash\n#SBATCH --gpus=1 --ntasks=28 --time=10\nnvidia-smi\n"
    assert shown(text) == [("FC608", ["FC606"])]


def test_no_limit_stands_below_the_price() -> None:
    assert shown("#!/bin/bash\n#SBATCH --gpus=1\nnvidia-smi\n") == [("FC608", ["FC703"])]


def test_errors_and_fixes_stay_alone() -> None:
    errors = "#!/bin/bash\n#SBATCH --tmie=5\n#SBATCH --mme=5\nhostname\n"
    assert shown(errors) == [("FC104", []), ("FC104", [])]


def test_open_placeholders_of_a_manifest_are_one_finding() -> None:
    job = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: "${A}-x", namespace: "${B}"}\n'
    job += "spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: x, command: [ls]}]}}}\n"
    assert ("FC307", ["FC307"]) in shown(job, "job.yaml")


def test_nothing_is_left_out_and_the_count_is_of_what_is_shown(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "job.sbatch").write_text(KIN)
    assert main(["check", "--format", "json", str(tmp_path / "job.sbatch")]) == 0
    whole: dict[str, Any] = json.loads(capsysbinary.readouterr().out)
    assert whole["summary"] == {"files": 1, "errors": 0, "warnings": 1, "notes": 0}
    (finding,) = whole["diagnostics"]
    assert [each["code"] for each in (finding, *finding["gathered"])] == ["FC608", "FC180", "FC707"]
    assert all(each["line"] == 2 for each in finding["gathered"])
    main(["check", str(tmp_path / "job.sbatch")])
    assert capsysbinary.readouterr().out.endswith(b"\n1 warning in 1 file\n")


@pytest.mark.parametrize("form", ["concise", "github", "sarif", "gitlab", "junit"])
def test_formats_that_point_at_lines_have_each_place(
    form: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "job.sbatch").write_text(KIN)
    main(["check", "--format", form, str(tmp_path / "job.sbatch")])
    text = capsysbinary.readouterr().out.decode()
    assert all(code in text for code in ("FC608", "FC180", "FC707"))


def test_findings_name_their_job_where_there_are_several(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_text(TWO)
    main(["check", "--from", "task-yaml", "--format", "json", str(path)])
    whole = json.loads(capsysbinary.readouterr().out)
    jobs = {(each["code"], each["job"]) for finding in whole["diagnostics"] for each in (finding, *finding["gathered"])}
    assert jobs
    assert {job for _, job in jobs} == {"first", "second"}
    for form in ("human", "concise", "github", "sarif", "gitlab", "junit"):
        main(["check", "--from", "task-yaml", "--format", form, str(path)])
        assert "(job `second`)" in capsysbinary.readouterr().out.decode()


def test_a_file_with_one_job_names_none() -> None:
    found = driver.check(Source("job.sbatch", KIN), Inputs()).diagnostics
    assert {each.job for each in found} == {None}


def test_jobs_of_one_name_are_numbered() -> None:
    assert labels(["a", "b", "a", None]) == ("a 1 of 4", "b", "a 3 of 4", "job 4 of 4")


def test_a_document_with_two_jobs_is_of_none() -> None:
    text = "---\na\n---\nb\nc\n"
    assert areas(text, [4, 10], ("x", "y")) == ((0, 6, "x"), (6, 15, "y"))
    assert areas(text, [4, 10, 12], ("x", "y", "z")) == ((0, 6, "x"),)
    assert areas(text, [None, 10], ("x", "y")) == ((6, 15, "y"),)
