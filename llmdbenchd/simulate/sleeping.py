"""Sleep and wake: the state, the calls of vLLM's development mode, and their lines in the log."""

import asyncio

import msgspec
from aiohttp import web

from llmdbenchd.simulate.load import Load
from llmdbenchd.simulate.server_log import ServerLog
from llmdbenchd.simulate.trouble import Trouble
from llmdbenchd.simulate.vllm_lines import Speaker
from llmdbenchd.simulate.wordings import Filling

_LEVELS = {"1": 1, "2": 2}
_TAGS = ("weights", "kv_cache")
_ANSWERS_SINCE = "0.32"
_NOTHING = Load(version="0.32")
_ENGINE = Speaker.ENGINE
_RELOAD = "reload_weights"


class _Rpc(msgspec.Struct):
    method: str


def sleep_values(load: Load, level: int) -> dict[str, float]:
    """What the log tells of a sleep, by name; sizes only if sleep mode is on."""
    v = load.complete()
    if not load.sleep_mode:
        return {"sleep_s": v["sleep_s"]}
    weights = v["model_load_size_gib"]
    freed = round(weights + v["kv_cache_available_gib"], 6)
    backed_up = weights if level == 1 else 0.0
    return {
        "sleep_s": v["sleep_s"],
        "sleep_freed_gib": freed,
        "sleep_in_use_gib": v["sleep_in_use_gib"],
        "sleep_backed_up_gib": backed_up,
        "sleep_discarded_gib": round(freed - backed_up, 6),
    }


class Sleeper:
    """Whether the server sleeps; one call at a time."""

    def __init__(self, load: Load | None, log: ServerLog | None) -> None:
        """A server that is awake.

        Args:
            load: its times and sizes; None = the default's.
            log: where lines go, or None.
        """
        self._load = load or _NOTHING
        self._log = log
        self._asleep: set[str] = set()
        self._turn = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """The calls that it answers."""
        return [
            web.post("/sleep", self._sleep),
            web.post("/wake_up", self._wake_up),
            web.get("/is_sleeping", self._is_sleeping),
            web.post("/collective_rpc", self._collective_rpc),
        ]

    def require_awake(self) -> None:
        """Nothing is generated asleep.

        Raises:
            Trouble: it sleeps.
        """
        if self._asleep:
            raise Trouble(503, "the server is asleep: POST /wake_up first")

    async def _sleep(self, request: web.Request) -> web.Response:
        asked = request.query.get("level", "1")
        level = _LEVELS.get(asked)
        if level is None:
            raise Trouble(400, f"level is {asked!r}: must be 1 or 2", param="level")
        async with self._turn:
            await self._fall_asleep(level)
        return self._answer({"status": "sleeping", "level": level})

    async def _fall_asleep(self, level: int) -> None:
        self._say(Speaker.FRONT, "sleep_asked", filling=Filling(text={"level": str(level)}))
        if len(self._asleep) == len(_TAGS):
            self._say(_ENGINE, "asleep_already")
            return
        values = sleep_values(self._load, level)
        await asyncio.sleep(values["sleep_s"])
        self._asleep = set(_TAGS)
        parts = {name: values[name] for name in values if "backed" in name or "discard" in name}
        if parts:
            freed = f"{values['sleep_freed_gib']:.2f}"
            self._say(_ENGINE, "", parts, Filling(numbers=(freed,), word="CuMemAllocator:"))
        told = {name: one for name, one in values.items() if name not in {*parts, "sleep_s"}}
        if told:
            self._say(_ENGINE, "", told)
        self._say(_ENGINE, "asleep", {"sleep_s": values["sleep_s"]})

    async def _wake_up(self, request: web.Request) -> web.Response:
        asked = request.query.getall("tags", [])
        if wrong := [one for one in asked if one not in _TAGS]:
            raise Trouble(400, f"tags are {', '.join(wrong)}: can be {', '.join(_TAGS)}")
        async with self._turn:
            words = f" with tags: {asked}" if asked else ""
            self._say(Speaker.FRONT, "wake_asked", filling=Filling(rest=words))
            tags = self._asleep & set(asked or _TAGS)
            if tags:
                seconds = self._load.complete()["wake_s"]
                await asyncio.sleep(seconds)
                self._asleep -= tags
                shown = ", ".join(repr(one) for one in _TAGS if one in tags)
                self._say(_ENGINE, "awake", {"wake_s": seconds}, Filling(tag=f"{{{shown}}}"))
        return self._answer({"status": "awake", "tags": asked or None})

    async def _collective_rpc(self, request: web.Request) -> web.Response:
        """What level 2 discarded is loaded again; no other method is anybody's need here."""
        try:
            asked = msgspec.json.decode(await request.read(), type=_Rpc)
        except msgspec.MsgspecError as error:
            raise Trouble(400, f"no call of a method: {error}") from error
        if asked.method != _RELOAD:
            raise Trouble(400, f"method is {asked.method!r}: can be {_RELOAD}", param="method")
        async with self._turn:
            seconds = self._load.complete()["weights_load_s"]
            await asyncio.sleep(seconds)
            self._say(_ENGINE, "", {"weights_reload_s": seconds})
        return _json({"results": [None]})

    async def _is_sleeping(self, _: web.Request) -> web.Response:
        return _json({"is_sleeping": bool(self._asleep)})

    def _say(
        self,
        speaker: Speaker,
        mark: str,
        told: dict[str, float] | None = None,
        filling: Filling | None = None,
    ) -> None:
        if self._log is not None:
            self._log.say(speaker, mark, told, filling)

    def _answer(self, told: dict[str, object]) -> web.Response:
        """Older versions answer with nothing."""
        is_told = self._log is None or self._log.wordings.since(_ANSWERS_SINCE)
        return _json(told) if is_told else web.Response()


def _json(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")
