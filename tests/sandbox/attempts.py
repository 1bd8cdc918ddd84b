"""Ways out of the sandbox, as tests of a repository would try them. Run inside by the system's Python, with
`given.json` beside it; each is a process of its own and says what it got. What raises OSError got nothing."""

import ctypes
import fcntl
import glob
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

GIVEN: dict[str, Any] = {}
LIBC = ctypes.CDLL(None, use_errno=True)
X86 = os.uname().machine == "x86_64"
Attempt = Callable[[], object]
ATTEMPTS: dict[str, Attempt] = {}


def attempt(function: Attempt) -> Attempt:
    ATTEMPTS[function.__name__] = function
    return function


def call(x86: int, other: int, *arguments: Any) -> int:
    """A system call by its number; OSError where the kernel says no."""
    ctypes.set_errno(0)
    found = LIBC.syscall(x86 if X86 else other, *arguments)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(found)


def connects(family: int, address: Any, kind: int = socket.SOCK_STREAM) -> str:
    with socket.socket(family, kind) as one:
        one.settimeout(2)
        one.connect(address)
    return f"connected to {address}"


def reads(path: str) -> str:
    with open(path, "rb") as file:
        return f"read {len(file.read(1000))} bytes of {path}"


def writes(path: str) -> str:
    with open(path, "wb") as file:
        file.write(b"x")
    return f"wrote {path}"


def sees(*paths: str) -> list[str]:
    return [path for path in paths if os.path.lexists(path)]


@attempt
def tcp_to_a_port_of_this_machine() -> object:
    return connects(socket.AF_INET, ("127.0.0.1", GIVEN["port"]))


@attempt
def tcp_to_the_model_host() -> object:
    return connects(socket.AF_INET, ("127.0.0.1", GIVEN["model_port"]))


@attempt
def tcp_by_ipv6() -> object:
    return connects(socket.AF_INET6, ("::1", GIVEN["port6"]))


@attempt
def tcp_to_all_addresses_of_this_machine() -> object:
    return [connects(socket.AF_INET, (one, GIVEN["any_port"])) for one in GIVEN["addresses"]]


@attempt
def udp_to_a_port_of_this_machine() -> object:
    """Sending succeeds in a network of one's own: outside is looked whether it came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"out", ("127.0.0.1", GIVEN["udp_port"]))
    return ""


@attempt
def a_name_of_the_network() -> object:
    return socket.getaddrinfo("example.com", 80)


@attempt
def a_question_to_a_name_server() -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        return one.sendto(b"\x00" * 12, ("8.8.8.8", 53))


@attempt
def the_metadata_address() -> object:
    return connects(socket.AF_INET, ("169.254.169.254", 80))


@attempt
def another_network_card() -> object:
    return [name for _, name in socket.if_nameindex() if name != "lo"]


@attempt
def raw_packets() -> object:
    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


@attempt
def raw_internet() -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


@attempt
def the_host_of_this_machine_by_vsock() -> object:
    return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)


@attempt
def the_kernels_cipher_sockets() -> object:
    return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)


@attempt
def the_socket_of_redis() -> object:
    return connects(socket.AF_UNIX, GIVEN["redis"])


@attempt
def an_abstract_socket() -> object:
    return connects(socket.AF_UNIX, f"\0{GIVEN['abstract']}")


@attempt
def the_socket_of_docker() -> object:
    return sees("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock")


@attempt
def the_environment_of_the_first_process() -> object:
    with open("/proc/1/environ", "rb") as file:
        return GIVEN["secret"].encode()[::-1] in file.read()


@attempt
def the_environment_of_any_process() -> object:
    return _secret_in("environ")


@attempt
def the_command_line_of_any_process() -> object:
    return _secret_in("cmdline")


def _secret_in(file: str) -> list[str]:
    found = []
    for path in glob.glob(f"/proc/[0-9]*/{file}"):
        try:
            with open(path, "rb") as opened:
                found += [path] if GIVEN["secret"].encode()[::-1] in opened.read() else []
        except OSError:
            continue
    return found


@attempt
def its_own_environment() -> object:
    known = {
        "PATH",
        "LANG",
        "HOME",
        "TMPDIR",
        "USER",
        "LOGNAME",
        "CI",
        "NO_COLOR",
        "PWD",
        "LC_CTYPE",
        "SHLVL",
        "_",
    }
    return set(os.environ) - known


@attempt
def processes_of_others() -> object:
    """The sandbox's first, Python, and this one."""
    return len(glob.glob("/proc/[0-9]*")) > 8


