from collections.abc import Callable

import flowc
from flowc import Flow, TaskConfig


def said(call: Callable[[], object]) -> str:
    try:
        return f"nothing, but {call()!r}"
    except flowc.FlowError as error:
        return f"{type(error).__name__}: {error}"


run: Callable[..., object] = flowc.run
for call, words in (
    (lambda: TaskConfig(name="x", command="y"), "does not say on what it is to run"),
    (lambda: TaskConfig(name="bad name!", instance_type="a100", command="y"), "Write 'bad-name'"),
    (lambda: run("x", gpus=4), "with the count in it"),
    (lambda: run("x", gpu="3xa100"), "No machine '3xa100' is sold"),
    (lambda: run("x", gpu="a100", max_price=3), "Unknown key 'max_price'\n  Did you mean: 'max_price_per_hour'?"),
    (lambda: run("x", gpu="a100", secret=["A"]), "Unknown keyword 'secret'\n  Did you mean: 'secrets'?"),
    (lambda: run("x", gpu="a100", env={"A": 1}), "In: env['A']"),
    (lambda: run("x", gpu="a100", volumes=[{"name": "d", "size_gb": 3}]), "expected 3 to 64 small letters"),
    (lambda: run("", gpu="a100"), "does not say what is run"),
    (lambda: run(lambda: 3, gpu="a100"), "a function is nothing that can be run"),
    (lambda: Flow(provider="mithril").run("x", gpu="a100", budget=0.01), "In: budget"),
    (lambda: flowc.get_task("nope"), "NotFoundError"),
    (lambda: flowc.list_tasks(limit=0), "at least 1"),
    (lambda: flowc.find_instances({"gpu_type": "a100"}), "Did you mean: 'gpu'?"),
    (lambda: flowc.find_instances({"max_price_per_hour": 3}), "Did you mean: 'max_price'?"),
    (lambda: Flow(provider="aws").run("x", gpu="a100"), "there are mithril and local"),
    (lambda: Flow().run("x", gpu="a100", image="not an image!!"), "expected a container image"),
):
    assert words in said(call), said(call)
