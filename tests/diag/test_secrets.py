"""A secret in every field that can hold a value, in every format: no output shows it."""

from __future__ import annotations

import json

import pytest

from flowc import driver
from flowc._compiled.secrets import ENDS, KEYS, WORDS
from flowc.cli.arguments import parse
from flowc.cli.commands.compile import COMMAND as COMPILE
from flowc.cli.inputs import gather
from flowc.diag.code import Code
from flowc.diag.codes.table import all_codes
from flowc.diag.github import render_github
from flowc.diag.json_format import diagnostic_document, render_json
from flowc.diag.others import render_concise, render_gitlab, render_junit
from flowc.diag.render import render
from flowc.diag.sarif import render_sarif
from flowc.diag.sink import Edit, Fix, Sink
from flowc.inputs import Inputs
from flowc.secret import masked, may_name
from flowc.silence.baseline import fingerprint
from flowc.source import Source, Span

# What only its place or its name makes a secret, and what looks like one wherever it stands.
WORD = "Zq9correcthorse"
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
ANY = Code(id="FC999", name="any", severity="warning", title="found `{found}` here", explain="", bad="", good="")

SBATCH = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=10\n{}\nsrun python train.py\n"
POD = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: train
  annotations: {{{annotation}}}
spec:
  activeDeadlineSeconds: 600
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {{nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}}
      containers:
      - name: main
        image: python:3.12
        command: [{command}]
        env:
        - {env}
        resources: {{limits: {{nvidia.com/gpu: 8}}}}
"""
SKYPILOT = "resources:\n  accelerators: H100:8\n{}\nrun: |\n  python train.py\n  {}\n"
TASK = "name: train\ninstance_type: 8xh100\nmax_run_time_hours: 1\n{}\ncommand: |\n  python train.py\n  {}\n"
FOUNDRY = """\
name: train
project_name: research
ssh_key_name: laptop
task_management: {{priority: standard}}
resources_specification: {{fcp_instance: h100.8x.SXM5.IB}}
{}
startup_script: |
  {}
