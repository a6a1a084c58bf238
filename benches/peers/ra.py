#!/usr/bin/env python3
"""ra.py [-n 1,16] [-r REPS] [-s SECONDS] [--configure COMMAND] [--reconfigure COMMAND] DAEMON... : router
advertisement daemons.

DAEMON is radvd or custom:COMMAND. The command runs in a shell in the router's namespace; it has to advertise the
/64 prefixes on the interfaces r0, r1, ... (rN has fd00:N:a::1/64, N in hex) every 20 to 30 seconds. $BENCH_IFS holds
the interfaces' names, $BENCH_DIR an empty folder. What --configure says is run there before, outside the measured
time, to write a configuration; --reconfigure writes the one that is to be in force after a SIGHUP: fd00:N:b::/64
instead. radvd's are written here.

For every number of interfaces after -n, and in every repetition, each daemon is started and a listener at
the other end of the interfaces takes the time. Metrics (-n 16 gives n16-first, and so on):
  first          from exec to the first RA, ms, median over the interfaces; first-all: to the last interface's
  solicited      from a Router Solicitation to the next RA, ms, median of 8; solicited-answered: percent
                 answered within 0.8 s
  deprecate      from SIGHUP, with the new configuration in place, to the first RA with a preferred lifetime of 0
                 for the old prefix, ms, median over the interfaces; deprecate-all: to the last one's. It comes when
                 the last RA is 3 seconds ago, since sooner RFC 4861 §6.2.6 allows no other one
  cpu            milliseconds of processor time in SECONDS of steady state, and rate: RAs per second and
                 interface in that time
  rss            resident kB, with children
  alive          1 if the daemon still ran at the end
Output: SAMPLE, RESULT and RATIO lines (README.md). OUT=folder keeps configurations and logs.
"""
import argparse
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import daemons  # noqa: E402
import result  # noqa: E402

CLONE_NEWNET = 0x40000000
ROUTER, HOST = f"o6r{os.getpid()}", f"o6h{os.getpid()}"
PROGRAMS = {"radvd": "radvd"}


