import time

from flowc import Flow

client = Flow()
task = client.run("sleep 2; echo done", gpu="a100", wait=False)
while task.status in ["pending", "provisioning"]:
    time.sleep(0.1)
    task = client.get_task(task.task_id)
assert task.status in ("running", "completed")
assert [each.instance_id for each in task.get_instances()]
assert task.get_user().user_id
task.wait(timeout=300)
assert (task.status, task.logs()) == ("completed", "done\n")
