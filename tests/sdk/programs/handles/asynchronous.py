import asyncio

from flowc import Flow


async def main() -> None:
    flow = Flow()
    task = await asyncio.to_thread(flow.run, "echo async", gpu="a100")
    await asyncio.to_thread(task.wait)
    assert task.logs() == "async\n"
    assert flow.run("echo blocking", gpu="a100", wait=True).status == "completed"


asyncio.run(main())
