"""A kernel as Jupyter's own client starts and asks it."""

import queue
import sys
import time

from jupyter_client.manager import KernelManager

PATIENCE = 60


class Session:
    """One kernel with one client; `with` ends it."""

    def __init__(self, name="pellucid"):
        self.manager = KernelManager(kernel_name=name)

    def __enter__(self):
        self.manager.start_kernel(stdout=sys.stderr, stderr=sys.stderr)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        return self

    def __exit__(self, *failure):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)

    def run(self, code, **flags):
        """The reply's content and everything that was told until idle."""
        return self.collect(self.client.execute(code, **flags))

    def reply(self, request):
        """The content of the reply to a request, past replies to others."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                reply = self.client.get_shell_msg(timeout=PATIENCE)
            except queue.Empty:
                break
            if reply["parent_header"].get("msg_id") == request:
                return reply["content"]
        raise AssertionError("no reply")

    def told(self, request):
        """Messages to everybody about a request, one after another, until it is idle."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return
            yield message
        raise AssertionError("never idle")

    def collect(self, request):
        told = [message for message in self.told(request) if message["msg_type"] != "status"]
        return self.reply(request), told


def kinds(told):
    return [message["msg_type"] for message in told]


def text(told, name):
    return "".join(m["content"]["text"] for m in told if m["msg_type"] == "stream" and m["content"]["name"] == name)
