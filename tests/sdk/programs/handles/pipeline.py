from flowc import Flow

flow = Flow()
prepare = flow.run("echo prepared", gpu="a100", name="prepare")
train = flow.run("echo trained", gpu="a100", name="train", after=prepare)
report = flow.run("echo reported", gpu="a100", name="report", after=f"afterany:{train.task_id}")
assert {each.name for each in flow.list_tasks()} == {prepare.name, train.name, report.name}
report.wait()
assert [each.status for each in (prepare, train, report)] == ["completed"] * 3
