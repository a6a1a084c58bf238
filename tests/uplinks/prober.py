#!/usr/bin/env python3
"""prober.py : asks a host by ICMPv6 echo, each time from a new socket, so that the kernel chooses the source anew.

prober.py ask TARGET EVERY LOG [SOURCE]   asks every EVERY milliseconds until ended. LOG has a line for each request, in the
        order they were sent: "T SOURCE ok RTT", "T SOURCE lost" (no answer within a second) or "T - ERROR" (could not be
        sent); T is milliseconds since the machine started, RTT milliseconds, SOURCE the address the kernel chose
prober.py outage LOG SINCE [LIMIT [QUIET]]   waits until QUIET (1500) milliseconds in a row all was answered, at most LIMIT
        (60000) milliseconds after SINCE. Prints the milliseconds from the first request that failed after SINCE to the
        first answered one after the last that failed, 0 if none did. Status 1 if the limit ran out
prober.py sources LOG SINCE [UNTIL]    the addresses that requests were sent from
prober.py lost LOG SINCE [UNTIL]       how many requests failed, of how many
"""
import os
import select
import socket
import struct
import sys
import time

TIMEOUT = 1000
ECHO_REQUEST, ECHO_REPLY = 128, 129
ICMP6_FILTER = 1


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000


def raw():
    return socket.socket(socket.AF_INET6, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMPV6)


def nothing_but(kind):
    """The kernel's filter: bits of kinds that are blocked."""
    words = [0xFFFFFFFF] * 8
    if kind is not None:
        words[kind >> 5] &= ~(1 << (kind & 31)) & 0xFFFFFFFF
    return struct.pack("8I", *words)


class Prober:
    def __init__(self, target, log, source):
        self.target, self.log, self.source = target, log, source
        self.identifier = os.getpid() & 0xFFFF
        self.answers = raw()
        self.answers.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, nothing_but(ECHO_REPLY))
        self.sent, self.first = [], 0  # requests whose fate isn't written yet: [time, source, answer or error]

    def ask(self):
        number = (self.first + len(self.sent)) & 0xFFFF
        request = [now(), "-", None]
        try:
            with raw() as one:
                one.setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER, nothing_but(None))
                if self.source:
                    one.bind((self.source, 0))
                one.connect((self.target, 0))
                request[1] = one.getsockname()[0]
                one.send(struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, self.identifier, number) + b"oasis6 prober")
        except OSError as error:
            request[2] = os.strerror(error.errno).replace(" ", "-").lower()
        self.sent.append(request)

    def listen(self, until):
        while True:
            left = until - now()
            if not select.select([self.answers], [], [], max(0, left) / 1000)[0]:
                return
            message, address = self.answers.recvfrom(2048)
            if len(message) < 8 or address[0] != self.target:
                continue
            identifier, number = struct.unpack("!HH", message[4:8])
            index = (number - self.first) & 0xFFFF
            if identifier == self.identifier and index < len(self.sent) and self.sent[index][2] is None:
                self.sent[index][2] = f"ok {now() - self.sent[index][0]:.1f}"

    def write(self):
        while self.sent:
            when, source, fate = self.sent[0]
            if fate is None and now() < when + TIMEOUT:
                break
            self.log.write(f"{when:.0f} {source} {fate or 'lost'}\n")
            self.sent.pop(0)
            self.first = (self.first + 1) & 0xFFFF
        self.log.flush()

    def run(self, every):
        due = now()
        while True:
            self.ask()
            due = max(due + every, now())
            self.listen(due)
            self.write()


def entries(path, since, until=float("inf")):
    """(time, source, answered) of each request sent since then."""
    with open(path) as log:
        for line in log.read().split("\n")[:-1]:
            when, source, fate = line.split()[:3]
            if since <= float(when) <= until:
                yield float(when), source, fate == "ok"


def outage(path, since, limit=60000.0, quiet=1500.0):
    while True:
        seen = list(entries(path, since))
        lost = [index for index, (_, _, answered) in enumerate(seen) if not answered]
        good_since = seen[lost[-1] + 1][0] if lost and lost[-1] + 1 < len(seen) else since
        if seen and (not lost or lost[-1] + 1 < len(seen)) and seen[-1][0] >= good_since + quiet:
            print(f"{good_since - seen[lost[0]][0] if lost else 0:.0f}")
            return 0
        if now() > since + limit:
            print(f"{seen[-1][0] - seen[lost[0]][0]:.0f}" if lost else "0")
            return 1
        time.sleep(0.1)


def main():
    words = sys.argv[1:]
    if len(words) < 3 or words[0] not in ("ask", "outage", "sources", "lost"):
        sys.exit(__doc__)
    numbers = [float(word) for word in words[2:]] if words[0] != "ask" else []
    if words[0] == "ask":
        with open(words[3], "a") as log:
            Prober(words[1], log, words[4] if len(words) > 4 else None).run(float(words[2]))
    elif words[0] == "outage":
        sys.exit(outage(words[1], *numbers))
    elif words[0] == "sources":
        print(*sorted({source for _, source, _ in entries(words[1], *numbers)}), sep="\n")
    else:
        seen = list(entries(words[1], *numbers))
        print(sum(not answered for _, _, answered in seen), len(seen))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
