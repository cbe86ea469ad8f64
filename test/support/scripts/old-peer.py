"""Two ends of a flow of UDP. `pester ADDRESS PORT`: whoever writes there is written to again and again, for good.
`hear PORT ADDRESS PORT SECS`: writes from a port to such a peer, and prints how many packets come until the time is up."""

import socket
import sys
import threading
import time

PAUSE_SECS = 0.05


def pester(address, port):
    here = bound(address, port)
    print("pestering", flush=True)
    while True:
        _, peer = here.recvfrom(64)
        threading.Thread(target=write_on, args=(here, peer), daemon=True).start()


def write_on(here, peer):
    while True:
        here.sendto(b"again", peer)
        time.sleep(PAUSE_SECS)


def hear(port, address, peer_port, secs):
    here = bound("0.0.0.0", port)
    here.sendto(b"hello", (address, int(peer_port)))
    end, heard = time.monotonic() + float(secs), 0
    while (left := end - time.monotonic()) > 0:
        here.settimeout(left)
        try:
            here.recv(64)
            heard += 1
        except OSError:
            # Nothing, or word that what was written is refused.
            pass
    print(heard)


def bound(address, port):
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind((address, int(port)))
    return here


{"pester": pester, "hear": hear}[sys.argv[1]](*sys.argv[2:])
