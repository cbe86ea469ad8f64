"""Stands in for programs on either side of the wall. `serve PORT…`: answers TCP, UDP with the peer's address, IPv4 and IPv6.
`probe`: reads a JSON list of {protocol, address, port?, source?} on stdin and answers, for each, what came of it."""

import json
import socket
import struct
import sys
import threading

SILENCE_SECS = 1.5


def serve(ports):
    for port in ports:
        tcp = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
        udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # The answer must come from the address that was asked.
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        udp.bind(("::", port))
        threading.Thread(target=serve_tcp, args=(tcp,)).start()
        threading.Thread(target=serve_udp, args=(udp,)).start()
    print("serving", flush=True)


def serve_tcp(listener):
    while True:
        connection, peer = listener.accept()
        threading.Thread(target=answer_tcp, args=(connection, peer)).start()


def answer_tcp(connection, peer):
    try:
        with connection:
            with connection.makefile("rb") as stream:
                download, upload = map(int, stream.readline(64).split())
                stream.read(upload)
            connection.sendall(peer[0].encode().ljust(download, b"."))
    except (OSError, ValueError):
        pass


def serve_udp(udp):
    while True:
        _, ancillary, _, peer = udp.recvmsg(64, 256)
        info = [item for item in ancillary if item[1] == socket.IPV6_PKTINFO]
        udp.sendmsg([peer[0].encode()], info, 0, peer)


def probe(wanted):
    kind = socket.AF_INET6 if ":" in wanted["address"] else socket.AF_INET
    try:
        answer = {"tcp": probe_tcp, "udp": probe_udp, "icmp": probe_icmp, "spoof": probe_spoofed}[wanted["protocol"]](kind, wanted)
        return {"outcome": "answered", "detail": answer}
    except (TimeoutError, socket.timeout):
        return {"outcome": "silent", "detail": ""}
    except OSError as error:
        return {"outcome": "refused", "detail": error.strerror or str(error)}


def probe_tcp(kind, wanted):
    with socket.socket(kind, socket.SOCK_STREAM) as connection:
        connection.settimeout(wanted.get("patience", SILENCE_SECS))
        connection.connect((wanted["address"], wanted["port"]))
        upload = wanted.get("upload", 0)
        connection.sendall(b"%d %d\n" % (wanted.get("download", 0), upload) + b"." * upload)
        received = b""
        while chunk := connection.recv(65536):
            received = (received + chunk)[:64]
        return received.decode().strip(".").removeprefix("::ffff:")


def probe_udp(kind, wanted):
    with socket.socket(kind, socket.SOCK_DGRAM) as peer:
        peer.settimeout(SILENCE_SECS)
        peer.connect((wanted["address"], wanted["port"]))
        peer.send(b"0")
        return peer.recv(64).decode().removeprefix("::ffff:")


def probe_icmp(kind, wanted):
    protocol = socket.IPPROTO_ICMP if kind == socket.AF_INET else socket.IPPROTO_ICMPV6
    request, reply = (8, 0) if kind == socket.AF_INET else (128, 129)
    with socket.socket(kind, socket.SOCK_RAW, protocol) as peer:
        peer.settimeout(SILENCE_SECS)
        peer.connect((wanted["address"], 0))
        body = struct.pack("!HH", threading.get_ident() & 0xFFFF, 1)
        peer.send(struct.pack("!BBH", request, 0, checksum(struct.pack("!BBH", request, 0, 0) + body)) + body)
        while True:
            packet = peer.recv(256)
            message = packet[(packet[0] & 15) * 4 :] if kind == socket.AF_INET else packet
            if message[0] == reply and message[4:6] == body[0:2]:
                return ""
            if message[0] in ((3,) if kind == socket.AF_INET else (1,)):
                raise OSError("unreachable")


def probe_spoofed(kind, wanted):
    """Sends one UDP packet from an address that is not ours; nobody can answer that."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        udp = struct.pack("!HHHH", 4444, wanted["port"], 9, 0) + b"0"
        head = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
            socket.inet_aton(wanted["source"]), socket.inet_aton(wanted["address"]),
        )
        raw.sendto(head + udp, (wanted["address"], 0))
    return "sent"


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def probe_all():
    wanted = json.load(sys.stdin)
    answers = [None] * len(wanted)

    def one(index):
        answers[index] = probe(wanted[index])

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(wanted))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(answers))


if sys.argv[1] == "serve":
    serve([int(port) for port in sys.argv[2:]])
else:
    probe_all()
