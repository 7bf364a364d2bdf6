"""A Ray cluster of several nodes on this machine, whose workers and nodes can be killed."""

import ipaddress
import os
from typing import Any, Final

import psutil
from ray.cluster_utils import Cluster

from grokscope.sweeps.engines.ray_cluster import LEAST_OBJECT_STORE, quiet

HEAD: Final = "127.0.0.2"


class Machines:
    """A cluster of a head without CPUs and nodes with one each, at addresses of their own."""

    def __init__(self) -> None:
        self._next = 3
        with quiet():
            self.cluster = Cluster(initialize_head=True, head_node_args=options(HEAD, 0))
        self.nodes: dict[str, Any] = {}

    @property
    def address(self) -> str:
        found = self.cluster.address
        assert found is not None
        return found

    def add(self) -> None:
        address = f"127.0.0.{self._next}"
        self._next += 1
        with quiet():
            self.nodes[address] = self.cluster.add_node(**options(address, 1))

    def lose(self, address: str) -> None:
        """Kill all processes of a node, as if its power was cut."""
        self.cluster.remove_node(self.nodes.pop(address), allow_graceful=False)

    def shutdown(self) -> None:
        """End everything, also the helpers that outlive a node which was lost."""
        head = self.cluster.head_node
        assert head is not None
        session = head.get_session_dir_path()
        self.cluster.shutdown()
        for process in psutil.process_iter():
            if is_of(process, session):
                process.kill()

    def workers(self) -> dict[int, str]:
        """Return the processes that train, with the addresses of their nodes."""
        found = {}
        for address, node in self.nodes.items():
            for raylet in node.all_processes["raylet"]:
                for child in children(raylet.process.pid):
                    if name(child).startswith("ray::train"):
                        found[child.pid] = address
        return found


def options(address: str, cpus: int) -> dict[str, Any]:
    return {
        "node_ip_address": address,
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": LEAST_OBJECT_STORE,
    }


def is_of(process: psutil.Process, session: str) -> bool:
    """Return whether a process writes into a Ray session, which is ours alone."""
    try:
        return any(file.path.startswith(f"{session}/") for file in process.open_files())
    except psutil.Error:
        return False


def children(process: int) -> list[psutil.Process]:
    try:
        return psutil.Process(process).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def strangers() -> set[str]:
    """Return the addresses, but for loopback, that this process and its children talk to."""
    found = set()
    for process in (psutil.Process(), *children(os.getpid())):
        try:
            ends = [c.raddr.ip for c in process.net_connections("inet") if c.raddr]
        except psutil.Error:
            continue
        found |= {
            ip for ip in ends if not ipaddress.ip_address(ip.removeprefix("::ffff:")).is_loopback
        }
    return found
