# Cells of a notebook, one after the other.
names: dict[str, object] = {}
shown = []
for cell in (
    "from flowc import Flow",
    "flow = Flow()",
    "task = flow.run('echo cell', gpu='a100')",
    "task",
    "task.wait()",
    "task",
    "flow",
):
    try:
        shown.append(repr(eval(cell, names)))
    except SyntaxError:
        exec(cell, names)
assert [each.startswith("Task('flow-task-") for each in shown] == [True, False, True, False]
assert ("completed" in shown[2], shown[3]) == (True, "Flow()")
