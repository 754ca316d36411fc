"""A real SLURM cluster of two nodes on this machine, in a temporary folder, as the present user: no systemd, no root, no fixed ports."""

import getpass
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

CONFIGURATION = """\
ClusterName=xsift-test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=cred_expire=5,socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1
ReturnToService=2
KillWait=2
SlurmdTimeout=6
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed.txt
GresTypes=gpu
NodeName=n0 NodeHostname={host} NodeAddr=127.0.0.1 Port={port0} CPUs=2 Gres=gpu:2 State=UNKNOWN
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port1} CPUs=2 Gres=gpu:2 State=UNKNOWN
PartitionName=all Nodes=n0,n1 Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Cluster:
    """Starts munge, the controller and two node daemons; stop() ends them and everything they started."""

    def __init__(self):
        # Short: the path of munge's socket may not be longer than 107 characters.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slurm-"))
        self.daemons = {}
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        munge = self.folder / "munge"
        munge.mkdir(mode=0o755)
        (self.folder / "state").mkdir()
        key = munge / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        ports = free_ports(3)
        (self.folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        # Device files that are there on every machine stand for GPUs: SLURM counts them and sets CUDA_VISIBLE_DEVICES.
        (self.folder / "gres.conf").write_text("".join(
            f"NodeName={node} Name=gpu File={device}\n"
            for node in ("n0", "n1") for device in ("/dev/null", "/dev/zero")))
        self.configuration = self.folder / "slurm.conf"
        self.configuration.write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], user=getpass.getuser(), folder=self.folder,
            controller_port=ports[0], port0=ports[1], port1=ports[2]))
        self.environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        self.daemon("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={munge}/socket",
                    f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")
        self.wait(lambda: (munge / "socket").exists(), "munged gives a socket")
        self.daemon("slurmctld", "-D")
        for node in ("n0", "n1"):
            self.start_node(node)
        self.wait(lambda: self.command("sinfo", "-h", "-N", "-o", "%T").split() == ["idle", "idle"],
                  "both nodes are idle", 60)

    def start_node(self, node):
        self.daemon("slurmd", "-D", "-N", node, name=node)

    def daemon(self, program, *arguments, name=None):
        path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if path is None:
            raise RuntimeError(f"{program} is missing; install slurmctld slurmd slurm-client munge")
        with open(self.folder / f"{name or program}.out", "ab") as out:
            self.daemons[name or program] = subprocess.Popen(
                [path, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True)

    def command(self, *arguments, check=True, **options):
        done = subprocess.run(list(map(str, arguments)), env={**self.environment, **options.pop("environment", {})},
                              capture_output=True, text=True, check=False, timeout=120, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def wait(self, condition, what, seconds=30.0):
        started = time.time()
        while True:
            try:
                if condition():
                    return
            except AssertionError:
                pass  # the controller does not answer yet
            if time.time() - started > seconds:
                raise AssertionError(f"waited {seconds} s in vain until {what}\n{self.logs()}")
            time.sleep(0.1)

    def wait_until_idle(self, seconds=120.0):
        """Until no job is queued or running."""
        self.wait(lambda: self.command("squeue", "-h") == "", "the queue is empty", seconds)

    def logs(self):
        texts = []
        for path in sorted(self.folder.glob("*.log")) + sorted(self.folder.glob("*.out")):
            texts.append(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}")
        return "\n".join(texts)

    def kill_node(self, node):
        """The node is gone as seen by the controller; what ran there goes on as an orphan."""
        daemon = self.daemons.pop(node)
        daemon.kill()
        daemon.wait()
        for step in self.processes("slurmstepd"):
            if self.belongs(step, node):
                os.kill(step, signal.SIGKILL)

    def processes(self, pattern):
        found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in found.split()]

    def belongs(self, pid, node):
        """Whether a step daemon is of that node of this cluster: it works in the node's spool folder."""
        spool = f"{self.folder}/spool-{node}"
        try:
            return spool in os.readlink(f"/proc/{pid}/cwd") or any(
                spool in os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            return False

    def stop(self):
        if "slurmctld" in self.daemons:
            subprocess.run(["scancel", "--full", "-u", getpass.getuser()], env=self.environment, capture_output=True,
                           timeout=30, check=False)
            time.sleep(0.5)
        for daemon in reversed(list(self.daemons.values())):
            daemon.terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
