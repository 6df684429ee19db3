"""The way to the provider, as whole commands go it."""

from __future__ import annotations

import pytest

from tests.mithril.server import Server
from tests.tasks.conftest import Person

API = "https://api.mithril.ai"


@pytest.mark.slow
def test_each_command_says_what_is_wrong_with_the_way(there: Person) -> None:
    there.types("submit", there.job("true\n"), ALL_PROXY="http://127.0.0.1:1", NO_PROXY="127.0.0.1")
    for words in (["status"], ["list"], ["submit", "job.sbatch", "--force-new"]):
        for environ, said in (
            ({"MITHRIL_API_URL": "api.mithril.ai"}, "MITHRIL_API_URL: `api.mithril.ai` is no address of a server"),
            ({"ALL_PROXY": "socks5://127.0.0.1:1"}, "ALL_PROXY is not spoken to: `socks5://127.0.0.1:1`"),
            ({"MITHRIL_API_URL": API, "SSL_CERT_FILE": "/no"}, "SSL_CERT_FILE names /no, which cannot be read"),
        ):
            done = there.types(*words, **environ)
            assert (done.returncode, said in done.stderr) == (2, True), done.stderr  # the user's, as in a file
        done = there.types(*words, http_proxy="http://127.0.0.1:1", FLOW_TIMEOUT="1")
        assert (done.returncode, "nobody listens there (by the proxy http://127.0.0.1:1)" in done.stderr) == (4, True)


def test_an_address_with_the_version_in_it_is_understood(there: Person, provider: Server) -> None:
    assert there.types("list", MITHRIL_API_URL=f"{provider.url}/v2/").returncode == 0
