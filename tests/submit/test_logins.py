"""The login of an image's registry, made of what the environment has of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from flowc.submit.delivery import files_for, missing_secrets

PATH = "/run/flowc/secrets"
NAME = "SKYPILOT_DOCKER"
DOCUMENT = {"deliver": [{"to": ["a"], "path": PATH, "secrets": ["TOKEN", NAME], "logins": [NAME]}]}
PARTS = {f"{NAME}_USERNAME": "$oauthtoken", f"{NAME}_PASSWORD": "pass 'word\\", f"{NAME}_SERVER": "nvcr.io"}


def value(folder: Path, environ: dict[str, str]) -> str:
    """What a shell on the machine has of it."""
    (folder / "secrets").write_bytes(files_for(DOCUMENT, "a", {"TOKEN": "t", **environ})[PATH])
    words = ["bash", "-c", '. "$1" && printf %s "$SKYPILOT_DOCKER"', "bash", str(folder / "secrets")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_the_text_of_a_config_goes_before_its_parts(tmp_path: Path) -> None:
    assert value(tmp_path, {NAME: "its own text", **PARTS}) == "its own text"


@pytest.mark.parametrize(
    ("server", "key"),
    [
        ("nvcr.io", "nvcr.io"),
        ("https://registry.example.com:5000/", "registry.example.com:5000"),
        ("us-docker.pkg.dev/project/repository", "us-docker.pkg.dev"),
        ("docker.io", "https://index.docker.io/v1/"),
    ],
)
def test_three_parts_make_one(tmp_path: Path, server: str, key: str) -> None:
    found = json.loads(value(tmp_path, {**PARTS, f"{NAME}_SERVER": server}))
    # `$oauthtoken:pass 'word\` in base64.
    assert found == {"auths": {key: {"auth": "JG9hdXRodG9rZW46cGFzcyAnd29yZFw="}}}


def test_what_is_no_login_is_made_of_nothing() -> None:
    token = {"TOKEN_USERNAME": "a", "TOKEN_PASSWORD": "b", "TOKEN_SERVER": "c"}
    assert missing_secrets(DOCUMENT, {**token, **PARTS}) == ["TOKEN"]
    two = {name: text for name, text in PARTS.items() if not name.endswith("SERVER")}
    assert missing_secrets(DOCUMENT, {"TOKEN": "", **two}) == [f"{NAME}_SERVER"]
    assert missing_secrets(DOCUMENT, {"TOKEN": ""}) == [NAME]