def sh(command):
    return subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def ip_batch(namespace, lines):
    subprocess.run(["ip", "-n", namespace, "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


def median_ms(seconds):
    return statistics.median(seconds) * 1e3


# ---- the listener at the hosts' end

def parse_ra(packet):
    """The prefix options of an IPv6 packet that is a Router Advertisement: [(prefix, preferred lifetime)], or None."""
    if len(packet) < 56 or packet[6] != socket.IPPROTO_ICMPV6 or packet[40] != 134:
        return None
    prefixes, at = [], 56
    while at + 2 <= len(packet) and packet[at + 1]:
        if packet[at] == 3 and at + 32 <= len(packet):
            preferred = struct.unpack_from("!I", packet, at + 8)[0]
            prefixes.append((socket.inet_ntop(socket.AF_INET6, packet[at + 16:at + 32]), preferred))
        at += packet[at + 1] * 8
    return prefixes


class Listener(threading.Thread):
    """Notes (time, interface, prefixes) of every RA that arrives in the hosts' namespace."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.ready, self.stopped = [], threading.Event(), False
        self.start()
        self.ready.wait()

    def run(self):
        with open(f"/var/run/netns/{HOST}") as namespace:
            ctypes.CDLL(None).setns(namespace.fileno(), CLONE_NEWNET)  # this thread only
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x86dd))
        packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        packets.settimeout(0.2)
        self.sender = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        self.sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        self.ready.set()
        while not self.stopped:
            try:
                packet, sender = packets.recvfrom(2000)
            except TimeoutError:
                continue
            prefixes = parse_ra(packet)
            if prefixes is not None and sender[2] != socket.PACKET_OUTGOING:
                self.seen.append((time.time(), sender[0], prefixes))

    def solicit(self, interface_index):
        self.sender.sendto(b"\x85" + bytes(7), ("ff02::2", 0, 0, interface_index))


# ---- the daemons

def radvd_conf(count, changed):
    lines = []
    for i in range(count):
        prefixes = (f"prefix fd00:{i:x}:a::/64 {{ AdvPreferredLifetime {0 if changed else 3600}; "
                    "AdvValidLifetime 7200; };")
        if changed:
            prefixes += f" prefix fd00:{i:x}:b::/64 {{ AdvPreferredLifetime 3600; AdvValidLifetime 7200; }};"
        lines.append(f"interface r{i} {{ AdvSendAdvert on; MinRtrAdvInterval 20; MaxRtrAdvInterval 30; "
                     f"MinDelayBetweenRAs 3; {prefixes} }};\n")
    return "".join(lines)


class Daemon:
    def __init__(self, peer, count, folder, commands):
        self.peer, self.count, self.folder, self.commands = peer, count, folder, commands
        self.environment = dict(os.environ, BENCH_DIR=folder, BENCH_IFS=" ".join(f"r{i}" for i in range(count)))
        if peer == "radvd":
            daemons.write(f"{folder}/conf", radvd_conf(count, False))
            command = f"exec radvd -n -m stderr -C {folder}/conf -p {folder}/pid"
        else:
            self.run(commands.configure)
            command = peer.split(":", 1)[1]
        self.log = open(f"{folder}/log", "w")
        self.started = time.time()
        self.process = subprocess.Popen(["ip", "netns", "exec", ROUTER, "bash", "-c", command], env=self.environment,
                                        stdout=self.log, stderr=self.log, start_new_session=True)

    def run(self, command):
        subprocess.run(["bash", "-c", command], env=self.environment, check=True)

    def pids(self):
        return [int(pid) for pid in sh(f"pgrep -s {self.process.pid}").split()]

    def cpu_ms(self):
        ticks = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def rss(self):
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as status:
                total += int(status.read().split("VmRSS:")[1].split()[0])
        return total

    def alive(self):
        return self.process.poll() is None

    def reconfigure(self):
        """Writes the configuration that change() puts in force: it may take its time."""
        if self.peer == "radvd":
            daemons.write(f"{self.folder}/conf", radvd_conf(self.count, True))
        else:
            self.run(self.commands.reconfigure)
        ip_batch(ROUTER, [f"addr replace fd00:{i:x}:b::1/64 dev r{i} nodad" for i in range(self.count)])

    def change(self):
        os.kill(self.process.pid, signal.SIGHUP)

    def stop(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(2)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        self.log.close()


# ---- one measurement

def make_namespaces(count):
    settings = " ".join(f"net.ipv6.conf.{key}" for key in (
        "all.forwarding=1", "default.accept_dad=0", "default.dad_transmits=0", "default.accept_ra=0"))
    for namespace in (ROUTER, HOST):
        sh(f"ip netns add {namespace}; ip -n {namespace} link set lo up")
        sh(f"ip netns exec {namespace} sysctl -qw {settings}")
    for i in range(count):
        ip_batch(ROUTER, [f"link add r{i} type veth peer name c{i} netns {HOST}", f"link set r{i} up",
                          f"addr add fd00:{i:x}:a::1/64 dev r{i} nodad"])
    ip_batch(HOST, [f"link set c{i} up" for i in range(count)])
    time.sleep(2)  # the link-local addresses


def delete_namespaces():
    sh(f"ip netns del {ROUTER}; ip netns del {HOST}")


def first_times(seen, since, wanted=lambda prefixes: True):
    """Seconds from since to the first wanted RA, for every interface that got one."""
    found = {}
    for moment, interface, prefixes in seen:
        if moment > since and wanted(prefixes):
            found.setdefault(interface, moment - since)
    return list(found.values())


def old_deprecated(prefixes):
    return any(":a::" in prefix and preferred == 0 for prefix, preferred in prefixes)


def solicited_times(listener):
    index = json.loads(sh(f"ip -n {HOST} -j link show c0"))[0]["ifindex"]
    times = []
    for _ in range(8):
        time.sleep(random.uniform(0.6, 1.2))
        asked = time.time()
        listener.solicit(index)
        time.sleep(0.8)
        times += [moment - asked for moment, interface, _ in listener.seen if interface == "c0" and moment > asked][:1]
    return times


def measure(peer, count, seconds, commands, folder):
    """Yields (metric, value, unit)."""
    listener = Listener()
    daemon = Daemon(peer, count, folder, commands)
    try:
        time.sleep(max(seconds / 2, 5))
        first = first_times(listener.seen, daemon.started)
        if len(first) < count:
            raise RuntimeError(f"RAs on {len(first)} of {count} interfaces")
        yield "first", median_ms(first), "ms"
        yield "first-all", max(first) * 1e3, "ms"
        cpu, ras = daemon.cpu_ms(), len(listener.seen)
        time.sleep(seconds)
        yield "cpu", daemon.cpu_ms() - cpu, "ms"
        yield "rate", (len(listener.seen) - ras) / seconds / count, "1/s"
        yield "rss", daemon.rss(), "kB"
        solicited = solicited_times(listener)
        yield "solicited-answered", 100 * len(solicited) / 8, "%"
        if solicited:
            yield "solicited", median_ms(solicited), "ms"
        daemon.reconfigure()
        while time.time() < max([moment for moment, _, _ in listener.seen]) + 3.2:
            time.sleep(0.1)
        changed = time.time()
        daemon.change()
        deprecated = []
        while len(deprecated) < count and time.time() < changed + 15:
            time.sleep(0.2)
            deprecated = first_times(listener.seen, changed, old_deprecated)
        yield "deprecated-interfaces", len(deprecated), "count"
        if deprecated:
            yield "deprecate", median_ms(deprecated), "ms"
            yield "deprecate-all", max(deprecated) * 1e3, "ms"
        yield "alive", int(daemon.alive()), "bool"
    finally:
        daemon.stop()
        listener.stopped = True
        listener.join()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("daemons", nargs="+", metavar="DAEMON")
    parser.add_argument("-n", "--interfaces", default="1,16")
    parser.add_argument("-r", "--reps", type=int, default=3)
    parser.add_argument("-s", "--seconds", type=float, default=8)
    parser.add_argument("--configure", default=":", metavar="COMMAND")
    parser.add_argument("--reconfigure", default=":", metavar="COMMAND")
    return daemons.parse(parser, PROGRAMS)


def main():
    arguments = parse_arguments()
    if os.geteuid():
        sys.exit("ra: must run as root (network namespaces)")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    out = os.environ.get("OUT") or tempfile.mkdtemp(prefix="oasis6-bench.")
    lines = []
    for rep in range(1, arguments.reps + 1):
        for count in map(int, arguments.interfaces.split(",")):
            for peer in arguments.daemons:
                label = daemons.label_of(peer)
                if peer in PROGRAMS and not shutil.which(PROGRAMS[peer]):
                    print(f"SKIP ra {label} not installed")
                    continue
                folder = os.path.abspath(f"{out}/{label}-{count}")
                shutil.rmtree(folder, ignore_errors=True)
                os.makedirs(folder)
                make_namespaces(count)
                try:
                    for metric, value, unit in measure(peer, count, arguments.seconds, arguments, folder):
                        lines.append(result.sample(rep, "ra", label, f"n{count}-{metric}", value, unit))
                except RuntimeError as problem:
                    print(f"SKIP ra {label} {problem}", *daemons.log_end(f"{folder}/log"), sep="\n# ")
                finally:
                    delete_namespaces()
    print(*result.summary(lines), sep="\n")
    if not os.environ.get("OUT"):
        shutil.rmtree(out)


if __name__ == "__main__":
    main()
