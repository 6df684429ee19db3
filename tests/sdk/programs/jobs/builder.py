from flowc import Flow, TaskConfig

config = (
    TaskConfig.builder()
    .with_name("built")
    .with_gpu("a100")
    .with_command("echo $WANDB_MODE")
    .with_env("WANDB_MODE", "offline")
    .with_max_run_time_hours(1)
    .build()
)
assert Flow().run(config, wait=True).logs() == "offline\n"