@attempt
def a_signal_to_hob() -> object:
    return os.kill(GIVEN["pid"], signal.SIGCONT) is None


@attempt
def tracing_hob() -> object:
    return call(101, 117, 16, GIVEN["pid"], 0, 0) == 0


@attempt
def memory_of_hob() -> object:
    return reads(f"/proc/{GIVEN['pid']}/mem")


@attempt
def tracing_the_first_process() -> object:
    return _is_free(1) and call(101, 117, 16, 1, 0, 0) == 0


@attempt
def memory_of_the_first_process() -> object:
    return open("/proc/1/mem", "r+b") and _is_free(1)


def _is_free(pid: int) -> bool:
    """Whether no filter of system calls holds a process."""
    with open(f"/proc/{pid}/status") as file:
        return "Seccomp:\t2" not in file.read()


@attempt
def the_root_of_the_first_process() -> object:
    return sees(f"/proc/1/root{GIVEN['key']}", "/proc/1/root/root", "/proc/1/cwd/../root")


@attempt
def the_program_that_holds_it() -> object:
    return open("/proc/1/exe", "r+b")


@attempt
def kernel_settings() -> object:
    return writes("/proc/sys/kernel/core_pattern")


@attempt
def the_hosts_name() -> object:
    return writes("/proc/sys/kernel/hostname")


@attempt
def the_kernels_emergency_keys() -> object:
    with open("/proc/sysrq-trigger", "w") as file:
        file.write("h")  # help: only a list of the keys
    return "wrote"


@attempt
def memory_of_the_kernel() -> object:
    return [reads(path) for path in ("/proc/kcore", "/proc/kmsg", "/dev/mem")]


@attempt
def the_kernels_log() -> object:
    return call(103, 116, 3, ctypes.create_string_buffer(4096), 4096) or reads("/dev/kmsg")


@attempt
def disks() -> object:
    return sees("/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/mapper", "/dev/kvm", "/dev/fuse", "/dev/loop0")


@attempt
def a_device_of_its_own() -> object:
    return os.mknod("/repo/disk", 0o60666, os.makedev(8, 0)) is None


@attempt
def the_key_of_the_app() -> object:
    return reads(GIVEN["key"])


@attempt
def the_configuration() -> object:
    return reads(GIVEN["config"])


@attempt
def a_clone_of_hobs() -> object:
    return writes(f"{GIVEN['clone']}/hooks")


@attempt
def a_clone_by_way_of_git() -> object:
    """git looks for a repository above the work tree."""
    return subprocess.run(["git", "rev-parse", "--git-dir"], capture_output=True, check=False).returncode == 0


@attempt
def homes() -> object:
    return sees("/root", "/home", GIVEN["home"], f"{GIVEN['home']}/.ssh", os.path.expanduser("~/.ssh"))


@attempt
def passwords() -> object:
    return sees("/etc/shadow", "/etc/sudoers", "/etc/gshadow", "/etc/ssl/private")


@attempt
def run_and_var() -> object:
    return sees("/run", "/var", "/sys", "/boot", "/srv", "/mnt")


@attempt
def other_runs() -> object:
    return sees(GIVEN["base"], "/repo/../written", "/tmp/../etc/hob")


@attempt
def inherited_files() -> object:
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append((name, os.readlink(f"/proc/self/fd/{name}")))
        except OSError:
            continue
    return [one for one in found if int(one[0]) > 2 and not one[1].startswith(("/proc/", "pipe:"))]


@attempt
def typing_into_a_terminal() -> object:
    for descriptor in (0, 1, 2):
        try:
            fcntl.ioctl(descriptor, 0x5412, b"x")
        except PermissionError:
            continue
        return "the call is not refused"
    return ""


@attempt
def a_terminal_of_its_own() -> object:
    return open("/dev/tty", "r+b", buffering=0)


@attempt
def a_setuid_program() -> object:
    done = subprocess.run(["su", "-c", "id -u"], capture_output=True, check=False, timeout=5, input=b"\n")
    return done.stdout == b"0\n"


@attempt
def sudo() -> object:
    if not os.path.exists("/usr/bin/sudo"):
        return ""
    return subprocess.run(["sudo", "-n", "id"], capture_output=True, check=False).returncode == 0


