"""The worker processes seen from the driver: start one, give it a turn, watch who else uses the machine."""

import json
import os
import subprocess
import time


class Worker:
    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        hello = self.read()
        self.name, self.threads, self.versions, self.tasks = (hello[key] for key in ("ready", "threads", "versions", "tasks"))

    def can(self, task, precision):
        return task in self.tasks.get(precision, [])

    def turn(self, model, batch, task, precision, runs):
        """Asks for `runs` runs and returns the milliseconds of each; the first command of a model also loads it."""
        command = {"model": model, "batch": batch, "task": task, "precision": precision, "run": runs}
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        times = []
        while "done" not in (message := self.read()):
            times.append(message["milliseconds"])
            self.values = message["values"]
        if len(times) != runs:
            raise SystemExit(f"{self.name} made {len(times)} runs of {task}, asked for were {runs}")
        return times

    def cpu_seconds(self):
        """CPU time of all its threads so far, from the kernel's books."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def idle_share(self, seconds):
        """Cores in use while it has nothing to do: 0 for a sleeping thread pool, up to its threads for a spinning one."""
        before, start = self.cpu_seconds(), time.perf_counter()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / (time.perf_counter() - start)

    def memory(self, field):
        """`VmRSS` (resident now) or `VmHWM` (the most since the last `forget_peak`), in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            line = next(line for line in file if line.startswith(field + ":"))
        return int(line.split()[1]) * 1024

    def forget_peak(self):
        """Sets `VmHWM` to what is resident now (proc(5), clear_refs)."""
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.command[0]} ended with code {self.process.wait()}")
        message = json.loads(line)
        if "error" in message:
            raise SystemExit(f"{self.command[0]}: {message['error']}")
        return message

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


class Others:
    """How many cores everything but the given workers uses, from now on until asked."""

    def __init__(self, workers):
        self.workers, self.start, self.before = workers, time.perf_counter(), self.busy_seconds()
        self.own = self.own_seconds()

    def cores(self):
        others = (self.busy_seconds() - self.before) - (self.own_seconds() - self.own)
        return max(0.0, others) / (time.perf_counter() - self.start)

    def own_seconds(self):
        return sum(worker.cpu_seconds() for worker in self.workers)

    def busy_seconds(self):
        """CPU time of the whole machine except idle and waiting for disks; time stolen by the host counts as busy."""
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _idle, _wait, irq, softirq, steal = map(int, file.readline().split()[1:9])
        return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
