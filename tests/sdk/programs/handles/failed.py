import flowc as flow

task = flow.run("python3 -c 'raise SystemExit(3)'", gpu="a100")
task.wait()
assert (task.status, task.exit_status) == ("failed", 3)
