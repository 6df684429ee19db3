"""`flowc watch --install` on a real systemd: a user's own service, without a login and over a reboot."""

from __future__ import annotations

import http.server
import json
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.mithril.server import Server
from tests.tasks.conftest import ROOT, Person

pytestmark = pytest.mark.boot

# As `ubuntu`, who is not logged in, and whose service is started all the same. He has no environment but this.
SETUP = """#!/bin/bash
set -e
curl -sf @files@/flowc.tar | tar -x -C /usr/lib/python3/dist-packages
curl -sf @files@/home.tar | tar -x -C ~ubuntu
chown -R ubuntu: ~ubuntu
cat >/usr/bin/user <<'E'
#!/bin/bash
home=~ubuntu
exec runuser -u ubuntu -- env -i PATH=/usr/bin:/bin HOME="$home" XDG_RUNTIME_DIR=/run/user/1000 "$@"
E
cat >/usr/bin/report <<'E'
#!/bin/sh
user systemctl --user is-active flowc-watch
user systemctl --user is-enabled flowc-watch
user journalctl --user -q -b -u flowc-watch -o cat
E
cat >/usr/bin/stop <<'E'
#!/bin/sh
user systemctl --user stop flowc-watch
user systemctl --user show -p ActiveState -p Result flowc-watch
user python3 -m flowc watch --uninstall 2>&1
user systemctl --user show -p LoadState -p ActiveState flowc-watch
E
chmod 755 /usr/bin/user /usr/bin/report /usr/bin/stop
# What libpam-systemd does elsewhere.
mkdir -p /etc/systemd/system/user@1000.service.d
printf '[Service]\\nEnvironment=XDG_RUNTIME_DIR=/run/user/1000\\n' >/etc/systemd/system/user@1000.service.d/pam.conf
systemctl daemon-reload
loginctl enable-linger ubuntu
timeout 60 sh -c 'until [ -S /run/user/1000/systemd/private ]; do sleep 0.2; done'
user python3 -m flowc watch --install >/var/lib/said 2>&1
timeout 100 sh -c 'until report | grep -q "time limit was up"; do sleep 1; done'
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *words: object) -> None:
        return


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that the machine can fetch from, and its address."""
    folder = tmp_path / "files"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_service_that_ends_what_is_overdue(boot: Any, tmp_path: Path, files: tuple[Path, str]) -> None:
    folder, address = files
    home = tmp_path / "home"
    home.mkdir()
    with Server() as server:
        environ = {"MITHRIL_API_URL": server.url, "MITHRIL_API_KEY": server.key, "MITHRIL_PROJECT": "research"}
        person = Person(home, sys.executable, {}, environ)
        (overdue,) = person.types("submit", person.job("sleep infinity\n")).stdout.split()
        (kept,) = person.types("submit", person.job("sleep 1\n", "other.sbatch"), "--keep").stdout.split()
        server.state.clock.advance(minutes=30)
        person.types("watch", "--once")
        # So it would be when somebody had watched for a day.
        seen = home / ".local" / "state" / "flowc" / "watch.json"
        before = {name: [used_s, at - 86400] for name, (used_s, at) in json.loads(seen.read_text()).items()}
        assert list(before) == [overdue]
        seen.write_text(json.dumps(before))
        config = home / ".flow" / "config.yaml"
        config.parent.mkdir()
        config.write_text(f"api_key: {server.key}\nmithril: {{api_url: '{server.url}', project: research}}\n")
        config.chmod(0o600)
        with tarfile.open(folder / "home.tar", "w") as tar:
            tar.add(home, ".")
        with tarfile.open(folder / "flowc.tar", "w") as tar:
            tar.add(ROOT / "flowc", "flowc", filter=lambda each: None if "__pycache__" in each.name else each)
        options = ("--nspawn", "--net", "--reboots", "1", "--min-wait", "5", "--collect", "/var/lib/said")
        last = "[ ! -e /var/lib/again ] || stop; touch /var/lib/again"
        ends = ("--exec", "report=report", "--exec", f"stop={last}")
        found = boot(SETUP.replace("@files@", address), "--provider", *options, *ends)
        assert found["ok"], found["checks"]
        first, second = (each["collected"] for each in found["boots"])
        said = first["/var/lib/said"]
        assert "/.config/systemd/user/flowc-watch.service; `journalctl --user -u flowc-watch.service` shows" in said
        state, enabled, *lines = first["report"].splitlines()
        assert (state, enabled) == ("active", "enabled"), first["report"]
        ended = f"{overdue}: failed (its time limit was up, and its machine did not end it)"
        assert any(ended in line for line in lines), first["report"]
        assert [bid.name for bid in server.state.live_bids()] == [kept]
        # After a reboot it runs again, without a login, and has nothing to do twice.
        state, enabled, *lines = second["report"].splitlines()
        assert (state, enabled) == ("active", "enabled"), second["report"]
        assert not any(overdue in line for line in lines)
        assert len(server.log.done("bid cancelled")) == 1
        # It stops at once, and that is no failure.
        assert sorted(second["stop"].splitlines()[:2]) == ["ActiveState=inactive", "Result=success"], second["stop"]
        assert "nobody ends bids by himself any more" in second["stop"]
        assert sorted(second["stop"].splitlines()[-2:]) == ["ActiveState=inactive", "LoadState=not-found"]
        for each in (first, second):
            assert server.key not in json.dumps(each)
