"""`--with FILE`: objects of other files to which a job refers."""

from __future__ import annotations

from pathlib import Path

import flowc
from flowc.inputs import Inputs
from flowc.source import Source

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: a, namespace: ml}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: a
        image: busybox:1
        resources: {limits: {nvidia.com/gpu: 8}}
        envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: hub}}]
        volumeMounts: [{name: s, mountPath: /etc/s}, {name: d, mountPath: /data}]
      volumes:
      - {name: s, configMap: {name: settings}}
      - {name: d, persistentVolumeClaim: {claimName: data}}
"""
SETTINGS = "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: ml}, data: {EPOCHS: '31'}}\n"
HUB = "{apiVersion: v1, kind: Secret, metadata: {name: hub}, stringData: {HUB: verysecretvalue}}\n"
CLAIM = (
    "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, "
    "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 50Gi}}}}\n"
)


def given(*texts: str) -> Inputs:
    return Inputs(manifests=tuple(Source(f"with{number}.yaml", text) for number, text in enumerate(texts)))


def said(text: str, *beside: str) -> list[tuple[str, str]]:
    """(code, message) of all but notes."""
    found = flowc.check(text, given(*beside), path="job.yaml").diagnostics
    return [(each.code.id, each.message) for each in found if each.severity != "note"]


def test_what_a_job_refers_to_may_stand_in_other_files() -> None:
    assert {code for code, _ in said(JOB)} >= {"FC335", "FC336"}
    assert {code for code, _ in said(JOB, SETTINGS + "---\n" + HUB, CLAIM)} == {"FC608"}
    (ir, *_) = flowc.compile(JOB, given(SETTINGS, HUB, CLAIM), path="job.yaml", emit="ir").artifacts
    assert '"EPOCHS",\n' in ir.text
    assert '"31"' in ir.text
    assert '"size_bytes": 53687091200' in ir.text
    assert "verysecretvalue" not in ir.text


def test_one_of_another_namespace_is_not_it() -> None:
    elsewhere = SETTINGS.replace("namespace: ml", "namespace: other")
    assert "FC336" in {code for code, _ in said(JOB, elsewhere, HUB, CLAIM)}
    assert "FC336" not in {code for code, _ in said(JOB.replace(", namespace: ml", ""), elsewhere, HUB, CLAIM)}


def test_jobs_of_such_files_are_left_out_and_the_jobs_own_objects_win() -> None:
    own = JOB + "---\n" + SETTINGS.replace("31", "7")
    found = said(own, SETTINGS, HUB, CLAIM, JOB.replace("name: a,", "name: b,"))
    assert [message for code, message in found if code == "FC322"] == [
        "the ConfigMap `settings` is left out: the file before has one of this name",
        "the Job `b` is left out: of a file of `--with` only what jobs refer to is read",
    ]
    (ir, *_) = flowc.compile(own, given(SETTINGS, HUB, CLAIM), path="job.yaml", emit="ir").artifacts
    assert '"7"' in ir.text
    assert '"31"' not in ir.text


def test_mistakes_are_told_in_their_file_and_secrets_nowhere() -> None:
    wrong = HUB.replace("verysecretvalue", "[verysecretvalue]")
    found = [each for each in flowc.check(JOB, given(wrong, SETTINGS), path="job.yaml").diagnostics]
    assert {each.span.source.path for each in found if each.span and each.code.id == "FC329"} == {"with0.yaml"}
    assert "verysecretvalue" not in "".join(each.message + str(each.help) for each in found)


def test_no_other_format_has_a_use_for_it(tmp_path: Path) -> None:
    script = "#!/bin/bash\n#SBATCH --gpus=h100:8 --time=1:00:00\nnvidia-smi\n"
    assert [each.code.id for each in flowc.check(script, given(HUB)).diagnostics if each.severity == "error"] == [
        "FC457"
    ]
