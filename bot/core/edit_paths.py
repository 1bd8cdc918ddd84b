"""Which paths of a repository Hob's own commits may touch. What runs by itself, what steers Hob or git, and
what only a tool should write is never among them, however it is spelt."""

import re
import unicodedata
from collections.abc import Callable

from bot.core.text import strip_invisible, utf8_size

LONGEST = 400
"""Characters; Windows takes no more than some 260 of a whole path."""
LONGEST_NAME = 255
"""Bytes of one part: no file system takes more."""
_EDITORS = "editors run what stands there"
_PACKAGES = "it says where packages come from"
_NEVER = {
    ".git": "it is git's own",
    ".github": "workflows, Hob's own settings and owners stand there",
    ".gitmodules": "it names submodules",
    ".gitattributes": "it names programs that git runs on files",
    ".lfsconfig": "it says where git fetches files from",
    ".gitlab-ci.yml": "it runs by itself",
    ".gitlab": "owners and rules of reviews stand there",
    ".gitea": "workflows stand there",
    ".forgejo": "workflows stand there",
    **dict.fromkeys(
        [
            *(".circleci", ".buildkite", ".travis.yml", ".drone.yml", ".woodpecker", ".woodpecker.yml"),
            *(".woodpecker.yaml", ".cirrus.yml", ".cirrus.star", ".semaphore", ".azure-pipelines"),
            *("azure-pipelines.yml", "azure-pipelines.yaml", "appveyor.yml", ".appveyor.yml"),
            *("bitbucket-pipelines.yml", "buildspec.yml", "cloudbuild.yaml", "cloudbuild.yml"),
            *("jenkinsfile", ".builds", ".build.yml", ".teamcity", ".tekton", ".bitrise", "bitrise.yml"),
            *("circle.yml", "wercker.yml", "screwdriver.yaml", "codemagic.yaml", ".scrutinizer.yml"),
            *("netlify.toml", "vercel.json", ".readthedocs.yml", ".readthedocs.yaml", "readthedocs.yml"),
            *(".gitpod.yml", ".gitpod.dockerfile", ".replit", ".stackblitzrc", ".codesandbox"),
        ],
        "it runs by itself",
    ),
    **dict.fromkeys(
        [
            *(".mergify", ".mergify.yml", ".kodiak.toml", "bors.toml", ".bulldozer.yml", ".policy.yml"),
            *(".pullapprove.yml", ".sourcery.yaml", ".coderabbit.yaml", "dependabot.yml", ".dependabot"),
            *("renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5"),
        ],
        "it steers programs that merge and review",
    ),
    ".husky": "git runs what stands there",
    ".githooks": "git runs what stands there",
    ".pre-commit-config.yaml": "git runs what it names",
    ".pre-commit-config.yml": "git runs what it names",
    "lefthook.yml": "git runs what it names",
    ".lefthook.yml": "git runs what it names",
    ".lefthook": "git runs what stands there",
    "codeowners": "it says who has to agree",
    ".devcontainer": _EDITORS,
    ".devcontainer.json": _EDITORS,
    **dict.fromkeys([".vscode", ".idea", ".fleet", ".zed"], _EDITORS),
    **dict.fromkeys([".vs", ".nova", ".dir-locals.el", ".exrc", ".vimrc", ".nvimrc", ".nvim.lua"], _EDITORS),
    **dict.fromkeys(
        [
            *("agents.md", "agents.override.md", "claude.md", "claude.local.md", "gemini.md", "qwen.md"),
            *(".cursor", ".cursorrules", ".claude", ".codex", ".gemini", ".windsurf", ".windsurfrules"),
            *(".mcp.json", ".aider.conf.yml", ".clinerules", ".roo", ".roorules", ".continue", ".junie"),
            *(".kiro", ".amazonq", ".augment", ".opencode", ".trae", ".goosehints", ".agents"),
        ],
        "agents do what stands there",
    ),
    **dict.fromkeys([".overcommit.yml", ".lintstagedrc", ".lintstagedrc.json"], "git runs what it names"),
    **dict.fromkeys([".gdbinit", ".lldbinit"], "debuggers run it"),
    **dict.fromkeys([".envrc", ".mise.toml", "mise.toml", ".mise"], "shells run it"),
    **dict.fromkeys(
        [
            *(".cargo", ".mvn", "mvnw", "mvnw.cmd", ".bazelrc", ".buckconfig", "gradlew", "gradlew.bat"),
            *("gradle-wrapper.properties", "gradle-wrapper.jar", "maven-wrapper.properties"),
        ],
        "it names programs that builds run",
    ),
    ".yarn": "installing runs what stands there",
    ".pnpmfile.cjs": "installing runs what stands there",
    **dict.fromkeys(["bunfig.toml", ".bunfig.toml", "pip.conf", ".condarc"], _PACKAGES),
    ".gitconfig": "it names programs that git runs",
    ".yarnrc": "it names a program that installing runs",
    ".yarnrc.yml": "it names a program that installing runs",
    ".npmrc": _PACKAGES,
    ".ssh": "keys stand there",
    ".pypirc": _PACKAGES,
    ".netrc": "passwords stand there",
    ".env": "passwords stand there",
}
"""A part of a path, folded -> why nothing there is touched."""
_PRIVATE = frozenset(
    [
        *(".env", ".netrc", ".npmrc", ".pypirc", ".git-credentials", ".htpasswd", ".pgpass", ".s3cfg"),
        *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".aws", ".kube", ".gnupg", ".ssh", ".dockercfg"),
    ]
)
_KEYS = (".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk")
_EXAMPLES = frozenset({".env.example", ".env.sample", ".env.template", ".env.dist"})
LOCKS = frozenset(
    [
        *("npm-shrinkwrap.json", "pylock.toml", "go.sum", "go.work.sum", ".pnp.cjs", ".pnp.loader.mjs"),
        *("package.resolved", "cartfile.resolved", "cabal.project.freeze"),
    ]
)
"""Lock files that are not called so: `yarn.lock`, `package-lock.json`, `.terraform.lock.hcl` are."""
_LOCK = re.compile(r".{0,400}[.\-_]lock(?:b|file)?(?:\.(?:json|ya?ml|toml|hcl|txt))?")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$) *(?:\..*)?")
_HASHED = re.compile(r"[a-z0-9]{2}[0-9a-f]{4}")
"""How a short name begins where many would be the same: that of `.gitmodules` may be `gi7eba~1`."""
_ODD = re.compile(r"[<>\"|?*\x7f]")


