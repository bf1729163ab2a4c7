"""The programs of tests/siem/check.py: what runs each file of deploy/siem, and what has arrived by it."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

from receivers import Door, Hec, Otlp

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECRETS = {
    "SPLUNK_HEC_TOKEN": "siem-check-token",
    "ELASTICSEARCH_PASSWORD": "siem-check-elasticsearch",
    "OPENSEARCH_PASSWORD": "siem-check-opensearch",
}


class Failed(Exception):
    pass


class Program:
    """A process that can be killed and started again with the same words."""

    def __init__(self, name, words, work):
        self.words = [str(word) for word in words]
        self.log = work / f"{name}.log"
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **SECRETS},
            )

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def lives(self):
        return self.process is not None and self.process.poll() is None

    def told(self):
        """The last lines, those with trouble first."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        trouble = [line for line in lines if re.search(r"WARN|ERROR|Exception|\berror\b", line)]
        return [line[:300] for line in trouble[-10:] + lines[-5:]]


class Files:
    """The files of deploy/siem with this run's hosts and ports, and a planted fault if one is asked for."""

    def __init__(self, work, plant):
        self.work, self.plant = work, plant

    def write(self, name, replaced):
        text = (ROOT / "deploy/siem" / name).read_text()
        if self.plant and self.plant[0] == name:
            replaced = {self.plant[1]: self.plant[2], **replaced}
        for old, new in replaced.items():
            if old not in text:
                raise Failed(f"deploy/siem/{name} has no {old!r}")
            text = text.replace(old, new)
        path = self.work / name
        path.write_text(text)
        return path


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def java(*words):
    return ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", *words]


def ask(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError):
        return None


# --- What has arrived, against what was published ---------------------------------------------


def canonical(text):
    return json.dumps(json.loads(text), sort_keys=True)


def case(text):
    return json.loads(text)["finding_info"]["uid"]


def every_revision(arrived, published, taken_back=()):
    """Each at least once, nothing else, and those of one case in their order. True, or what is wrong."""
    wanted = [canonical(text) for text in published]
    shown = [canonical(text) for text in taken_back]
    first = list(dict.fromkeys(map(canonical, arrived)))
    missing = [case(text) for text in wanted + shown if text not in first]
    foreign = [text[:200] for text in first if text not in wanted + shown]
    if missing or foreign:
        return f"missing: {missing}, too many: {foreign}"
    for one in {case(text) for text in wanted}:
        order = [text for text in first if case(text) == one and text in wanted]
        if order != [text for text in wanted if case(text) == one]:
            return f"the revisions of {one} arrived in another order"
    return True


def as_java(value):
    """A value as Java's maps and lists print it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={as_java(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_java, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def words(text):
    """The words of a printed map: the order of a map's entries says nothing."""
    return tuple(sorted(re.split(r"[{}\[\], ]+", text)))


# --- The programs -----------------------------------------------------------------------------
#
# A sink has a name, the consumer groups and the program of its file, `arrived(topic)`, which is true
# or says what is wrong, `count()` of all that came, repetitions too, and mostly a receiver.


def opensearch(work, port):
    """A server from its jars: the HTTP module in a folder of its own, as in a distribution."""
    home = work / "opensearch"
    module = home / "modules/transport-netty4"
    for folder in (module, home / "config", home / "lib", home / "plugins"):
        folder.mkdir(parents=True)
    for jar in pathlib.Path(os.environ["SIEM_OPENSEARCH"]).iterdir():
        is_http = jar.name.startswith(("netty-", "transport-netty4"))
        shutil.copy(jar, module if is_http else home / "lib")
    (module / "plugin-descriptor.properties").write_text(
        "name=transport-netty4\ndescription=HTTP\nversion=1\nopensearch.version=2.19.6\n"
        "java.version=11\nclassname=org.opensearch.transport.Netty4Plugin\n"
    )
    (module / "plugin-security.policy").write_text(
        "grant { permission java.security.AllPermission; };\n"
    )
    (home / "config/opensearch.yml").write_text(
        f"discovery.type: single-node\nnetwork.host: 127.0.0.1\nhttp.port: {port}\n"
        f"transport.port: {free_port()}\ncluster.routing.allocation.disk.threshold_enabled: false\n"
    )
    (home / "config/log4j2.properties").write_text(
        "appender.console.type = Console\nappender.console.name = console\n"
        "appender.console.layout.type = PatternLayout\nappender.console.layout.pattern = %p %c{1}: %m%n\n"
        "rootLogger.level = info\nrootLogger.appenderRef.console.ref = console\n"
    )
    # Without its native library it cannot ask whether root starts it, which it would refuse.
    return Program("opensearch", java(
        "-Xms512m", "-Djna.nounpack=true", "-Djna.nosys=true", "-Djava.security.manager=allow",
        f"-Dopensearch.path.home={home}", f"-Dopensearch.path.conf={home}/config",
        "-Dopensearch.distribution.type=tar", "-Dopensearch.bundled_jdk=false",
        "-cp", f"{home}/lib/*", "org.opensearch.bootstrap.OpenSearch",
    ), work)


def camel(route, work):
    return Program(route.stem, java(
        f"-Dcamel.main.routesIncludePattern=file:{route}",
        "-cp", os.environ["SIEM_CAMEL"] + "/*", "org.apache.camel.main.Main",
    ), work)


class Sink:
    receiver = None
    # Until it is let in again. Camel's HTTP client asks twice before Camel itself counts one failure.
    refusals_min = 6

    def unchanged(self, topic):
        """Whether reading all again changed nothing: mostly it cannot be seen."""
        return True


