import flowc as flow

tasks = [flow.run(f"echo lr {lr}", gpu="a100", name=f"experiment-lr-{lr}") for lr in [0.001, 0.01, 0.1]]
for task in tasks:
    task.wait()
assert [task.logs().split()[-1] for task in tasks] == ["0.001", "0.01", "0.1"]
assert {task.task_id for task in flow.list_tasks(limit=10)} == {task.task_id for task in tasks}
