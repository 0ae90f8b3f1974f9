"""Redis is a helper: killed, paused or full under load it costs no request, and no more than the stated milliseconds."""

import time

import httpx2
import pytest

from faults import SLACK
from load import Load
from partition import Partition
from processes import Mock, Sluice
from redis_server import IS_INSTALLED, RedisCluster, RedisSentinelSet, RedisServer

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason="redis-server is not installed")

# What one call to a Redis that says nothing may take, and what a request may take longer than without Redis, in seconds: a few calls
# until the breaker opens, and what a busy machine adds.
CALL_LIMIT = 0.025
ADDED_MAX = 0.3


@pytest.fixture
def redis():
    server = RedisServer()
    yield server
    server.end()


@pytest.fixture
def mock():
    program = Mock()
    yield program
    program.end()


@pytest.fixture
def sluice(mock, redis):
    program = Sluice(
        providers={"mock": mock.provider()}, workers=2, redis={"url": f"redis://{redis.address}", "timeout_ms": round(CALL_LIMIT * 1000)},
        **POLICIES)
    yield program
    program.end()


# What uses Redis, and asks it for each request.
POLICIES = {
    "rate_limits": [{"name": "all", "by": ["key"], "limit": 1_000_000, "scope": "fleet", "lease_percent": 0}],
    "cache": {"nondeterministic": True},
}


@pytest.mark.parametrize("way", ["killed", "paused", "full"])
def test_a_lost_redis_costs_no_request(sluice, redis, way):
    load = Load(sluice.url, "gpt-mock+latency-ms=5", rate=80)
    try:
        load.phase(1)
        before = load.phase(2)
        {"killed": redis.kill, "paused": redis.pause, "full": redis.fill}[way]()
        during = load.phase(3)
        {"killed": redis.start, "paused": redis.resume, "full": redis.empty}[way]()
        load.phase(2)
        after = load.phase(1)
    finally:
        load.end()
    for seen in (before, during, after):
        assert not seen.failed and len(seen.times) > 20
    assert during.times[-1] < before.median + ADDED_MAX
    # Most do not notice: the breaker is open.
    assert during.quantile(0.9) < before.median + 2 * CALL_LIMIT
    assert after.quantile(0.9) < before.median + 2 * CALL_LIMIT


# As it is by default, and as it is promised: five calls in a row that nobody answers open the breaker, and a request that made all of
# them has waited for five deadlines, each with a tick of the clock.
DEFAULT_LIMIT = 0.005
STATED_MAX = 5 * (DEFAULT_LIMIT + 0.001)
# What a busy machine may add to any request, with Redis or without it.
MACHINE = 0.15


@pytest.mark.parametrize("cut", [(Partition.TO,), (Partition.FROM,), Partition.BOTH], ids=["to", "from", "both"])
def test_a_network_that_loses_redis_costs_no_request_and_no_more_than_is_stated(mock, redis, cut):
    network = Partition(redis.port)
    # The timeout is the default.
    program = Sluice(providers={"mock": mock.provider()}, workers=2, redis={"url": f"redis://{network.address}"}, **POLICIES)
    load = Load(program.url, "gpt-mock+latency-ms=5", rate=80)
    try:
        load.phase(1)
        before = load.phase(2)
        assert state(program) == "up"
        network.cut(*cut)
        # Longer than it takes until the connections are given up and others are tried for in vain.
        during = load.phase(3)
        assert state(program) == "down"
        network.heal()
        healed = time.monotonic()
        while state(program) != "up":
            assert time.monotonic() - healed < 2 + SLACK, "it is not used again within two seconds"
            time.sleep(0.02)
        after = load.phase(1.5)
        kept = redis.call("DBSIZE")
        load.phase(0.5)
        assert redis.call("DBSIZE") > kept, "nothing is written any more"
    finally:
        load.end()
        program.end()
        network.end()
    for seen in (before, during, after):
        assert not seen.failed and len(seen.times) > 20
    usual = before.times[-1]
    assert during.times[-1] < usual + STATED_MAX + MACHINE
    # Nobody waits but those who open the breaker, and those who were under way with them.
    waited = [seconds for seconds in during.times if seconds > usual + DEFAULT_LIMIT]
    assert len(waited) <= len(during.times) * 0.1, waited