class CamelSearch(Sink):
    name = "camel-search.yaml"
    groups = ["camel-search-deskwarden"]

    def __init__(self, files, brokers, search_port):
        self.search_port = search_port
        self.receiver = Door("deskwarden", SECRETS["OPENSEARCH_PASSWORD"], search_port)
        route = files.write(self.name, {
            "kafka.example.com:9092": brokers,
            "https://opensearch.example.com:9200": f"http://127.0.0.1:{self.receiver.port}",
        })
        self.program = camel(route, files.work)

    def count(self):
        return self.receiver.passed

    def arrived(self, topic):
        ask(self.search_port, "/_refresh")
        found = ask(self.search_port, "/_search?size=1000")
        documents = {hit["_id"]: hit["_source"] for hit in found["hits"]["hits"]} if found else {}
        wanted = topic.newest()
        wrong = [key for key in {**wanted, **documents} if wanted.get(key) != documents.get(key)]
        return not wrong or f"missing, wrong or too many: {wrong}"

    def unchanged(self, topic):
        """Each document was written once for each revision. One that was erased may come and go again."""
        return all(
            sum(key in path for path in self.receiver.changed) == sum(key == k for k, _ in topic.committed)
            for key in topic.newest()
        )


class CamelSplunk(Sink):
    name = "camel-splunk.yaml"
    groups = ["camel-splunk-deskwarden"]

    def __init__(self, files, brokers):
        self.receiver = Hec(SECRETS["SPLUNK_HEC_TOKEN"])
        route = files.write(self.name, {
            "kafka.example.com:9092": brokers,
            "https://hec.example.com:8088": f"http://127.0.0.1:{self.receiver.port}",
        })
        self.program = camel(route, files.work)

    def count(self):
        return len(self.receiver.events)

    def arrived(self, topic):
        return every_revision(map(json.dumps, self.receiver.events), topic.revisions())


class Collector(Sink):
    name = "otel-collector.yaml"
    refusals_min = 2
    groups = ["otel-deskwarden"]

    def __init__(self, files, brokers):
        self.receiver = Otlp()
        address = f"http://127.0.0.1:{self.receiver.port}"
        config = files.write(self.name, {
            "kafka.example.com:9092": brokers,
            "  splunk_hec:\n": "  otlphttp:\n",
            "[splunk_hec]": "[otlphttp]",
            "    token: ${env:SPLUNK_HEC_TOKEN}\n": "    encoding: json\n    compression: none\n",
            "https://hec.example.com:8088/services/collector": address,
            "    source: deskwarden\n    sourcetype: ocsf:detection_finding\n": "",
            "service:\n": "service:\n  telemetry: {metrics: {level: none}}\n",
        })
        self.program = Program(
            "otel-collector", [os.environ["SIEM_COLLECTOR"], "--config", config], files.work
        )

    def count(self):
        return len(self.alerts())

    def alerts(self):
        """A tombstone comes as an empty text."""
        return [body for body in self.receiver.bodies if body]

    def arrived(self, topic):
        """What was taken back is shown too, as the file says; all else letter by letter."""
        if unlike := set(self.alerts()) - set(topic.revisions()) - set(topic.taken_back):
            return f"changed on the way: {[text[:200] for text in unlike]}"
        return every_revision(self.alerts(), topic.revisions(), topic.taken_back)


class Connect(Sink):
    """The three files of Kafka Connect in one worker: topic, isolation, converters, secrets."""

    name = "*-connect.json"
    secrets = {
        "splunk": "SPLUNK_HEC_TOKEN",
        "elasticsearch": "ELASTICSEARCH_PASSWORD",
        "opensearch": "OPENSEARCH_PASSWORD",
    }
    groups = [f"connect-deskwarden-{kind}" for kind in secrets]

    def __init__(self, files, brokers):
        worker = files.work / "connect.properties"
        worker.write_text(
            f"bootstrap.servers={brokers}\n"
            f"listeners=http://127.0.0.1:{free_port()}\n"
            f"offset.storage.file.filename={files.work}/connect.offsets\n"
            "offset.flush.interval.ms=1000\n"
            "key.converter=org.apache.kafka.connect.storage.StringConverter\n"
            "value.converter=org.apache.kafka.connect.storage.StringConverter\n"
            "config.providers=env\n"
            "config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"
        )
        configs, self.outputs = [], {}
        for kind, secret in self.secrets.items():
            name = f"{kind}-connect.json"
            ours = json.loads((ROOT / "deploy/siem" / name).read_text())["config"]["connector.class"]
            # The name of the file written shows that the worker puts in the secret.
            configs.append(files.write(name, {
                f'"{ours}"': '"org.apache.kafka.connect.file.FileStreamSinkConnector",\n    '
                f'"file": "{files.work}/{kind}.${{env:{secret}}}"',
            }))
            self.outputs[kind] = files.work / f"{kind}.{SECRETS[secret]}"
        self.program = Program("connect", java(
            "-cp", os.environ["SIEM_CONNECT"] + "/*",
            "org.apache.kafka.connect.cli.ConnectStandalone", worker, *configs,
        ), files.work)

    def lines(self, kind):
        """What was written; a tombstone is written as null."""
        path = self.outputs[kind]
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line != "null"]

    def count(self):
        return min(len(self.lines(kind)) for kind in self.outputs)

    def arrived(self, topic):
        wanted = {words(as_java(json.loads(text))) for text in topic.revisions()}
        for kind in self.outputs:
            lines = self.lines(kind)
            if kind == "splunk":
                unlike = len(set(lines) - set(topic.revisions()))
                verdict = not unlike or f"{unlike} not as published"
                verdict = verdict if unlike else every_revision(lines, topic.revisions())
            else:
                seen = set(map(words, lines))
                verdict = seen == wanted or f"{len(wanted - seen)} missing, {len(seen - wanted)} too many"
            if verdict is not True:
                return f"{kind}: {verdict}"
        return True
