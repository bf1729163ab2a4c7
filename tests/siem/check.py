#!/usr/bin/env python3
"""Configurations of deploy/siem against a real Apache Kafka: what was published is what arrives.

| file                        | run by                  | receiver                                       |
|-----------------------------|-------------------------|------------------------------------------------|
| camel-search.yaml           | Apache Camel            | an OpenSearch server                           |
| camel-splunk.yaml           | Apache Camel            | a strict stand-in for Splunk's collector       |
| otel-collector.yaml         | OpenTelemetry Collector | OTLP over HTTP in place of its Splunk exporter |
| *-connect.json, all at once | Kafka Connect           | Kafka's file sink in place of their connectors |

The alerts are those of tests/ocsf, published in transactions, of which one is taken back. Receivers
refuse for a while, programs are killed with SIGKILL, and all is read again from the beginning. Only
hosts, ports and what the table names as replaced differ from the files. The Collector is run where
SIEM_COLLECTOR names it (tests/siem/run --collector). The package registries do not have the connectors
of Kafka Connect, the Collector's exporter for Splunk and Vector: vector.yaml is not run.
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import MemberToRemove, NewTopic
from kafka.errors import KafkaError

from sinks import ROOT, CamelSearch, CamelSplunk, Collector, Connect, Failed, Files
from sinks import ask, free_port, opensearch

TOPIC = "deskwarden.alerts.v1"
PARTITIONS = 3
START_SECONDS_MAX = 60
ARRIVE_SECONDS_MAX = 60


def until(condition, what, seconds=ARRIVE_SECONDS_MAX):
    """Waits for a condition, which is true or says why it does not hold yet."""
    deadline = time.monotonic() + seconds
    while (why := condition()) is not True:
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s: {why}")
        time.sleep(0.1)


# --- What is published ------------------------------------------------------------------------


def golden(name):
    alert = json.loads((ROOT / f"tests/ocsf/{name}.json").read_text())
    return alert["finding_info"]["uid"], alert


def revised(keyed, revision):
    key, alert = keyed
    return key, {**alert, "metadata": {**alert["metadata"], "uid": f"{key}:{revision}"}}


class Topic:
    """Publishes alerts as the daemon does and remembers what must arrive."""

    def __init__(self, brokers):
        self.admin = KafkaAdminClient(bootstrap_servers=brokers)
        self.committed, self.taken_back = [], []
        self.admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
        self.producer = KafkaProducer(
            bootstrap_servers=brokers, transactional_id=f"siem-check-{os.getpid()}"
        )
        self.producer.init_transactions()

    def publish(self, *alerts, is_kept=True):
        """One transaction; an alert that is None is a tombstone, the erasure of a person."""
        self.producer.begin_transaction()
        for key, alert in alerts:
            text = None
            headers = [("ce_specversion", b"1.0"), ("content-type", b"application/json")]
            if alert is not None:
                text = json.dumps(alert, ensure_ascii=False, separators=(",", ":"))
                headers.append(("ce_id", alert["metadata"]["uid"].encode()))
            self.producer.send(
                TOPIC, key=key.encode(), value=text and text.encode(), headers=headers,
                partition=int(key[:8], 16) % PARTITIONS,
            )
            if is_kept:
                self.committed.append((key, text))
            else:
                self.taken_back.append(text)
        self.producer.flush()
        if is_kept:
            self.producer.commit_transaction()
        else:
            self.producer.abort_transaction()

    def revisions(self):
        return [text for _, text in self.committed if text is not None]

    def newest(self):
        last = dict(self.committed)
        return {key: json.loads(text) for key, text in last.items() if text is not None}

    def bury(self, groups):
        """Takes killed members out of their groups at once; else their session runs out after 45 s."""
        for group, told in self.admin.describe_groups(groups).items():
            members = [MemberToRemove(member_id=member["member_id"]) for member in told["members"]]
            self.admin.remove_group_members(group, members)

    def forget(self, groups):
        """The groups begin anew at the oldest record."""
        self.admin.delete_groups(groups)

    def close(self):
        """A broker that is gone already, after Ctrl-C, needs no cleaning."""
        with contextlib.suppress(KafkaError):
            self.producer.close()
            self.admin.delete_topics([TOPIC])
            self.admin.close()


# --- The run ----------------------------------------------------------------------------------


class Scenario:
    def __init__(self, topic, sinks):
        self.topic, self.sinks = topic, sinks
        self.receivers = [sink.receiver for sink in sinks if sink.receiver]
        self.groups = [group for sink in sinks for group in sink.groups]

    def start(self):
        for sink in self.sinks:
            sink.program.start()

    def kill(self):
        for sink in self.sinks:
            sink.program.kill()
        self.topic.bury(self.groups)

    def refuse(self):
        for receiver in self.receivers:
            receiver.refused = 0
            receiver.closed.set()

    def refused(self):
        for sink in self.sinks:
            if sink.receiver:
                until(lambda sink=sink: sink.receiver.refused >= sink.refusals_min,
                      f"{sink.name}: asks again when it is refused")

    def admit(self):
        for receiver in self.receivers:
            receiver.closed.clear()

    def arrived(self, what):
        for sink in self.sinks:
            until(lambda sink=sink: sink.arrived(self.topic), f"{sink.name}: {what}")
        print(f"tests/siem: {what}: as published", flush=True)

    def run(self):
        topic = self.topic
        ticket, caller, created = golden("ticket"), golden("caller"), golden("created")
        topic.publish(ticket, caller, created)
        topic.publish(revised(created, 99), is_kept=False)
        self.start()
        self.arrived("first alerts, one transaction taken back")

        self.refuse()
        topic.publish(golden("disposition"), golden("flood"))
        self.refused()
        self.kill()
        topic.publish((caller[0], None), revised(ticket, 2))
        self.admit()
        self.start()
        self.arrived("refused with 503, then killed, an erasure published meanwhile")

        self.refuse()
        topic.publish(golden("amended"), golden("retracted"))
        self.refused()
        self.admit()
        self.arrived("refused with 503 for a while")

        self.kill()
        topic.forget(self.groups)
        before = {sink.name: sink.count() for sink in self.sinks}
        self.start()
        for sink in self.sinks:
            until(lambda sink=sink: sink.count() >= before[sink.name] + len(topic.revisions()),
                  f"{sink.name}: reads again from the beginning")
        self.arrived("read again from the beginning")
        for sink in self.sinks:
            if not sink.program.lives():
                raise Failed(f"{sink.name}: the program ended")
            if not sink.unchanged(topic):
                raise Failed(f"{sink.name}: what was read again was written again")
            if sink.receiver and sink.receiver.faults:
                raise Failed(f"{sink.name}: it broke the receiver's rules")


def run(brokers, plant, work, stack):
    topic = Topic(brokers)
    stack.callback(topic.close)
    search_port = free_port()
    search = opensearch(work, search_port)
    files = Files(work, plant)
    sinks = [
        CamelSearch(files, brokers, search_port),
        CamelSplunk(files, brokers),
        Connect(files, brokers),
    ]
    if "SIEM_COLLECTOR" in os.environ:
        sinks.append(Collector(files, brokers))
    programs = [search] + [sink.program for sink in sinks]
    for program in programs:
        stack.callback(program.kill)
    try:
        search.start()
        until(lambda: ask(search_port, "/") is not None, "OpenSearch starts", START_SECONDS_MAX)
        Scenario(topic, sinks).run()
    except Failed:
        for program in programs:
            print(f"--- {program.log.name}", *program.told(), sep="\n", file=sys.stderr)
        for sink in sinks:
            if sink.receiver and sink.receiver.faults:
                print(f"--- faults of {sink.name}", *sink.receiver.faults[:5], sep="\n", file=sys.stderr)
        raise


def main():
    arguments = argparse.ArgumentParser(description="Runs configurations of deploy/siem.")
    arguments.add_argument("--plant", nargs=3, metavar=("FILE", "OLD", "NEW"))
    plant = arguments.parse_args().plant
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: sys.exit(143))
    began = time.monotonic()
    work = pathlib.Path(tempfile.mkdtemp(prefix="deskwarden-siem."))
    try:
        with contextlib.ExitStack() as stack:
            run(os.environ["DESKWARDEN_TEST_BROKERS"], plant, work, stack)
    except Failed as why:
        print(f"tests/siem: FAILED: {why}", file=sys.stderr)
        sys.exit(1)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"tests/siem: passed after {time.monotonic() - began:.0f} s")


main()
