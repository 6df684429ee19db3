"""What excerpts show of secrets: nothing of their values."""

from __future__ import annotations

import pytest

from flowc.secret import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  HF_TOKEN: hf_abc", "  HF_TOKEN: ******"),
        ("export WANDB_API_KEY=abc, x", "export WANDB_API_KEY=***, x"),
        ('{"password": "a b"}', '{"password": "* *"}'),
        ("db_passwd='x'", "db_passwd='*'"),
        ("HF_TOKEN: $HF_TOKEN", "HF_TOKEN: $HF_TOKEN"),
        ("TOKEN: <your token>", "TOKEN: <your token>"),
        ("https://me:$(PW)@host https://me:${PW}@host", "https://me:$(PW)@host https://me:${PW}@host"),
        ("https://me:$ecret@host", "https://me:******@host"),
        ("https://me:${a}b@host", "https://me:*****@host"),
        ("--max_tokens=512 tokenizer: gpt2", "--max_tokens=512 tokenizer: gpt2"),
    ],
)
def test_values_of_secrets_are_stars(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert len(masked(text)) == len(text)
