from pathlib import Path

import flowc as flow

Path("training.yaml").write_text("name: training\ninstance_type: a100\ncommand: echo trained with $A\n")
task = flow.run(Path("training.yaml"), max_price_per_hour=12, env={"A": "b"})
task.wait()
assert (task.status, task.logs()) == ("completed", "trained with b\n")
