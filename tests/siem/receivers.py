"""Receivers for tests/siem/check.py: each can be closed, and then answers 503, and is strict when open.

What breaks the interface goes into `faults` and is answered as the real receiver would.
"""

import base64
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_BYTES_MAX = 10_000_000


class Receiver:
    """An HTTP server on a free port of the loopback; a subclass says what it makes of a request."""

    def __init__(self):
        self.faults = []
        self.refused = 0
        self.closed = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self):
                length = int(self.headers.get("Content-Length", "0"))
                if "Transfer-Encoding" in self.headers or length > BODY_BYTES_MAX:
                    receiver.faults.append(f"{self.path}: a body of no known or of too great a length")
                body = self.rfile.read(length)
                if receiver.closed.is_set():
                    receiver.refused += 1
                    status, answer = 503, b'{"text":"Server is busy","code":9}'
                else:
                    status, answer = receiver.answer(self, body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_DELETE = handle_request

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            # A client killed in the middle of a request is part of the test.
            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def fault(self, what, status=400, code=6):
        self.faults.append(what)
        return status, json.dumps({"text": what, "code": code}).encode()


class Hec(Receiver):
    """Stands in for Splunk's HTTP Event Collector: a token, envelopes, nothing else."""

    KEYS = {"time", "host", "source", "sourcetype", "index", "event", "fields"}

    def __init__(self, token):
        super().__init__()
        self.token = token
        self.events = []

    def answer(self, request, body):
        if (request.command, request.path) != ("POST", "/services/collector/event"):
            return self.fault(f"no such thing: {request.command} {request.path}", 404, 404)
        if request.headers.get("Authorization") != f"Splunk {self.token}":
            return self.fault("invalid token", 403, 4)
        if request.headers.get("Content-Type") != "application/json":
            return self.fault(f"content type {request.headers.get('Content-Type')}")
        try:
            text, place, events = body.decode(), 0, []
            while place < len(text):
                envelope, place = json.JSONDecoder().raw_decode(text, place)
                if not isinstance(envelope, dict) or not self.KEYS.issuperset(envelope):
                    return self.fault(f"unknown keys: {list(envelope)}")
                if not isinstance(envelope.get("event"), dict) or not envelope["event"]:
                    return self.fault("event field is required")
                named = (envelope.get("source"), envelope.get("sourcetype"))
                if named != ("deskwarden", "ocsf:detection_finding"):
                    return self.fault(f"source and sourcetype are {named}")
                events.append(envelope["event"])
        except ValueError as error:
            return self.fault(f"invalid data format: {error}")
        if not events:
            return self.fault("no data", code=5)
        self.events += events
        return 200, b'{"text":"Success","code":0}'


class Otlp(Receiver):
    """Takes log records by OTLP over HTTP, as JSON; keeps the body of each as it came."""

    def __init__(self):
        super().__init__()
        self.bodies = []

    def answer(self, request, body):
        if (request.command, request.path) != ("POST", "/v1/logs"):
            return self.fault(f"no such thing: {request.command} {request.path}", 404)
        try:
            records = [
                record
                for resource in json.loads(body)["resourceLogs"]
                for scope in resource["scopeLogs"]
                for record in scope["logRecords"]
            ]
            # A tombstone has no body.
            self.bodies += [record.get("body", {}).get("stringValue", "") for record in records]
        except (ValueError, KeyError, AttributeError) as error:
            return self.fault(f"no OTLP: {error!r}")
        return 200, b"{}"


class Door(Receiver):
    """Stands before a real search server: asks for the password and passes everything on."""

    def __init__(self, user, password, port):
        super().__init__()
        self.expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.behind = port
        self.passed = 0
        self.changed = []

    def answer(self, request, body):
        if request.headers.get("Authorization") != self.expected:
            return self.fault("no or another password", 401)
        server = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=30)
        server.request(
            request.command,
            request.path,
            body or None,
            {"Content-Type": request.headers.get("Content-Type", "application/json")},
        )
        answer = server.getresponse()
        content = answer.read()
        server.close()
        # 409: what comes again after a restart has been written already.
        usual = {404, 409} if request.command == "DELETE" else {409}
        if answer.status >= 300 and answer.status not in usual:
            self.faults.append(f"{request.command} {request.path}: {answer.status} {content[:300]!r}")
        self.passed += 1
        if answer.status < 300:
            self.changed.append(request.path)
        return answer.status, content
