import argparse

from flowc import Flow, TaskConfig

parser = argparse.ArgumentParser()
parser.add_argument("--region")
parser.add_argument("--docker")
parser.add_argument("--max-price", type=float, default=50.0)
args = parser.parse_args()
config = TaskConfig(
    name="gpu-training-task",
    instance_type="h100",
    region=args.region,
    max_price_per_hour=args.max_price,
    image=args.docker,
    command="echo ok",
    max_run_time_hours=8.0,
)
assert (config.name, config.region) == ("gpu-training-task", None)
assert Flow().run(config, wait=True, region=args.region).status == "completed"
