"""What the name of a setting says, and whether a value is a secret or a word, a sample, an address."""

import math
import re
from collections import Counter

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PASSWORD = frozenset("password passwd pwd passphrase passcode pass psw pw passwort".split())  # noqa: SIM905
_SECRET = frozenset(
    """
    secret secrets token apikey secretkey accesskey privatekey authkey authtoken accesstoken credential
    credentials apitoken apisecret clientsecret appsecret
    """.split()  # noqa: SIM905
)
_BEFORE_KEY = frozenset(
    """
    api secret access private auth encryption encrypt signing master account storage admin service app
    session cookie jwt hmac crypto cipher webhook deploy license root aes data shared
    """.split()  # noqa: SIM905
)
_AFTER = frozenset(
    """
    value val str string prod production dev development staging stage live main primary secondary old
    new current base raw plain plaintext literal const env default bytes
    """.split()  # noqa: SIM905
)
"""Words behind a secret's name that leave it one: `SECRET_KEY_BASE`, `DB_PASSWORD_PROD`."""
_NEVER = frozenset(
    """
    public publishable site hash hashed encrypted sealed csrf xsrf fake mock dummy example sample test
    testing tests placeholder label hint regex pattern next page cursor continuation sync foreign
    invalid wrong bad sort partition cache
    """.split()  # noqa: SIM905
)
"""Words beside which a secret's name is none: public, an address of a page, made for a test."""

_SAMPLE = re.compile(
    r"(?i)example|placeholder|change.?(?:me|this|it)|your|dummy|xxxx|\*\*\*|<[^>]*>|test|fake|sample|redacted"
    r"|hidden|insecure|not.?(?:a|so|very).?(?:real|secret)|todo|fixme|replace|insert|secret.?(?:here|key)$|mock"
    r"|lorem|foo.?bar|hunter2|12345678|abcdef|qwerty|\.\.\.|…|invalid|wrong|dev.?only|local.?(?:only|dev)"
)
_TEMPLATE = re.compile(r"\$\{|\{\{|\$\(|#\{|<%|%\(|%\{|%[sdv]|^\$|^%\w+%$|^\{\w*\}$|^@\w+@$|\{[a-z_]\w*\}")
_CODED = re.compile(
    r"^(?:sha(?:1|256|384|512)[-:]|\$(?:2[abxy]|argon2|pbkdf2|scrypt|[156])|\{[A-Z0-9]{3,8}\}|pbkdf2_|bcrypt|argon2"
    r"|ENC\[|vault:v|AQICAH|ssh-|ecdsa-|pk_(?:live|test)_|arn:|sops|projects/|secret(?:s|ref)?[:/]|op://)"
)
"""Hashes, encrypted values, public keys, references to a store of secrets."""
_REGEX = re.compile(r"\\[dwsbDWSB]|\[[^\]]{0,20}\w-\w|\(\?|\.\*|\.\+|\{\d+,?\d*\}|^\^.*\$$")
_ADDRESS = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*:)?//|^(?:~|\.{1,2})?/|^[A-Za-z]:\\|\.[a-z]{2,5}$|^[\w.+-]+@[\w-]+\.[\w.]+$"
)
_UUID = re.compile(r"(?i)^\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?$")
_WORD = re.compile(r"[A-Z]?[a-z]{3,40}|[A-Z][a-z]{2}|[A-Z]{3,40}")
_CONSONANTS = re.compile(r"(?i)[bcdfghjklmnpqrstvwxz]{6}")
_LONGEST = 512
_SHORT = 2.8
"""Letters or digits in a row, on average: in names it is four and more, in random texts two."""


def family(name: str) -> str:
    """`password` or `secret` where a name says that its value is one, else nothing. Not of names of names,
    of addresses and of lengths: `SECRET_NAME`, `access_token_url`, `password_min_length`."""
    parts = [part.lower() for part in _PARTS.findall(name[-100:])]
    while parts and (parts[-1].isdigit() or (parts[-1] in _AFTER and len(parts) > 1)):
        parts.pop()
    if not parts or _NEVER.intersection(parts):
        return ""
    if parts[-1] in _PASSWORD:
        return "password"
    is_key = parts[-1] == "key" and len(parts) > 1 and parts[-2] in _BEFORE_KEY
    return "secret" if is_key or parts[-1] in _SECRET or "".join(parts[-2:]) in _SECRET else ""


def is_none(value: str, name: str = "") -> bool:
    """Whether a value is a sample, a template, a hash, a reference, an address, or its own name."""
    value = value[:_LONGEST]
    bare = _letters(value)
    return (
        not value.isascii()
        or any(char.isspace() for char in value)
        or bool(_SAMPLE.search(value) or _TEMPLATE.search(value) or _CODED.search(value))
        or bool(_REGEX.search(value) or _ADDRESS.search(value) or _UUID.match(value))
        or (bool(name) and bare == _letters(name))
        or len(set(value)) < 6
    )


def _letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalpha())


def wordy(value: str) -> float:
    """How much of a value stands in what could be words, from 0 to 1."""
    bare = sum(char.isalnum() for char in value)
    words = (word.group() for word in _WORD.finditer(value))
    return sum(len(word) for word in words if _is_word(word)) / bare if bare else 1.0


def _is_word(word: str) -> bool:
    return any(char in "aeiouyAEIOUY" for char in word) and not _CONSONANTS.search(word)


def entropy(text: str) -> float:
    """Shannon's, in bits a character; words are under 3.5, random letters and digits over."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())


def is_random(value: str) -> bool:
    """No name and no number, as generators make them: digits among the letters and letters of both cases
    throughout, where words come in runs."""
    digits, letters = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    both = value.lower() != value and value.upper() != value
    pieces = _PARTS.findall(value)
    short = bool(pieces) and sum(map(len, pieces)) / len(pieces) <= _SHORT
    return (
        letters and (digits or both) and entropy(value) >= 3.0 and (short or (digits and wordy(value) < 0.5))
    )


def is_password(value: str) -> bool:
    """As people make them to satisfy a rule: several kinds of characters, and a mark or no words."""
    kinds = (str.islower, str.isupper, str.isdigit)
    count = sum(any(map(kind, value)) for kind in kinds)
    marked = any(not char.isalnum() and char not in "-_./:" for char in value)
    return any(map(str.isdigit, value)) and count + marked >= 3 and (marked or wordy(value) < 0.5)
