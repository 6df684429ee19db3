import flowc as flow
from flowc import TaskConfig

config = TaskConfig(
    command="echo training with $BATCH_SIZE",
    instance_type="a100",
    max_price_per_hour=10.0,
    env={"EPOCHS": "100", "BATCH_SIZE": "64", "LEARNING_RATE": "0.001"},
)
task = flow.run(config)
lines = [line.rstrip() for line in task.logs(follow=True)]
assert (lines, task.status) == (["training with 64"], "completed")
