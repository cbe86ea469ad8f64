"""Answers DNS on port 53 of all addresses, UDP and TCP: NAME=ADDRESS[,ADDRESS…] for A and AAAA; of those written with `/`
in place of `,` it tells one after the other, a question each. All other names do not exist."""

import socket
import struct
import sys
import threading

asked = {}


def read_names(words):
    names = {}
    for word in words:
        name, addresses = word.split("=")
        names[name] = (addresses.split("/"), True) if "/" in addresses else (addresses.split(","), False)
    return names


NAMES = read_names(sys.argv[1:])


def reply(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
    question = query[12 : at + 5]
    name = ".".join(labels)
    addresses = [(4 if "." in address else 6, address) for address in pick(name, kind)]
    wanted = [address for version, address in addresses if (version, kind) in ((4, 1), (6, 28))]
    code = 0 if name in NAMES else 3
    data = [socket.inet_pton(socket.AF_INET if kind == 1 else socket.AF_INET6, address) for address in wanted]
    records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(each)) + each for each in data)
    return query[:2] + struct.pack("!5H", 0x8180 | code, 1, len(data), 0, 0) + question + records


def pick(name, kind):
    addresses, changes = NAMES.get(name, ([], False))
    if not changes or kind != 1:
        return addresses
    asked[name] = asked.get(name, -1) + 1
    return [addresses[min(asked[name], len(addresses) - 1)]]


def serve_udp(server):
    while True:
        query, peer = server.recvfrom(4096)
        server.sendto(reply(query), peer)


def serve_tcp(server):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=answer_tcp, args=(connection,)).start()


def answer_tcp(connection):
    with connection, connection.makefile("rb") as stream:
        while size := stream.read(2):
            answer = reply(stream.read(struct.unpack("!H", size)[0]))
            connection.sendall(struct.pack("!H", len(answer)) + answer)


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", 53))
tcp = socket.create_server(("0.0.0.0", 53))
threading.Thread(target=serve_udp, args=(udp,)).start()
threading.Thread(target=serve_tcp, args=(tcp,)).start()
print("serving", flush=True)
