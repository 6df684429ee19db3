import flowc as flow

task = flow.run(
    """
    if [ -f /checkpoints/latest.pt ]; then
        echo resume
    else
        echo fresh
    fi
    """,
    gpu="a100",
    wait=True,
)
assert (task.status, task.logs()) == ("completed", "fresh\n")