version: 1.2
"""


def pod(annotation: str = "", command: str = "python, train.py", env: str = "{name: A, value: b}") -> str:
    return POD.format(annotation=annotation, command=command, env=env)


LINES = (
    f"export WANDB_API_KEY={WORD}",
    f"export DB_PASSWORD='{WORD} {WORD}'",
    f'curl -H "Authorization: Bearer {WORD}" https://example.com',
    f"git clone https://me:{WORD}@github.com/me/code",
    f"huggingface-cli login --token {WORD}",
    f"app --api-key={WORD} --epochs 3",
    f"login {TOKEN}",
    f"export DB_PASS={WORD} MYSQL_PWD={WORD}",
    f"train.py --hf_token {WORD} --epochs 3",
    f"git clone https://{WORD}@github.com/me/code",
    f"curl -H 'Authorization: Basic {WORD}' https://example.com",
    f"curl -s -u me:{WORD} https://example.com",
    f"docker login -u me -p {WORD} ghcr.io; sshpass -p {WORD} ssh host",
    f"wandb login {WORD}",
)
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {{name: hub}}\n{}\n---\n"

# Name to (file, text, words of the command line).
CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    **{f"slurm-line-{n}": ("a.sbatch", SBATCH.format(line), ()) for n, line in enumerate(LINES)},
    **{
        f"slurm-{n}": ("a.sbatch", SBATCH.format(f"#SBATCH {option}"), ())
        for n, option in enumerate(
            (
                f"--export=ALL,HF_TOKEN={WORD}",
                f"--export=HF_TOKEN={WORD},A=b",
                f'--comment="password={WORD}"',
                f"--comment={TOKEN}",
                f"--wckey={TOKEN}",
                f"--account={TOKEN}",
                f"--mail-user={TOKEN}",
                f"--bogus={TOKEN}",
                f"--time={TOKEN}",
                f"--admin-comment={TOKEN}",
            )
        )
    },
    **{f"skypilot-line-{n}": ("a.yaml", SKYPILOT.format("", line), ()) for n, line in enumerate(LINES)},
    **{
        f"skypilot-{n}": ("a.yaml", SKYPILOT.format(field, ""), ())
        for n, field in enumerate(
            (
                f"envs: {{HF_TOKEN: {WORD}}}",
                f"envs:\n  HF_TOKEN: {WORD}\n  A: 1",
                f"envs: {{OTHER: {TOKEN}}}",
                f"secrets:\n  ANYTHING: {WORD}",
                f"secrets: {{HF_TOKEN: {WORD}}}\nbogus: 1",
                f"envs: {{SKYPILOT_DOCKER_PASSWORD: {WORD}, SKYPILOT_DOCKER_SERVER: x.io}}",
                f"file_mounts: {{/data: 's3://me:{WORD}@bucket/data'}}",
                f"workdir: {{url: 'https://me:{WORD}@github.com/me/code.git'}}",
                "envs: {HF_TOKEN: 4815162342108}",
            )
        )
    },
    **{f"task-line-{n}": ("a.yaml", TASK.format("", line), ()) for n, line in enumerate(LINES)},
    **{
        f"task-{n}": ("a.yaml", TASK.format(field, ""), ())
        for n, field in enumerate(
            (
                f"env: {{API_TOKEN: {WORD}}}",
                f"env: {{OTHER: {TOKEN}}}",
                f"env:\n  DB_PASSWORD: |\n    {WORD}",
                "env: {API_TOKEN: 4815162342108}",
                f"data_mounts: [{{source: 's3://me:{WORD}@bucket/data', target: /data}}]",
                f"code_root: {TOKEN}",
                f"bogus_token: {WORD}",
            )
        )
    },
    **{f"foundry-line-{n}": ("a.yaml", FOUNDRY.format("", line), ()) for n, line in enumerate(LINES)},
    "foundry-env": ("a.yaml", FOUNDRY.format(f"env: {{HF_TOKEN: {WORD}}}", "true"), ()),
    "k8s-env": ("a.yaml", pod(env=f"{{name: HF_TOKEN, value: {WORD}}}"), ()),
    "k8s-env-lines": ("a.yaml", pod(env=f"name: HF_TOKEN\n          value: {WORD}"), ()),
    "k8s-env-value-first": ("a.yaml", pod(env=f"value: {WORD}\n          name: HF_TOKEN"), ()),
    "k8s-env-json": ("a.yaml", pod(env=f'{{"name": "HF_TOKEN", "value": "{WORD}"}}'), ()),
    "k8s-env-number": ("a.yaml", pod(env="{name: HF_TOKEN, value: 4815162342108}"), ()),
    "k8s-env-token": ("a.yaml", pod(env=f"{{name: OTHER, value: {TOKEN}}}"), ()),
    "k8s-env-unknown": ("a.yaml", pod(env=f"{{name: HF_TOKEN, value: {WORD}, valuee: {WORD}}}"), ()),
    "k8s-env-reference": ("a.yaml", pod(env=f"{{name: HF_TOKEN, value: '{WORD}$(OTHER'}}"), ()),
    "k8s-annotation": ("a.yaml", pod(annotation=f"token: {WORD}"), ()),
    "k8s-annotation-token": ("a.yaml", pod(annotation=f"note: {TOKEN}"), ()),
    "k8s-flag": ("a.yaml", pod(command=f"python, --token={WORD}"), ()),
    "k8s-flag-apart": ("a.yaml", pod(command=f"python, --token, {WORD}"), ()),
    "k8s-flag-lines": ("a.yaml", pod(command=f"python,\n          --token,\n          {WORD}"), ()),
    "k8s-shell": ("a.yaml", pod(command=f"sh, -c, 'export API_KEY={WORD}; exec python'"), ()),
    "k8s-string-data": ("a.yaml", SECRET.format(f"stringData: {{a: {WORD}}}") + pod(), ()),
    "k8s-data": ("a.yaml", SECRET.format(f"data:\n  a: {WORD}\n  b: 1") + pod(), ()),
    "k8s-string-data-block": ("a.yaml", SECRET.format(f"stringData:\n  a: |\n    x\n    {WORD}") + pod(), ()),
    "k8s-secret-broken": ("a.yaml", SECRET.format(f'stringData:\n  a: {WORD}\n  b: "{WORD}') + pod(), ()),
    "k8s-env-broken": ("a.yaml", pod(env=f'name: HF_TOKEN\n          value: "{WORD}'), ()),
    "k8s-config-map": (
        "a.yaml",
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{API_TOKEN: {WORD}}}\n---\n" + pod(),
        (),
    ),
    "k8s-set": (
        "a.yaml",
        pod(env="{name: HF_TOKEN, value: b}"),
        ("--set", f"spec.template.spec.containers[0].env[0].value={WORD}"),
    ),
    "skypilot-set": ("a.yaml", SKYPILOT.format("envs: {HF_TOKEN: b}", ""), ("--set", f"envs.HF_TOKEN={WORD}")),
    "skypilot-set-secret": ("a.yaml", SKYPILOT.format("secrets: {OTHER: b}", ""), ("--set", f"secrets.OTHER={WORD}")),
    "flag-env": ("a.sbatch", SBATCH.format(""), ("--env", f"HF_TOKEN={WORD}")),
    "flag-env-token": ("a.sbatch", SBATCH.format(""), ("--env", f"OTHER={TOKEN}")),
    "flag-env-blank": ("a.sbatch", SBATCH.format(""), ("--env", f"HF_TOKEN=x y {WORD}")),
    "flag-secret": ("a.sbatch", SBATCH.format(""), ("--secret", f"OTHER={WORD}")),
    "arguments": ("a.sbatch", SBATCH.format(""), ("--", f"--export=HF_TOKEN={WORD}", f"--bogus={TOKEN}")),
    "command": ("", "", ("--command", f"HF_TOKEN={WORD} python train.py --token {WORD}", "-i", "8xh100")),
}
ENVIRONMENT = {"SBATCH_EXPORT": f"HF_TOKEN={WORD}", "SBATCH_COMMENT": TOKEN, "SBATCH_ACCOUNT": f"token={WORD}"}
SECRETS = (WORD, TOKEN, "4815162342108")


def told(case: str) -> tuple[Source, Inputs, str | None]:
    path, text, words = CASES[case]
    argv = ["compile", *((path,) if path else ()), *words]
    inputs = gather(parse(COMPILE, argv[1:]), argv, {})
    if inputs.command is not None:
        return inputs.command.source, inputs, "command-line"
    return Source(path, text), inputs, None


def outputs(source: Source, diagnostics: list[object]) -> dict[str, str]:
    """Each form in which findings are shown."""
    documents = [
        {**diagnostic_document(each, source.path), "fingerprint": fingerprint(each, source.path)}  # type: ignore[arg-type]
        for each in diagnostics
    ]
    return {
        "human": render(source.path, diagnostics),  # type: ignore[arg-type]
        "json": render_json(documents, 1),
        "sarif": render_sarif(documents, (*all_codes(), ANY), "1"),
        "github": render_github(documents),
        "gitlab": render_gitlab(documents),
        "concise": render_concise(documents),
        "junit": render_junit(documents, 1),
        "repr": repr(diagnostics),
    }


def leaks(texts: dict[str, str]) -> list[str]:
    return [
        f"{name}: {line}"
        for name, text in texts.items()
        for line in text.split("\n")
        if any(s in line for s in SECRETS)
    ]


@pytest.mark.parametrize("case", CASES)
def test_no_finding_shows_a_secret(case: str) -> None:
    """Neither the real ones, nor any that would point at some line of the source and quote the secret."""
    source, inputs, frontend = told(case)
    result = driver.compile(source, inputs, frontend=frontend, strict=True)
    assert leaks(outputs(source, list(result.diagnostics))) == []
    for held in {source, *(span.source for _, span in inputs.flag_spans)}:
        sink = Sink()
        for number, start in enumerate(held.line_starts, 1):
            span = Span(held, start, start + len(held.line(number)))
            for secret in SECRETS:
                if secret in span.text:
                    fix = Fix(title=f"write `{secret}`", edits=(Edit(span=span, text=f"{span.text} # {secret}"),))
                    sink.report(ANY, span, help=f"not `{secret}`", fix=fix, notes=((span, secret),), found=secret)
        shown = outputs(held, list(sink.diagnostics))
        shown.pop("repr")  # the edits, which are for the source itself
        assert leaks(shown) == []


@pytest.mark.parametrize("case", CASES)
def test_no_document_of_a_stage_tells_more_than_the_job(case: str) -> None:
    """The tree shows no secret at all. Of the job's own texts only those keep it that reach the machine."""
    source, inputs, frontend = told(case)
    ast = driver.compile(source, inputs, frontend=frontend, emit="ast")
    for artifact in ast.artifacts:
        document = json.loads(artifact.text)
        for each in document.get("documents", ()):
            assert leaks({"ast": _without_texts(each["value"])}) == []
        for key in ("options", "directives", "components"):
            assert leaks({"ast": json.dumps(document.get(key))}) == []
    ir = driver.compile(source, inputs, frontend=frontend, emit="ir")
    for artifact in ir.artifacts:
        document = json.loads(artifact.text)
        assert leaks({"ir": json.dumps([job["outcome"] for job in document["jobs"]] + document["diagnostics"])}) == []


