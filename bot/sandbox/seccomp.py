"""System calls that a repository's tests are not given, as a filter for `bwrap --seccomp`: what makes
namespaces and mounts, what asks the kernel for keys or programs of its own, sockets that no network namespace
holds (vsock leads to the machine's host), and memory that belongs to no process.

https://docs.kernel.org/userspace-api/seccomp_filter.html https://docs.kernel.org/bpf/classic_vs_extended.html
"""

import errno
import platform
import struct
from collections.abc import Mapping
from dataclasses import dataclass

# name -> its number on x86_64 and on aarch64; None where it is not there
_REFUSED: Mapping[str, tuple[int | None, int | None]] = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "vhangup": (153, 58),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "lookup_dcookie": (212, 18),
}
_ABSENT: Mapping[str, tuple[int, int]] = {
    "clone3": (435, 435),  # its flags lie in memory, where no filter sees them; libraries then use clone
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
_CLONE, _IOCTL, _SOCKET, _SHMGET = (56, 220), (16, 29), (41, 198), (29, 194)
_NEW_NAMESPACE = 0x7E020000  # CLONE_NEWNS, …CGROUP, …UTS, …IPC, …USER, …PID, …NET
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
LARGEST_SEGMENT = 64 * 1024
"""Bytes of a shared memory segment of System V: 4,096 of them are 256 MB."""

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCH = 0, 4
_X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class _Machine:
    arch: int
    column: int


_MACHINES = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}
Instruction = tuple[int, int, int, int]


def program(machine: str = "") -> bytes:
    """The filter as the kernel reads it; empty for a machine whose numbers are not known here."""
    found = _MACHINES.get(machine or platform.machine())
    if found is None:
        return b""
    return b"".join(struct.pack("<HBBI", *one) for one in _instructions(found))


def _instructions(machine: _Machine) -> list[Instruction]:
    column = machine.column
    made = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, machine.arch),
        _no(errno.ENOSYS),  # 32 bits
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _no(errno.ENOSYS),
    ]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            made += [(_EQUAL, 0, 1, number), _no(errno.EPERM)]
    for absent in _ABSENT.values():
        made += [(_EQUAL, 0, 1, absent[column]), _no(errno.ENOSYS)]
    made += _asking(_CLONE[column], 0, [(_ANY_BIT, 0, 1, _NEW_NAMESPACE), _no(errno.EPERM)])
    made += _asking(
        _IOCTL[column],
        1,
        [part for one in (_TIOCSTI, _TIOCLINUX) for part in ((_EQUAL, 0, 1, one), _no(errno.EPERM))],
    )
    families = [part for one in _FAMILIES for part in ((_EQUAL, 0, 1, one), _YES)]
    made += _asking(_SOCKET[column], 0, [*families, _no(errno.EAFNOSUPPORT)])
    high = (_LOAD, 0, 0, _argument(1) + 4)
    made += _asking(
        _SHMGET[column],
        1,
        [
            (_AT_LEAST, 0, 1, LARGEST_SEGMENT + 1),
            _no(errno.ENOMEM),
            high,
            (_EQUAL, 1, 0, 0),
            _no(errno.ENOMEM),
        ],
    )
    return [*made, _YES]


def _asking(number: int, argument: int, tests: list[Instruction]) -> list[Instruction]:
    """Tests of the lower half of one argument of this call; what passes them is allowed."""
    block = [(_LOAD, 0, 0, _argument(argument)), *tests, _YES]
    return [(_EQUAL, 0, len(block), number), *block]


def _argument(index: int) -> int:
    return 16 + 8 * index


def _no(number: int) -> Instruction:
    return _ANSWER, 0, 0, _ERRNO | number


_YES: Instruction = (_ANSWER, 0, 0, _ALLOW)
