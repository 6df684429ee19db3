from flowc import Flow, TaskConfig

with Flow() as flow:
    config = TaskConfig(
        name="cancellation-demo",
        instance_type="h100-80gb.sxm.8x",
        region="us-central1-b",
        command=["python3", "-c", "import time; print('Task started'); time.sleep(300); print('Task completed')"],
    )
    task = flow.run(config)
    assert task.status in ("pending", "provisioning", "running")
    task.cancel()
    assert (task.status, task.exit_status) == ("cancelled", 130)
