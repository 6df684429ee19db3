import threading
import time

from flowc import Flow

task = Flow().run("echo first; sleep 600", gpu="a100")
lines = task.logs(follow=True)
assert next(lines) == "first"
lines.close()
end = time.monotonic() + 60
while any(each.name.startswith("flowc") for each in threading.enumerate()) and time.monotonic() < end:
    time.sleep(0.05)
assert not [each for each in threading.enumerate() if each.name.startswith("flowc")]
assert task.status == "running"
task.cancel()
