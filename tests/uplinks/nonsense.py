#!/usr/bin/env python3
"""nonsense.py KIND WHERE COUNT [SOURCE [MAC]] : COUNT messages of nonsense, every one the same on each run.

ra DEVICE, dhcp6 DEVICE: router advertisements and DHCPv6 messages with true headers and random bodies from SOURCE, to all
hosts of the link, or (dhcp6 with MAC) to the link-local address that a host with this MAC has
udp ADDRESS: datagrams of random bytes to all ports from 51820 to 51919
sit ADDRESS: packets of protocol 41 of random bytes, and with sources that never come from there
"""
import random
import socket
import struct
import sys

CHANCE = random.Random(6)
OPTIONS = (1, 3, 5, 24, 25, 31, 38, 0)
SOURCES = ("::1", "::7f00:1", "fe80::1", "ff02::1", "::ffff:192.0.2.1", "2002:7f00:1::1", "2002:c0a8:1::1")


def some(most):
    return CHANCE.randbytes(CHANCE.randrange(most))


def advertisement():
    """Of a router that is none for anybody, or taking it for one would be no mistake."""
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, CHANCE.randrange(256), 0, 0, 0)
    for _ in range(CHANCE.randrange(6)):
        length = CHANCE.randrange(5)
        body += bytes((CHANCE.choice(OPTIONS), length)) + CHANCE.randbytes(max(0, 8 * length - CHANCE.choice((2, 2, 2, 3))))
    return body[:CHANCE.choice((len(body), len(body), CHANCE.randrange(1, len(body) + 1)))]


def dhcp6():
    body = bytes((CHANCE.choice((2, 7, 10, 13, 255)),)) + CHANCE.randbytes(3)
    for _ in range(CHANCE.randrange(6)):
        data = some(60)
        body += struct.pack("!HH", CHANCE.choice((1, 2, 3, 25, 26, 13, 23, 82, 11)), CHANCE.choice((len(data), len(data) + 1, 0xFFFF))) + data
    return body


def link_local(mac):
    octets = [int(octet, 16) for octet in mac.split(":")]
    octets[0] ^= 2
    return socket.inet_ntop(socket.AF_INET6, b"\xfe\x80" + bytes(6) + bytes(octets[:3]) + b"\xff\xfe" + bytes(octets[3:]))


def to_link(device, source, target, port, kind, protocol, make, count):
    sender = socket.socket(socket.AF_INET6, kind, protocol)
    index = socket.if_nametoindex(device)
    for option in (socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS):
        sender.setsockopt(socket.IPPROTO_IPV6, option, 255)
    sender.bind((source, 0 if port == 0 else 547, 0, index))
    for _ in range(count):
        try:
            sender.sendto(make(), (target, port, 0, index))
        except OSError:
            pass


def inner(target):
    """A packet of IPv6 to go in one of IPv4, with a source that never comes from there."""
    source = socket.inet_pton(socket.AF_INET6, CHANCE.choice(SOURCES))
    payload = some(40)
    return struct.pack("!IHBB", 6 << 28, len(payload), 59, 64) + source + socket.inet_pton(socket.AF_INET6, "2001:db8:c10::1") + payload


def main():
    kind, where, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "ra":
        to_link(where, sys.argv[4], "ff02::1", 0, socket.SOCK_RAW, socket.IPPROTO_ICMPV6, advertisement, count)
    elif kind == "dhcp6":
        target = link_local(sys.argv[5]) if len(sys.argv) > 5 else "ff02::1"
        to_link(where, sys.argv[4], target, 546, socket.SOCK_DGRAM, 0, dhcp6, count)
    elif kind == "udp":
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(count):
            sender.sendto(some(200), (where, 51820 + number % 100))
    elif kind == "sit":
        sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, 41)
        for number in range(count):
            sender.sendto(inner(where) if number % 2 else some(200), (where, 0))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
