"""The policy of the settings: what may be spent and where, of all levels the strictest, whatever flags say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowc.ir.policy import Policy
from flowc.settings.lookup import Settings
from flowc.submit.journal import Submission
from flowc.tasks.policies import committed, policy_of
from tests.cli.conftest import Outcome

Flowc = Callable[..., Outcome]
JOB = "#!/bin/bash\n#SBATCH {} --job-name=train\nhostname\n"
HOUR = "--gpus-per-node=h100:8 --time=1:00:00"


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of somebody, who works in a project below it."""
    project = folder / "project"
    (folder / ".flow").mkdir()
    project.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(project)
    (project / "a.sbatch").write_text(JOB.format(HOUR))
    return folder


def user(home: Path, text: str) -> None:
    (home / ".flow" / "config.yaml").write_text(f"policy: {text}\n")


def project(home: Path, text: str) -> None:
    (home / "project" / ".flowc.toml").write_text(f"[policy]\n{text}\n")


@pytest.mark.parametrize(
    ("rule", "words", "said"),
    [
        ('per_job = "63.99"', (), r"may cost \$64\.00: \$64\.00 an hour x 1 h; the policy allows \$63\.99 a job"),
        ("per_job = 64", (), None),
        ("per_job = 64", ("--time", "61"), r"\$65\.07: .*; the policy allows \$64\.00 a job"),
        ('per_job = "127"', ("-N", "2"), r"\$128\.00: \$64\.00 an hour x 1 h x 2 machines"),
        ("per_hour = 127", ("-N", "2"), r"may cost \$128\.00 an hour; the policy allows \$127\.00 an hour"),
        ("per_hour = 128", ("-N", "2"), None),
        ("per_month = 63", (), r"may cost \$64\.00; the policy allows \$63\.00 a month"),
        ("per_month = 64", (), None),
        ("gpus = 15", ("-N", "2"), r"16 GPUs are rented at a time; the policy allows 15"),
        ("gpus = 16", ("-N", "2"), None),
        ('regions = ["eu-*"]', (), r"`h100-80gb\.sxm\.8x` in us-central2-a is not allowed: the policy has `eu-\*`"),
        ('regions = ["eu-*", "us-central2-a"]', (), None),
        ('types = ["8xh200"]', (), r"is not allowed: the policy has `8xh200`"),
        ('types = ["h100"]', (), None),
        ('types = ["h100-*"]', (), None),
    ],
)
def test_what_a_policy_allows(home: Path, flowc: Flowc, rule: str, words: tuple[str, ...], said: str | None) -> None:
    project(home, rule)
    done = flowc("price", "a.sbatch", *words)
    if said is None:
        assert done.status == 0, done.err
        return
    assert (done.status, done.out) == (1, "")
    assert re.search(said, done.err), done.err
    assert f".flowc.toml, policy.{rule.split()[0]}" in done.err
    assert flowc("check", "a.sbatch", *words).status == 1


def test_of_an_array_what_runs_at_once_counts(home: Path, flowc: Flowc) -> None:
    (home / "project" / "b.sbatch").write_text(JOB.format(f"{HOUR} --array=1-10%2"))
    project(home, "per_hour = 128\ngpus = 16\nper_job = 640")
    assert flowc("price", "b.sbatch").status == 0
    project(home, "per_hour = 127\ngpus = 15\nper_job = 639")
    done = flowc("price", "b.sbatch")
    assert re.findall(r"allows (\S+)", done.err) == ["$639.00", "$127.00", "15"]


def test_what_has_no_bound_is_refused(home: Path, flowc: Flowc) -> None:
    (home / "project" / "b.sbatch").write_text(JOB.format("--gpus-per-node=h100:8"))
    for rule in ("per_job", "per_month"):
        project(home, f"{rule} = 100000")
        done = flowc("price", "b.sbatch")
        assert done.status == 1
        assert re.search(r"the policy allows \$100000\.00 a (job|month) \(.*\), which cannot be promised", done.err)


def test_the_strictest_of_all_levels_holds(home: Path, flowc: Flowc, monkeypatch: pytest.MonkeyPatch) -> None:
    user(home, "{per_job: 60}")
    project(home, "per_job = 1000")
    assert "allows $60.00 a job (~/.flow/config.yaml, policy.per_job)" in flowc("price", "a.sbatch").err
    project(home, "per_job = 50")
    assert "allows $50.00 a job" in flowc("price", "a.sbatch").err
    monkeypatch.setenv("FLOW_POLICY_PER_JOB", "40")
    done = flowc("price", "a.sbatch", "--budget", "10000")
    assert "allows $40.00 a job (environment variable FLOW_POLICY_PER_JOB)" in done.err


