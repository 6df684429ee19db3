from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.ir.mounts import BUCKET_SCHEMES, from_uri, split_flag


@pytest.mark.parametrize(
    ("text", "kind", "source", "target"),
    [
        ("s3://bucket", "bucket", "s3://bucket", "/data"),
        ("S3://bucket/a=b/", "bucket", "s3://bucket/a=b/", "/data"),
        ("hf://datasets/org/name@main", "bucket", "hf://datasets/org/name@main", "/data"),
        ("https://acct.blob.core.windows.net/box/x", "bucket", "https://acct.blob.core.windows.net/box/x", "/data"),
        ("volume://results", "volume", "results", "/volumes/results"),
        ("volume://results/run-1/", "volume", "results/run-1", "/volumes/results"),
        ("results", "volume", "results", "/volumes/results"),
        ("nfs://10.0.0.1/export/home/", "nfs", "10.0.0.1:/export/home", "/mnt/home"),
        ("https://github.com/org/repo", "git", "https://github.com/org/repo", "/mnt/repo"),
        ("https://git.example.org/a/b.git#v1", "git", "https://git.example.org/a/b.git#v1", "/mnt/b"),
        ("git+https://example.org/a/b", "git", "https://example.org/a/b", "/mnt/b"),
        ("git@github.com:org/repo.git", "git", "git@github.com:org/repo.git", "/mnt/repo"),
        ("ssh://git@host:22/repo.git", "git", "ssh://git@host:22/repo.git", "/mnt/repo"),
        ("./data set", "local", "./data set", "/mnt/data set"),
        ("../data/", "local", "../data/", "/mnt/data"),
        ("~/data", "local", "~/data", "/mnt/data"),
        ("/abs/data.csv", "local", "/abs/data.csv", "/mnt/data.csv"),
        ("a/b", "local", "a/b", "/mnt/b"),
        ("/in=.", "local", ".", "/in"),
        ("~/in/=s3://bucket", "bucket", "s3://bucket", "~/in"),
    ],
)
def test_source_says_its_kind_and_where_it_goes(text: str, kind: str, source: str, target: str) -> None:
    at, given = split_flag(text)
    mount = from_uri(given, at)
    assert (mount.kind, mount.source, mount.target) == (kind, source, target)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the source is empty"),
        ("/data=", "the source is empty"),
        ("a\nb", "control character"),
        ("ftp://host/x", "unknown scheme; known are `s3://`"),
        ("s3://", "expected `s3://BUCKET`"),
        ("s3://bucket?x", "expected `s3://BUCKET`"),
        ("s3:/bucket", "`s3:/` begins no URI: write `s3://`"),
        ("s3//bucket/x", "`s3//` begins no URI: write `s3://`"),
        ("NFS:/host/x", "`NFS:/` begins no URI: write `NFS://`"),
        ("s3://bucket:/data", "the target stands first: `TARGET=SOURCE`"),
        ("s3://bucket/x:/data", "the target stands first: `TARGET=SOURCE`"),
        ("s3://a b", "holds no blank"),
        ("volume://", "expected `volume://NAME`"),
        ("volume://a/../b", "expected `volume://NAME`"),
        ("nfs://host", "expected `nfs://HOST/PATH`"),
        ("https://example.org/data.zip", "only git repositories"),
        ("https://acct.blob.core.windows.net", "expected `https://ACCOUNT"),
        ("ssh://host", "expected a git repository"),
        ("data.csv", "a path begins with `./`"),
        ("..", "so a target is needed"),
        ("data=s3://bucket", "the target is no absolute path"),
        ("/=s3://bucket", "cannot be mounted over"),
        ("~/=s3://bucket", "cannot be mounted over"),
        ("/a/../b=s3://bucket", "`/../`"),
        ("/a//b=s3://bucket", "`//`"),
    ],
)
def test_what_cannot_be_mounted_says_why(text: str, reason: str) -> None:
    target, source = split_flag(text)
    with pytest.raises(ValueError, match=re.escape(reason)):
        from_uri(source, target)


@pytest.mark.parametrize(
    "source",
    [
        "https://user:hunter2@github.com/org/repo",
        "https://hunter2@github.com/org/repo",
        "ssh://git:hunter2@host/repo.git",
        "https://acct.blob.core.windows.net/box?sig=hunter2",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(ValueError, match="could read") as caught:
        from_uri(source, "/data")
    assert "hunter2" not in str(caught.value)


@given(
    st.one_of(
        st.text(),
        st.text("/.~:=@#? abs3gitvolume-"),
        st.builds("{}://{}".format, st.sampled_from(("volume", "nfs", "https", *BUCKET_SCHEMES)), st.text("a./-?#@:")),
    )
)
def test_any_text_is_a_mount_or_a_reason(text: str) -> None:
    target, source = split_flag(text)
    assert text == (source if target is None else f"{target}={source}")
    with suppress(ValueError):
        mount = from_uri(source, target)
        assert mount.target.startswith(("/", "~/"))
        assert not mount.target.endswith("/")
        assert mount.source
        again = from_uri(mount.source, mount.target) if mount.kind in ("bucket", "local", "git") else mount
        assert again == mount
