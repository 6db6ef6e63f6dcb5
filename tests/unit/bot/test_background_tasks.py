"""Background tasks are finished at the end, cut off when they take too long, and harm nobody when they fail."""

import asyncio

from bot.background_tasks import BackgroundTasks


async def test_what_is_running_may_finish_before_the_end() -> None:
    tasks, done = BackgroundTasks(), list[str]()

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.append("done")

    tasks.spawn(work(), "work")
    assert done == []
    await tasks.close()
    assert done == ["done"]


async def test_what_takes_too_long_is_cut_off() -> None:
    tasks, ended = BackgroundTasks(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    tasks.spawn(work(), "work")
    await tasks.close(seconds=0.01)
    assert ended.is_set()


async def test_a_failing_task_harms_no_other() -> None:
    tasks, done = BackgroundTasks(), list[str]()

    async def fail() -> None:
        raise ValueError

    async def work() -> None:
        done.append("done")

    tasks.spawn(fail(), "fail")
    tasks.spawn(work(), "work")
    await tasks.close()
    assert done == ["done"]
    await tasks.close()
