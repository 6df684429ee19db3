import flowc as flow

first = flow.run("sleep 600", gpu="a100", idempotency_key="night-1")
assert flow.run("sleep 600", gpu="a100", idempotency_key="night-1") == first
try:
    flow.run("sleep 600", gpu="a100", idempotency_key="night-1", env={"A": "b"})
except flow.ConflictError as error:
    if "idempotency_key" not in str(error):
        raise SystemExit(error) from None
first.cancel()
