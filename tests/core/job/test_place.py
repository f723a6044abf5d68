"""Places: an engine, and on a cluster the namespace."""

from llmdbenchd.core.job.place import LOCAL, RECORDER, cluster_place, namespace_of, place_of


def test_recordings_are_carried_out_by_the_daemon_itself() -> None:
    assert place_of("kubernetes", "bench", "nop") == RECORDER


def test_a_place_says_its_engine_and_on_a_cluster_its_namespace() -> None:
    assert place_of("local", "bench", "nop") == LOCAL
    assert (
        place_of("kubernetes", "bench", "guidellm") == cluster_place("bench") == "kubernetes/bench"
    )


def test_the_namespace_of_a_place_is_read_back() -> None:
    assert namespace_of(cluster_place("bench")) == "bench"
    assert namespace_of(LOCAL) == ""