@attempt
def becoming_root() -> object:
    return os.setuid(0) is None


@attempt
def a_user_namespace() -> object:
    return LIBC.unshare(0x10000000) == 0


@attempt
def a_user_namespace_by_clone() -> object:
    child = call(56, 220, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return child


@attempt
def a_user_namespace_by_clone3() -> object:
    arguments = struct.pack("<8Q", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    child = call(435, 435, arguments, len(arguments))
    if child == 0:
        os._exit(0)
    return child


@attempt
def another_namespace() -> object:
    return call(308, 268, os.open("/proc/1/ns/net", os.O_RDONLY), 0) == 0


@attempt
def a_mount() -> object:
    return LIBC.mount(b"none", b"/repo", b"tmpfs", 0, None) == 0


@attempt
def a_mount_by_the_new_calls() -> object:
    return call(430, 430, b"tmpfs", 0)


@attempt
def a_writable_system() -> object:
    return LIBC.mount(None, b"/usr", None, 32 | 4096, None) == 0


@attempt
def another_root() -> object:
    return os.chroot("/repo") is None


@attempt
def a_file_by_its_number() -> object:
    return call(304, 265, -100, bytes(128), 0)


@attempt
def keys_of_the_kernel() -> object:
    return call(250, 219, 0, -3, 1)


@attempt
def requests_by_ring() -> object:
    return call(425, 425, 1, ctypes.create_string_buffer(120))


@attempt
def programs_in_the_kernel() -> object:
    return call(321, 280, 0, bytes(128), 128)


@attempt
def events_of_the_processor() -> object:
    return call(298, 241, struct.pack("<IIQ", 1, 112, 0) + bytes(96), 0, -1, -1, 0)


@attempt
def faults_handled_by_itself() -> object:
    return call(323, 282, 0)


@attempt
def a_module_of_the_kernel() -> object:
    return call(313, 273, 0, b"", 0)


@attempt
def memory_without_a_file() -> object:
    return os.memfd_create("x")


@attempt
def a_large_segment_of_shared_memory() -> object:
    return call(29, 194, 0, 1 << 30, 0o1600)


@attempt
def the_clock() -> object:
    return time.clock_settime(time.CLOCK_REALTIME, time.time()) is None


@attempt
def real_time() -> object:
    return os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)) is None


@attempt
def higher_limits() -> object:
    kinds = (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_DATA, resource.RLIMIT_CPU)
    raised = []
    for kind in kinds:
        soft, hard = resource.getrlimit(kind)
        try:
            resource.setrlimit(kind, (soft, hard + 1))
        except (OSError, ValueError):
            continue
        raised.append(kind)
    return raised


@attempt
def control_groups() -> object:
    return sees("/sys/fs/cgroup")


@attempt
def the_system() -> object:
    wrote = []
    for place in (
        "/",
        "/usr",
        "/usr/bin",
        "/etc",
        "/lib",
        "/dev",
        "/proc",
        "/hob",
        "/etc/passwd",
        GIVEN["mount"],
    ):
        try:
            wrote.append(writes(place if place == "/etc/passwd" else f"{place}/hob"))
        except OSError:
            continue
    return wrote


@attempt
def a_hard_link_to_the_system() -> object:
    return os.link(os.path.realpath("/usr/bin/env"), "/repo/env") is None


@attempt
def a_symbolic_link_to_hobs_data() -> object:
    os.symlink(GIVEN["clone"], "/repo/way")
    return os.listdir("/repo/way")


@attempt
def an_unmounted_work_tree() -> object:
    return LIBC.umount2(b"/repo", 2) == 0 or LIBC.umount2(b"/proc", 2) == 0


def said(name: str) -> str:
    """`OUT …`, or `held …`; in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        signal.alarm(8)
        try:
            got = ATTEMPTS[name]()
            told = f"OUT {got!r}" if got else "held"
        except (OSError, subprocess.SubprocessError) as error:
            told = f"held {type(error).__name__} {error}"
        except BaseException as error:
            told = f"broken {type(error).__name__} {error}"
        os.write(write, told[:500].encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read(1000).decode()
    os.waitpid(child, 0)
    return told or "broken: it was killed"


if __name__ == "__main__":
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "given.json")) as given:
        GIVEN.update(json.load(given))
    print(json.dumps({name: said(name) for name in sys.argv[1:] or ATTEMPTS}))
