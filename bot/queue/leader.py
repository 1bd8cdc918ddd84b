"""Which of the workers turns what is due into runs: it saves the others the work. The rows alone keep it from
being done twice, so whoever cannot ask Redis leads."""

from contextlib import suppress

from bot.queue.connect import Unreachable, connect

KEY = "hob:schedule:leader"
LEADER_SECONDS = 10.0
"""How long a leader that is not heard of keeps the others waiting, by Redis's clock."""

_LEAD = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RESIGN = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class Leader:
    """`name` is this process's alone; `key` says what is led. For one thread at a time; connects on first
    use."""

    def __init__(self, redis_url: str, name: str, key: str = KEY) -> None:
        self._client = connect(redis_url)
        self._lead = self._client.register_script(_LEAD)
        self._name = name
        self._key = key

    def leads(self) -> bool:
        """Takes the lock or keeps it; False where another process has it."""
        try:
            return bool(self._lead(keys=[self._key], args=[self._name, int(LEADER_SECONDS * 1000)]))
        except Unreachable:
            return True

    def resign(self) -> None:
        """The next one leads at once."""
        with suppress(*Unreachable):
            self._client.eval(_RESIGN, 1, self._key, self._name)
        self._client.close()