def _without_texts(value: object) -> str:
    """A document without the texts that are run, which are shown as they are."""
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key not in ("run", "command", "startup_script", "args")}
        return "\n".join(f"{key}: {_without_texts(each)}" for key, each in kept.items())
    if isinstance(value, list):
        return "\n".join(map(_without_texts, value))
    return str(value)


@pytest.mark.parametrize("case", CASES)
def test_reports_tell_no_secret(case: str) -> None:
    source, inputs, frontend = told(case)
    for artifact in driver.compile(source, inputs, frontend=frontend).artifacts:
        if artifact.name.endswith("report.txt"):
            assert leaks({"report": artifact.text}) == []


def test_variables_of_sbatch_tell_no_secret() -> None:
    inputs = Inputs(environ=tuple(sorted(ENVIRONMENT.items())))
    source = Source("a.sbatch", SBATCH.format(""))
    result = driver.compile(source, inputs, strict=True)
    assert result.diagnostics
    assert leaks(outputs(source, list(result.diagnostics))) == []
    assert leaks({"inputs": repr(inputs)}) == []


@pytest.mark.parametrize("case", CASES)
def test_nothing_that_is_printed_for_us_tells_a_secret(case: str) -> None:
    """What an exception might say: the representations of what travels through the pipeline."""
    _, inputs, _ = told(case)
    assert leaks({"inputs": repr(inputs)}) == []


@pytest.mark.parametrize("word", [*WORDS, *ENDS, *KEYS, *(key.replace("_", "-") for key in KEYS)])
def test_each_word_of_the_table_passes_the_quick_look(word: str) -> None:
    name = word if word[0] not in "_-" else f"DB{word}" if word.isupper() else f"db{word}"
    assert may_name(f"{name}=x1y2z3w4")
    assert masked(f"{name}=x1y2z3w4") == f"{name}={'*' * 8}"


@pytest.mark.parametrize(
    "text",
    [
        "BYPASS=yes-please COMPASS=north PWD=here OLDPWD=there",
        "PUBLIC_KEY=ssh-ed25519 PRIMARY_KEY=id SECRET_NAME=db-login KEY_TYPE=rsa",
        "git clone https://github.com/me/code@v1 ssh://git@github.com/me",
        "curl -u $USER https://example.com; docker login -p $PASS; sshpass -p $PASS ssh host",
        "wandb login --relogin; huggingface-cli login; login -p",
    ],
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert masked(text) == text
