"""What a launcher carries of its target, and what another daemon reads from it."""

from llmdbenchd.core.run.rivals import NOBODY, mark, marked, marks, rival


def test_a_mark_tells_who_knows_the_server_and_nobody_else() -> None:
    assert mark("llm/vllm-0") == mark("llm/vllm-0") != mark("llm/vllm-1")
    assert "vllm" not in marks(["llm/vllm-0", "vllm:80"])


def test_the_marks_of_a_target_are_read_as_they_were_written() -> None:
    servers = [f"llm/vllm-{index}" for index in range(3)]

    assert set(marked(marks([*servers, servers[0]]))) == set(map(mark, servers))
    assert marked(marks([])) == marked(",") == ()


def test_the_first_server_that_somebody_loads_is_named() -> None:
    rivals = {mark("b"): "p", mark("c"): "q"}

    assert rival(["a", "b", "c"], rivals) == ("b", "p")
    assert rival(["a"], rivals) is None
    assert rival(["a"], NOBODY) is None