def test_a_machine_must_be_allowed_by_all_levels(home: Path, flowc: Flowc) -> None:
    user(home, "{regions: ['us-*']}")
    project(home, 'regions = ["us-central2-b", "eu-*"]')
    (home / "project" / "b.sbatch").write_text(JOB.format("--gres=gpu:8 --time=60"))
    done = flowc("price", "b.sbatch")
    assert "1 x ccs-h200.sxm.8x in us-central2-b" in done.out, done.err
    assert "not allowed by " in done.out
    assert "another region" not in done.out
    assert "allowed are `ccs-h200.sxm.1x` in us-central2-b and `ccs-h200.sxm.8x`" in flowc("price", "a.sbatch").err


def test_all_files_count_together(home: Path, flowc: Flowc) -> None:
    project(home, "per_hour = 100")
    (home / "project" / "b.sbatch").write_text(JOB.format(HOUR))
    assert flowc("price", "a.sbatch").status == 0
    done = flowc("price", "a.sbatch", "b.sbatch")
    assert "may cost $128.00 an hour; the policy allows $100.00 an hour" in done.err
    assert done.status == 1


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('per_job = "cheap"', "a policy needs USD as a decimal number, found `cheap`"),
        ("per_job = -1", "a policy needs USD as a decimal number, found `-1`"),
        ("gpus = 1.5", "a policy needs a whole number, found `1.5`"),
        ("per_job = {}", "policy.per_job"),
        ("per_year = 3", "there is no setting `policy.per_year`: did you mean"),
    ],
)
def test_a_policy_that_cannot_be_read_is_told(home: Path, flowc: Flowc, rule: str, said: str) -> None:
    project(home, rule)
    assert said in flowc("price", "a.sbatch").err


def test_jobs_of_this_computer_are_not_asked(home: Path, flowc: Flowc) -> None:
    user(home, "{per_job: 1, regions: [eu-*]}")
    done = flowc("submit", "a.sbatch", "--provider", "local", "--dry-run", "--offline")
    assert done.status == 0, done.err


def submitted(created_at: float, *, hours: str | None, price: str, machines: int, provider: str = "mithril") -> Any:
    job = {"name": "a", "bids": ["a"], "hours_bound": hours}
    body = {"limit_price": price, "instance_quantity": machines}
    volume = {"id": "v", "body": {"size_gb": 10}}
    values = dict.fromkeys(Submission.FIELDS)
    document = {"jobs": [job], "requests": [volume, {"id": "a", "body": body}]}
    return Submission(**{**values, "created_at": created_at, "provider": provider, "document": document})


class Kept:
    """A journal of these submissions, the newest first."""

    def __init__(self, *submissions: Any) -> None:
        self.kept = submissions

    def submissions(self, *, limit: int) -> list[Any]:
        return list(self.kept[:limit])


def test_a_month_counts_what_its_submissions_may_cost() -> None:
    now = 1_795_881_600.0  # 2026-11-28 16:00 UTC
    journal: Any = Kept(
        submitted(now - 60, hours="0.5", price="$64.00", machines=2),
        submitted(now - 7200, hours=None, price="$1,000.00", machines=1),
        submitted(now - 86400, hours="100", price="$64.00", machines=1, provider="local"),
        submitted(now - 10 * 86400, hours="12", price="$10.50", machines=1),
        submitted(now - 40 * 86400, hours="12", price="$99.00", machines=1),
    )
    assert committed(journal, now) == (64 + 2000 + 126) * 1_000_000


def test_without_a_policy_there_is_none(home: Path) -> None:
    settings = Settings({}, folder=str(home / "project"), home=str(home))
    assert policy_of(settings) is None
    assert Policy().committed == 0


def test_the_schema_has_it_where_it_stands(flowc: Flowc) -> None:
    schema = json.loads(flowc("schema", "config").out)
    for each in (schema, schema["$defs"]["Project"]):
        assert set(each["properties"]["policy"]["properties"]) == {
            *("per_job", "per_hour", "per_month", "gpus", "regions", "types")
        }
