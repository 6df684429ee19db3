"""Which format a source is in: by its keys, never silently wrong."""

from __future__ import annotations

import pytest

from flowc.detect import detect
from flowc.detect.signs import is_job
from flowc.diag.sink import Sink
from flowc.inputs import Inputs
from flowc.source import Source

DIRECTIVES = "#!/bin/bash\n#SBATCH --gpus=1\nhostname\n"


def detected(path: str, text: str, **options: object) -> str:
    """The format's name, or the code of the diagnostic."""
    sink = Sink()
    entry = detect(Source(path, text), Inputs(**options), None, sink)  # type: ignore[arg-type]
    if entry is None:
        (found,) = sink.diagnostics
        return found.code.name
    assert sink.diagnostics == []
    return entry.name


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.sh", DIRECTIVES, "slurm"),
        ("a.sbatch", "resources:\n  accelerators: H100\n", "slurm"),
        ("a.yaml", DIRECTIVES, "slurm"),
        ("a", DIRECTIVES, "slurm"),
        ("<stdin>", DIRECTIVES, "slurm"),
        ("a.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n", "k8s"),
        ("a.json", '{"kind": "Job", "spec": {"command": ["x"], "resources": {}, "run": 1}}', "k8s"),
        ("a.yaml", '---\n{\n  apiVersion: "batch/v1",\n  kind: "Job", spec: {command: 1}\n}\n', "k8s"),
        ("a.yaml", "  apiVersion: batch/v1\n  kind: Job\n  spec:\n    command: x\n", "k8s"),
        ("a.yaml", "{{- if .Values.x }}\napiVersion: batch/v1\nkind: Job\n{{- end }}\n", "k8s"),
        ("a.yaml", "# c\n---\n'apiVersion': v1\nkind: List\n", "k8s"),
        ("a.yml", "resources:\n  accelerators: H100:8\nrun: |\n  #SBATCH x\n  kind: Job\n", "skypilot"),
        ("a.yaml", "name: pipeline\nexecution: serial\n---\nname: a\nrun: x\n", "skypilot"),
        ("a.yaml", "working_dir: .\nresources: {cloud: gcp}\nrun: x\n", "skypilot"),
        ("a.yaml", "instance_type: a100\ncommand: x\n", "task-yaml"),
        ("a.yaml", "instance_type: a100\ncommand: x\nresources:\n  disk: 100GB\n", "task-yaml"),
        ("a.yaml", "instance_type: a100\ncommand: x\nresources: {gpu: 1, cpu: 2}\n", "task-yaml"),
        ("a.yaml", "task_management: {}\nresources:\n  vCPU: 8\n  RAM: 64\n", "foundry-yaml"),
        ("a.yaml", "task_management: {priority: low}\nversion: 1.2\n", "foundry-yaml"),
        ("a.yaml", "name: a\nstartup_script: x\nversion: 1.2\n", "foundry-yaml"),
        ("a.yaml", "resources_specification: {}\nnum_instances: 1\n", "foundry-yaml"),
        ("<stdin>", "instance_type: a100\ncommand: x\n", "task-yaml"),
        ("a.yaml", "instance_type: a100\nrun: x\n", "two-formats"),
        ("a.yaml", "apiVersion: v1\nkind: Job\ninstance_type: a100\n", "two-formats"),
        ("a.yaml", "resources: {accelerators: H100}\ntask_management: {}\n", "two-formats"),
        ("a.txt", "#SBATCH -N 1\ninstance_type: a100\n", "two-formats"),
        ("a.yaml", "", "unknown-format"),
        ("a.yaml", "- a\n- b\n", "unknown-format"),
        ("a.yaml", "a: b: c\n", "yaml-syntax"),
        ("a.yaml", "a:\n\t- b\n", "yaml-tab"),
        ("a.json", '{"a": 1, "a": 2}', "duplicate-key"),
        ("a.yaml", "services:\n  web: {image: x}\n", "unknown-format"),
        ("a.txt", "hello\n", "unknown-format"),
    ],
)
def test_formats(path: str, text: str, expected: str) -> None:
    assert detected(path, text) == expected


def test_options_of_sbatch_make_a_slurm_job() -> None:
    assert detected("<wrap>", "", args=("--wrap", "hostname")) == "slurm"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("services:\n  web: {}\n", "looks like a Compose file"),
        ("name: ci\njobs:\n  a: {}\n", "looks like a CI workflow"),
        ("{{ if x }}\na: 1\n{{ end }}\n", "must be rendered first"),
        ("", "the file is empty"),
    ],
)
def test_help_names_what_it_looks_like(text: str, hint: str) -> None:
    sink = Sink()
    detect(Source("a.yaml", text), Inputs(), None, sink)
    assert hint in (sink.diagnostics[0].help or "")


def test_both_signs_are_shown() -> None:
    sink = Sink()
    detect(Source("a.yaml", "instance_type: a100\nnum_nodes: 2\n"), Inputs(), None, sink)
    (found,) = sink.diagnostics
    assert found.span is not None
    assert {found.span.text, *(span.text for span, _ in found.notes)} == {"instance_type", "num_nodes"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apiVersion: batch/v1\nkind: Job\n", True),
        ("apiVersion: v1\nkind: Service\n", False),
        ("apiVersion: v1\nkind: List\nitems:\n- kind: Job\n", True),
        ("run: x\nresources: {}\n", True),
        ("run: x\n", False),
        ("a: 1\n", False),
        (
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  names:\n    kind: Job\n",
            False,
        ),
        ("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  manifest: |\n    kind: Job\n", False),
        ("kind: Kustomization\napiVersion: x/v1\nresources: [a.yaml]\npatches:\n- target:\n    kind: Job\n", False),
        ("kind: Service\napiVersion: v1\n---\nkind: Job\napiVersion: batch/v1\n", True),
        ("  apiVersion: batch/v1\n  kind: Job\n", True),
        ("apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ .Release.Name }}\n", False),
        ("{{- if .Values.on }}\napiVersion: batch/v1\nkind: Job\n{{- end }}\n", False),
        ('apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: "{{ name }}"\n', True),
        ("resources: {}\nrun: |\n  cat <<E\n  {{ a }}\n  b: {{ c }}\n  E\n", True),
    ],
)
def test_files_of_folders(text: str, expected: bool) -> None:
    assert is_job(Source("a.yaml", text)) is expected
