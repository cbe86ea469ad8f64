"""What a guest can do with its network: reads a JSON list of actions on stdin, answers a list of what came of them."""

import json
import os
import socket
import struct
import sys
import threading
import time

SILENCE_SECS = 3
TYPES = {"A": 1, "MX": 15, "TXT": 16, "AAAA": 28}


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp(action):
    """By name or address; says which address answered."""
    with socket.create_connection((action["host"], action["port"]), SILENCE_SECS) as connection:
        connection.sendall(b"0 0\n")
        while connection.recv(4096):
            pass
        return connection.getpeername()[0]


def udp(action):
    with socket.socket(family(action["host"]), socket.SOCK_DGRAM) as peer:
        peer.settimeout(SILENCE_SECS)
        peer.connect((action["host"], action["port"]))
        peer.send(b"0")
        peer.recv(64)
        return action["host"]


def ping(action):
    """The datagram kind of ICMP socket, which needs no capability."""
    kind = family(action["host"])
    protocol = socket.IPPROTO_ICMP if kind == socket.AF_INET else socket.IPPROTO_ICMPV6
    with socket.socket(kind, socket.SOCK_DGRAM, protocol) as peer:
        peer.settimeout(SILENCE_SECS)
        peer.connect((action["host"], 0))
        peer.send(struct.pack("!BBHHH", 8 if kind == socket.AF_INET else 128, 0, 0, 0, 1))
        peer.recv(64)
        return action["host"]


def raw(action):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    return "made"


def packet(action):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()
    return "made"


def lookup(action):
    """Asks the name server of /etc/resolv.conf by hand; the code of the answer and the addresses in it."""
    with open("/etc/resolv.conf") as file:
        server = next(line.split()[1] for line in file if line.startswith("nameserver"))
    labels = b"".join(bytes([len(label)]) + label.encode() for label in action["name"].split("."))
    query = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", TYPES[action["type"]], 1)
    answer = (ask_tcp if action["transport"] == "tcp" else ask_udp)(server, query)
    code = struct.unpack("!H", answer[2:4])[0] & 15
    records, at = struct.unpack("!H", answer[6:8])[0], len(query)
    addresses = []
    for _ in range(records):
        at = end_of_name(answer, at)
        kind, size = struct.unpack("!H6xH", answer[at : at + 10])
        data = answer[at + 10 : at + 10 + size]
        if kind in (1, 28):
            addresses.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data))
        at += 10 + size
    return {"code": code, "addresses": addresses}


def end_of_name(message, at):
    while 0 < message[at] < 192:
        at += 1 + message[at]
    return at + (2 if message[at] else 1)


def ask_udp(server, query):
    with socket.socket(family(server), socket.SOCK_DGRAM) as peer:
        peer.settimeout(SILENCE_SECS)
        peer.connect((server, 53))
        peer.send(query)
        return peer.recv(4096)


def ask_tcp(server, query):
    with socket.create_connection((server, 53), SILENCE_SECS) as connection, connection.makefile("rb") as stream:
        connection.sendall(struct.pack("!H", len(query)) + query)
        return stream.read(struct.unpack("!H", stream.read(2))[0])


def read(action):
    with open(action["path"]) as file:
        return file.read()


def interfaces(action):
    return sorted(name for _, name in socket.if_nameindex())


def loopback(action):
    with socket.create_server((action["host"], 0), family=family(action["host"])) as server:
        threading.Thread(target=lambda: server.accept()[0].close()).start()
        socket.create_connection(server.getsockname()[:2], SILENCE_SECS).close()
    return "connected"


def serve(action):
    """Answers TCP on all of its addresses until somebody writes to /output, or for a while."""
    server = socket.create_server(("::", action["port"]), family=socket.AF_INET6, dualstack_ipv6=True)
    server.settimeout(0.2)
    end = time.monotonic() + action["secs"]
    while time.monotonic() < end:
        try:
            server.accept()[0].close()
        except TimeoutError:
            pass
    return "served"


def sleep(action):
    time.sleep(action["secs"])
    return "slept"


def perform(action):
    try:
        return {"ok": globals()[action["do"]](action)}
    except socket.gaierror as error:
        return {"error": "gaierror", "detail": str(error)}
    except TimeoutError:
        return {"error": "timeout"}
    except OSError as error:
        return {"error": error.strerror or type(error).__name__, "errno": error.errno}


print(json.dumps([perform(action) for action in json.load(sys.stdin)]), flush=True)
os._exit(0)