def asks_for_lock_files(wish: str) -> bool:
    """Whether whoever asked for a patch named a lock file, or spoke of one."""
    said = wish[:2_000].casefold()
    named = any(is_lock_file(word.strip("`'\"*_()[]<>.,:;!?")) for word in said.split())
    return named or "lock file" in said or "lockfile" in said


def is_lock_file(path: str) -> bool:
    name = _folded(path.rpartition("/")[2])
    return name in LOCKS or _LOCK.fullmatch(name) is not None


def why_not(path: str, allowed: Callable[[str], bool] = lambda _: True, *, lock_files: bool = False) -> str:
    """Why Hob may not write this path; empty where it may. `allowed`: the repository's own rule;
    `lock_files`: whether somebody asked for those."""
    if not path or len(path) > LONGEST:
        return f"a path has 1 to {LONGEST} characters"
    if any(unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") for char in path) or "\\" in path:
        return "the path holds characters that no path of a patch should"
    if strip_invisible(path)[0] != path:
        return "the path holds characters that nobody sees"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or ":" in path or path[0] in "-~":
        return "the path leads out of the repository, or a shell reads it so"
    for part in parts:
        name = _folded(part)
        if why := _NEVER.get(name) or _NEVER.get(_short(name)):
            return f"{part} is never touched: {why}"
        if part != part.strip() or part.endswith(".") or _ODD.search(part) or _RESERVED.fullmatch(name):
            return f"{part} is no name that every system takes"
        if not name or "/" in name or (name[0] == "." and not name.isascii()):
            return f"{part} looks like another name"
        if utf8_size(part) > LONGEST_NAME:
            return f"a name has at most {LONGEST_NAME} bytes"
    if why := _never_as_file(path):
        return f"{parts[-1]} is never touched: {why}"
    if not lock_files and is_lock_file(path):
        return f"{parts[-1]} is written by a tool, not by hand"
    return "" if allowed(path) else "what was asked for or `code.paths` leaves it out"


def _never_as_file(path: str) -> str:
    """For whole paths, where a folder of the same name is nothing special."""
    name = path.rpartition("/")[2]
    if is_private(path):
        return "passwords or keys stand there"
    if name in ("OWNERS", "OWNERS_ALIASES"):
        return "it says who has to agree"
    return _EDITORS if _folded(name).endswith(".code-workspace") else ""


def is_private(path: str) -> bool:
    """Whether passwords are kept in such a file: no model is shown it for a change."""
    names = [_folded(part) for part in path.split("/")]
    return names[-1].endswith(_KEYS) or any(
        name in _PRIVATE or (name.startswith(".env.") and name not in _EXAMPLES) for name in names
    )


def _folded(part: str) -> str:
    """As file systems that ignore case, and marks above letters written apart, would find it."""
    return unicodedata.normalize("NFKC", part).casefold().rstrip(" .")


def _short(name: str) -> str:
    """What a short name of old Windows file systems stands for: `git~1`, `gi7eba~1`, `travis~1.yml`."""
    stem, mark, number = name.partition("~")
    if not mark or not number.partition(".")[0].isdigit():
        return ""
    start = stem[:2] if _HASHED.fullmatch(stem) else stem[:6]
    return next((one for one in _NEVER if start and one.lstrip(".").startswith(start)), "")
