"""News crosses processes, whatever its length, and survives a lost session."""

import asyncio
import json
import subprocess
import sys

import pytest

from deploy.channel_layer import ChannelNotOurs, PgNotifyChannelLayer
from deploy.home import SOURCE

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS_MAX = 60
LONG = "x" * 50_000
SENDER = """
import asyncio, json, sys, django
django.setup()
from channels.layers import get_channel_layer
group, message = json.loads(sys.argv[1])
asyncio.run(get_channel_layer().group_send(group, message))
"""


def heard(scenario):
    """Run the scenario with a layer of its own, and let go of it afterwards."""

    async def run():
        layer = PgNotifyChannelLayer()
        try:
            return await asyncio.wait_for(scenario(layer), SECONDS_MAX)
        finally:
            await layer.close()

    return asyncio.run(run())


def send_from_another_process(environment, group, message):
    subprocess.run(
        [sys.executable, "-c", SENDER, json.dumps([group, message])],
        cwd=SOURCE,
        # This layer, also where the suite is told to use another.
        env={name: word for name, word in environment.items() if name != "CHANNELS_URL"},
        check=True,
        capture_output=True,
        timeout=90,
    )


@pytest.mark.parametrize("words", ["short", LONG], ids=["short", "long"])
def test_every_member_hears_what_another_process_sends(process_environment, words):
    message = {"type": "update", "topic": words}

    async def scenario(layer):
        channels = [await layer.new_channel() for _ in range(3)]
        for channel in channels:
            await layer.group_add("queue.meridian-nl.operations", channel)
        await asyncio.to_thread(
            send_from_another_process,
            process_environment,
            "queue.meridian-nl.operations",
            message,
        )
        return [await layer.receive(channel) for channel in channels]

    assert heard(scenario) == [message] * 3


def test_messages_arrive_in_the_order_sent():
    async def scenario(layer):
        channel = await layer.new_channel()
        await layer.group_add("case.1", channel)
        for number in range(200):
            await layer.group_send("case.1", {"type": "update", "n": number})
        return [(await layer.receive(channel))["n"] for _ in range(200)]

    assert heard(scenario) == list(range(200))


def test_who_left_the_group_hears_nothing_more():
    async def scenario(layer):
        stays, leaves = await layer.new_channel(), await layer.new_channel()
        for channel in (stays, leaves):
            await layer.group_add("case.1", channel)
        await layer.group_discard("case.1", leaves)
        await layer.group_send("case.1", {"type": "update"})
        await layer.send(leaves, {"type": "last"})
        return [await layer.receive(stays), await layer.receive(leaves)]

    assert heard(scenario) == [{"type": "update"}, {"type": "last"}]


def test_other_groups_hear_nothing():
    async def scenario(layer):
        mine, theirs = await layer.new_channel(), await layer.new_channel()
        await layer.group_add("customer.a", mine)
        await layer.group_add("customer.b", theirs)
        await layer.group_send("customer.a", {"type": "update", "of": "a"})
        await layer.group_send("customer.b", {"type": "update", "of": "b"})
        return await layer.receive(theirs)

    assert heard(scenario) == {"type": "update", "of": "b"}


def test_listener_and_sender_come_back_after_their_sessions_were_killed(superuser_connection):
    def kill_sessions():
        killed = superuser_connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
        return killed[0]

    async def scenario(layer):
        channel = await layer.new_channel()
        await layer.group_add("case.1", channel)
        await layer.group_send("case.1", {"type": "before"})
        before = await layer.receive(channel)
        killed = await asyncio.to_thread(kill_sessions)
        # At most once: what is sent while nobody listens is lost, so it is sent until heard.
        receiving = asyncio.ensure_future(layer.receive(channel))
        while not receiving.done():
            await layer.group_send("case.1", {"type": "after"})
            await asyncio.wait([receiving], timeout=0.1)
        return before, killed, receiving.result()

    before, killed, after = heard(scenario)

    assert before == {"type": "before"}
    assert killed >= 2
    assert after == {"type": "after"}


def test_a_full_screen_loses_its_own_news_and_holds_up_nobody():
    async def scenario(layer):
        slow, quick = await layer.new_channel(), await layer.new_channel()
        await layer.group_add("case.1", slow)
        await layer.group_add("case.1", quick)
        received = []
        for number in range(1100):
            await layer.group_send("case.1", {"type": "update", "n": number})
            received.append((await layer.receive(quick))["n"])
        return received, (await layer.receive(slow))["n"]

    received, first_of_slow = heard(scenario)

    assert received == list(range(1100))
    assert first_of_slow == 0


def test_a_name_nobody_made_is_refused():
    async def scenario(layer):
        await layer.send("worker", {"type": "update"})

    with pytest.raises(ChannelNotOurs):
        heard(scenario)


def test_long_messages_are_not_kept(superuser_connection):
    async def scenario(layer):
        await layer.group_send("case.1", {"type": "update", "words": LONG})

    heard(scenario)
    superuser_connection.execute(
        "UPDATE deploy_channel_message SET sent_at = sent_at - interval '2 minutes'"
    )
    heard(scenario)

    kept = superuser_connection.execute("SELECT count(*) FROM deploy_channel_message").fetchone()
    assert kept == (1,)
