"""systemd as the first process of namespaces of its own, over this machine's files: what is written there
goes when it ends, nothing of it reaches the machine. So units are held to what they say by systemd itself."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests import needs

SYSTEMD = Path("/lib/systemd/systemd")
WORDS = "root that may mount overlays and control groups, with systemd"
NODES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0)}

START = """
set -eu
echo $$ > "$GROUP/cgroup.procs"
exec unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child sh -eu -c "$INSIDE"
"""
INSIDE = """
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$FOLDER"
cd "$FOLDER"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 none run
mount -t tmpfs -o mode=1777 none tmp
mount -t tmpfs -o mode=755 none dev
echo "$NODES" | while read -r name major minor; do mknod -m 666 "dev/$name" c "$major" "$minor"; done
ln -s pts/ptmx dev/ptmx
mkdir dev/pts dev/shm mnt/old 2>/dev/null || mkdir -p dev/pts dev/shm mnt/old
mount -t devpts devpts dev/pts
mount -t tmpfs -o mode=1777 none dev/shm
for shown in $SHOWN; do
  mkdir -p ".$shown"
  mount --bind "$shown" ".$shown"
  while [ "$shown" != / ]; do shown=$(dirname "$shown"); chmod o+x ".$shown"; done
done
mkdir run/out
mount --bind "$OUT" run/out
touch dev/console
mount --bind "$OUT/console" dev/console
rm -rf etc/systemd/system
cp -R "$UNITS" etc/systemd/system
cp -R "$FILES/." .
pivot_root . mnt/old
umount -l /mnt/old
exec env -i container=hob "PATH=$PATH" "$SYSTEMD" --unit=hob-test.target --show-status=no
"""
"""While any /proc lies open in a namespace the kernel lets processes mount another: so the machine's goes."""

TARGET = "[Unit]\nDefaultDependencies=no\nWants=hob-check.service\n"
CHECK = """[Unit]
Wants=dbus.socket
[Service]
Type=oneshot
ExecStart=/bin/sh /run/out/check
ExecStopPost=/bin/sh -c "systemctl exit --force || kill -RTMIN+13 1"
"""


def boot(units: Mapping[str, str], files: Mapping[str, str], check: str, folder: Path) -> dict[str, str]:
    """Starts systemd with these `units` (by the path below /etc/systemd/system) and `files` (by the path
    below /), and has root run `check` by sh there, which ends with `touch /run/out/done`; what it writes to
    /run/out, by name. A skip where systemd cannot start."""
    out, given, wanted = (folder / name for name in ("out", "files", "units"))
    for one in (out, given, wanted, folder / "root"):
        one.mkdir(parents=True)
    for name, text in {**units, "hob-test.target": TARGET, "hob-check.service": CHECK}.items():
        (wanted / name).parent.mkdir(parents=True, exist_ok=True)
        (wanted / name).write_text(text)
    for name, text in files.items():
        (given / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        (given / name.lstrip("/")).write_text(text)
    (out / "check").write_text(check)
    (out / "console").touch()
    group = _group()
    shown = {str(Path(__file__).parents[1]), sys.prefix, sys.base_prefix}
    environ = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "GROUP": str(group),
        "INSIDE": INSIDE,
        "FOLDER": str(folder / "root"),
        "NODES": "\n".join(f"{name} {major} {minor}" for name, (major, minor) in NODES.items()),
        "SHOWN": " ".join(sorted(one for one in shown if not one.startswith("/usr"))),
        "OUT": str(out),
        "UNITS": str(wanted),
        "FILES": str(given),
        "SYSTEMD": str(SYSTEMD),
    }
    try:
        done = subprocess.run(
            ["sh", "-c", START], env=environ, capture_output=True, text=True, timeout=90, check=False
        )
    finally:
        with suppress(OSError):  # of what did not end in time
            (group / "cgroup.kill").write_text("1")
            time.sleep(0.5)
        for one in sorted(group.glob("**/"), reverse=True):
            with suppress(OSError):
                one.rmdir()
    found = {one.name: one.read_text(errors="replace") for one in out.iterdir() if one.is_file()}
    if "done" not in found:
        needs.missing(f"a machine where systemd starts ({done.stderr.strip()[-300:]})", WORDS)
    return found


def _group() -> Path:
    """A control group of the second kind for all of it; a skip where none can be made."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    mounted = [Path(words[1]) for words in mounts if words[2] == "cgroup2"]
    if os.geteuid() != 0 or not mounted or not SYSTEMD.exists() or shutil.which("unshare") is None:
        needs.missing("a machine where systemd starts", WORDS)
    group = mounted[0] / f"hob-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        needs.missing(f"a machine where systemd starts ({error})", WORDS)
    return group