@pytest.mark.parametrize("way", ["killed", "paused"])
def test_the_default_deadline_keeps_what_is_stated(mock, redis, way):
    program = Sluice(providers={"mock": mock.provider()}, workers=2, redis={"url": f"redis://{redis.address}"}, **POLICIES)
    load = Load(program.url, "gpt-mock+latency-ms=5", rate=80)
    try:
        load.phase(1)
        before = load.phase(2)
        {"killed": redis.kill, "paused": redis.pause}[way]()
        during = load.phase(3)
        {"killed": redis.start, "paused": redis.resume}[way]()
        after = load.phase(2)
    finally:
        load.end()
        program.end()
    for seen in (before, during, after):
        assert not seen.failed and len(seen.times) > 20
    assert during.times[-1] < before.times[-1] + STATED_MAX + MACHINE
    assert during.quantile(0.9) < before.quantile(0.9) + DEFAULT_LIMIT + MACHINE / 3


def state(program: Sluice) -> str:
    return httpx2.get(program.admin + "/redis").raise_for_status().json()["state"]


def test_without_redis_from_the_start_everything_works(mock):
    program = Sluice(providers={"mock": mock.provider()}, redis={"url": "redis://127.0.0.1:9"}, **POLICIES)
    try:
        load = Load(program.url, "gpt-mock", rate=50)
        try:
            seen = load.phase(2)
        finally:
            load.end()
        assert not seen.failed and seen.quantile(0.9) < ADDED_MAX
    finally:
        program.end()


def test_redis_is_found_again(sluice, redis):
    """After a restart on the same port it is used again: what one process remembers, another one finds."""
    redis.kill()
    time.sleep(0.5)
    redis.start()
    load = Load(sluice.url, "gpt-mock", rate=40)
    try:
        deadline = time.monotonic() + 10
        while not redis.call("DBSIZE") and time.monotonic() < deadline:
            time.sleep(0.1)
        assert redis.call("DBSIZE") > 0
    finally:
        load.end()


# More servers than one


@pytest.fixture
def cluster():
    cluster = RedisCluster()
    yield cluster
    cluster.end()


@pytest.fixture
def sentinels():
    sentinels = RedisSentinelSet()
    yield sentinels
    sentinels.end()


def test_a_cluster_that_loses_a_node_costs_no_request(mock, cluster):
    program = Sluice(providers={"mock": mock.provider()}, workers=2, redis=cluster_settings(cluster), **POLICIES)
    try:
        load = Load(program.url, "gpt-mock+latency-ms=5", rate=80)
        try:
            before = load.phase(2)
            # All nodes are used.
            assert all(node.call("DBSIZE") > 0 for node in cluster.nodes)
            cluster.nodes[2].kill()
            during = load.phase(3)
        finally:
            load.end()
    finally:
        program.end()
    assert not before.failed and not during.failed
    assert during.times[-1] < before.median + ADDED_MAX and during.quantile(0.9) < before.median + 2 * CALL_LIMIT


def test_slots_that_move_are_followed(mock, cluster):
    program = Sluice(providers={"mock": mock.provider()}, workers=2, redis=cluster_settings(cluster), **POLICIES)
    try:
        load = Load(program.url, "gpt-mock+latency-ms=5", rate=80)
        try:
            load.phase(1)
            cluster.move_slots(of=2, to=0)
            load.phase(1)
            left = cluster.nodes[0].call("DBSIZE")
            after = load.phase(2)
            assert cluster.nodes[0].call("DBSIZE") > left, "nothing is written to the node that has the slots now"
        finally:
            load.end()
    finally:
        program.end()
    assert not after.failed and after.times[-1] < ADDED_MAX


def test_a_new_master_is_found(mock, sentinels):
    program = Sluice(providers={"mock": mock.provider()}, workers=2, redis=sentinel_settings(sentinels), **POLICIES)
    try:
        load = Load(program.url, "gpt-mock+latency-ms=5", rate=60)
        try:
            before = load.phase(1.5)
            sentinels.master.kill()
            during = load.phase(4)
            known = sentinels.replica.call("DBSIZE")
            after = load.phase(2)
            assert sentinels.replica.call("DBSIZE") > known, "nothing is written to the new master"
        finally:
            load.end()
    finally:
        program.end()
    for seen in (before, during, after):
        assert not seen.failed and seen.times[-1] < before.median + ADDED_MAX


def cluster_settings(cluster) -> dict:
    return {"cluster": cluster.addresses, "timeout_ms": round(CALL_LIMIT * 1000)}


def sentinel_settings(sentinels) -> dict:
    return {"sentinels": sentinels.addresses, "master": sentinels.NAME, "timeout_ms": round(CALL_LIMIT * 1000)}
