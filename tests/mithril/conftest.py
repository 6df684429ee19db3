"""The provider for tests: `provider` is a running `Server`, `api` a plain client of it.

Where the provider's document lies beside the project, each reply is held against it, and each accepted request.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mithril import document
from tests.mithril.server import Server
from tests.mithril.wire import Api


@pytest.fixture
def provider() -> Iterator[Server]:
    with Server(judge=document.JUDGE) as server:
        yield server


@pytest.fixture
def api(provider: Server) -> Api:
    return Api(provider)
