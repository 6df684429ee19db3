from pathlib import Path

import flowc as flow

Path("project").mkdir()
Path("project/train.py").write_text("import util; print(util.x)")
Path("project/util.py").write_text("x = 1")
task = flow.run("python3 train.py", gpu="a100", code="project", wait=True)
assert (task.status, task.logs().split()[-1]) == ("completed", "1"), task.logs()
