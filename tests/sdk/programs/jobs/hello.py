import flowc as flow

task = flow.run("echo hello", gpu="a100", max_price_per_hour=10.0)
print(task.task_id, task.status)
task.wait()
assert task.logs() == "hello\n"
