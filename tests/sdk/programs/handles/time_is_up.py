import flowc as flow

task = flow.run("sleep 600", gpu="a100")
try:
    task.wait(timeout=0.5)
except TimeoutError as error:
    if "goes on" not in str(error):
        raise SystemExit(error) from None
assert task.status not in ("completed", "failed", "cancelled")
task.cancel()
