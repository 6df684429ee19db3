from flowc import Flow, TaskConfig, VolumeSpec

config = TaskConfig(
    name="training-run-42",
    command="echo x >/checkpoints/a && ls /data /checkpoints",
    instance_type="4xa100",
    volumes=[
        VolumeSpec(name="dataset", size_gb=500, mount_path="/data", interface="file"),
        VolumeSpec(name="checkpoints", size_gb=100, mount_path="/checkpoints", interface="file"),
    ],
    max_price_per_hour=20.0,
    max_run_time_hours=72.0,
)
task = Flow().run(config)
task.wait()
assert (task.status, "a" in task.logs().split()) == ("completed", True), task.logs()
