"""Images that lie on the nodes of a cluster."""

from __future__ import annotations

from flowc.inputs import Flags, Inputs
from tests.frontends.k8s.lowering import ids, lowered, one
from tests.frontends.k8s.manifests import job

NEVER = {"imagePullPolicy": "Never"}
DOCUMENT = job(container=NEVER, pod={"initContainers": [{"name": "i", "image": "own:1", **NEVER}]})
MOVE = Inputs(flags=Flags(move=True))


def test_images_that_are_never_pulled_are_told() -> None:
    (found,) = [each for each in lowered(DOCUMENT)[1] if each.code.id == "FC388"]
    assert "`own:1`" in found.message
    assert one(DOCUMENT).isolation.pull == "never"
    assert "FC388" not in ids(job(container={"imagePullPolicy": "IfNotPresent"}))


def test_moved_they_are_pulled() -> None:
    found = one(DOCUMENT, inputs=MOVE)
    assert [each.pull for each in (found.isolation, found.containers[0].isolation)] == ["missing", "missing"]
    assert "FC456" in ids(DOCUMENT, inputs=MOVE)
    assert "FC388" not in ids(DOCUMENT, inputs=MOVE)
