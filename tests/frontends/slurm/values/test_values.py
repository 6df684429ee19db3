"""The meaning of canonical texts, and where a text stops having one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowc.frontends.slurm.values import lists, meaning
from flowc.frontends.slurm.values.amounts import seconds_of
from flowc.frontends.slurm.values.hosts import HostList
from flowc.frontends.slurm.values.lists import SignalSpec
from flowc.frontends.slurm.values.meaning import GresItem, ValueMistake
from flowc.frontends.slurm.values.moments import days_of, moment_text, stamp
from flowc.frontends.slurm.values.numerals import count_of, size_of, size_text, strtol, whole_number, wrap32


def test_durations() -> None:
    assert meaning.duration_seconds("UNLIMITED") is None
    assert meaning.duration_seconds("00:10:00") == 600
    assert meaning.duration_seconds("1-02:03:04") == 86400 + 7384
    assert seconds_of("10:30") == 630
    assert seconds_of("1-25:61:61") == 86400 + 25 * 3600 + 61 * 60 + 61
    assert [seconds_of(text) for text in ("1h", "", ":30", "1:", "1:2:3:4", "2-4-6", "+5")] == [None] * 7


def test_sizes() -> None:
    assert [meaning.size_mib(text) for text in ("0?", "1G", "1025", "3T", "2P")] == [0, 1024, 1025, 3 << 20, 2 << 30]
    assert [size_of(text) for text in ("4096", "4G", "8gb", "1500K", "+4", "1.5G", "4GiB", "-1", "")] == [
        4096,
        4096,
        8192,
        2,
        4,
        None,
        None,
        None,
        None,
    ]


@given(st.integers(0, 1 << 50))
def test_sizes_print_and_read_back(mib: int) -> None:
    assert meaning.size_mib(size_text(mib)) == mib


@given(st.integers(-(1 << 70), 1 << 70), st.text("xkG: -", max_size=3))
def test_numbers_are_read_as_by_c(number: int, rest: str) -> None:
    value, end = strtol(f" {number}{rest}")
    assert end == len(f" {number}")
    assert value == max(-(1 << 63), min((1 << 63) - 1, number))
    assert -(1 << 31) <= wrap32(number) < 1 << 31
    assert (wrap32(number) - number) % (1 << 32) == 0


def test_whole_numbers() -> None:
    assert [whole_number(text, positive=True) for text in ("08", " 4", "0", "", "1.5", "-1", "4294967297")] == [
        8,
        4,
        None,
        None,
        None,
        None,
        1,
    ]
    assert whole_number("", positive=False) == 0


def test_counts_of_generic_resources() -> None:
    assert [count_of(text) for text in ("4", "1k", "1kb", "k", "a100", "-1", "1.5", "18446744073709551615")] == [
        4,
        1024,
        1000,
        0,
        None,
        None,
        None,
        None,
    ]


def test_generic_resources() -> None:
    gpu = GresItem(name="gpu", type="a100", count=2)
    disk = GresItem(name="lscratch", type=None, count=100)
    assert meaning.gres_items("gres:gpu:a100:2,gres:lscratch:100") == (gpu, disk)
    assert meaning.gres_items("gres/gpu:a100:2,gres/lscratch:100") == (gpu, disk)
    assert meaning.gres_items("gres:gpu:0") == meaning.gres_items("NONE") == ()
    assert meaning.gres_items("gpu:1,gpu:3") == (GresItem(name="gpu", type=None, count=3),)
    assert meaning.gpu_items("a100:2,4") == (gpu, GresItem(name="gpu", type=None, count=4))


def test_arrays() -> None:
    assert lists.array_spec("0-15:4") == ((0, 4, 8, 12), None)
    assert lists.array_spec("1-3,2-5%2") == ((1, 2, 3, 4, 5), 2)
    assert lists.array_spec("[0-3]") == ((0, 1, 2, 3), None)
    assert lists.array_spec("%3") == ((0,), 3)
    assert lists.array_spec("0-10%0")[1] is None
    assert lists.array_spec("") == ((), None)


def test_dependencies() -> None:
    assert lists.dependency_items("afterok:1:2_3,singleton") == (
        (("afterok", "1", 0), ("afterok", "2_3", 0), ("singleton", None, 0)),
        ",",
    )
    assert lists.dependency_items("after:5+10?AFTERANY:7_*") == ((("after", "5", 10), ("afterany", "7_*", 0)), "?")
    assert lists.dependency_items("afterok:after-x:1f-k_3,afterany:a_[1-3]:b_*") == (
        (("afterok", "after-x", 0), ("afterok", "1f-k_3", 0), ("afterany", "a_[1-3]", 0), ("afterany", "b_*", 0)),
        ",",
    )
    # As a slurmctld 22.05 shows it: the minutes hold for those behind, in the same clause.
    assert [each[1:] for each in lists.dependency_items("after:1:2+5:3:4+6,after:5")[0]] == [
        *[("1", 0), ("2", 5), ("3", 5), ("4", 6), ("5", 0)]
    ]
    assert lists.dependency_items("after:" + "9" * 5000)[0][0][1] == "9" * 5000
    assert lists.dependency_items("1,2") == ((("afterany", "1", 0), ("afterany", "2", 0)), ",")
    assert lists.dependency_items("0") == ((), ",")


def test_constraints_hosts_and_licences() -> None:
    assert lists.constraint_names("[a*2&b*1]|c&a") == ("a", "b", "c")
    assert lists.host_names("n[1-2,7],m1 a[01-02]b[3]") == ("n1", "n2", "n7", "m1", "a01b3", "a02b3")
    assert lists.host_count("n[1-3],n2") == 3
    assert lists.licence_items("a@b:3,c;d:0") == (("a@b", 3), ("c", 1), ("d", 0))


def test_exports() -> None:
    assert lists.export_items("ALL") == ("all", (), ())
    assert lists.export_items("none") == ("none", (), ())
    assert lists.export_items("NIL") == ("nil", (), ())
    assert lists.export_items('A,B=2,"C=3,4",ALL') == ("all", ("A",), (("B", "2"), ("C", "3,4")))
    assert lists.export_items('A="x,y",A') == ("listed", ("A",), ())


def test_signals_distributions_mail_and_nodes() -> None:
    assert lists.signal_spec("RB:USR1@300") == SignalSpec(name="USR1", seconds=300, to_shell=True)
    assert lists.signal_spec("10") == SignalSpec(name="10", seconds=60, to_shell=False)
    assert lists.distribution_spec("block:cyclic,pack").levels == ("block", "cyclic")
    assert lists.distribution_spec("plane=4").plane == 4
    assert meaning.mail_events("NONE") == ()
    assert meaning.mail_events("BEGIN,END") == ("BEGIN", "END")
    assert [meaning.node_range(text) for text in ("2", "2-4", "2-0")] == [(2, 2), (2, 4), (2, None)]


MISTAKES = [
    (meaning.gres_items, "gpu:", 4, 4),
    (meaning.gres_items, "gpu:a:x", 6, 7),
    (lists.array_spec, "1,3-1", 2, 5),
    (lists.array_spec, "1..5", 1, 2),
    (lists.array_spec, "1-5:0", 0, 5),
    (lists.array_spec, "0-99999999", 0, 10),
    (lists.dependency_items, "afterok", 7, 7),
    (lists.dependency_items, "afterok:1,expand:2", 10, 18),
    (lists.dependency_items, "afterok:0", 8, 9),
    (lists.dependency_items, "5,afterok:6", 0, 1),
    (lists.dependency_items, "prepare", 0, 7),
    (lists.constraint_tree, "a||b", 2, 3),
    (lists.constraint_tree, "[a&b]", 1, 2),
    (lists.constraint_tree, "a*0", 0, 3),
    (lists.constraint_tree, "[a|b]&[c|d]", 6, 11),
    (lists.host_names, "n[3-1]", 2, 5),
    (lists.host_names, "n[1-99999999]", 2, 12),
    (lists.licence_items, "a b", 1, 2),
    (meaning.node_range, "²", 0, 1),
    (meaning.duration_seconds, "0:²:0", 0, 5),
    (lists.signal_spec, "B:@5", 2, 4),
]


@pytest.mark.parametrize(("read", "text", "start", "end"), MISTAKES)
def test_mistakes_point_at_the_place(read: object, text: str, start: int, end: int) -> None:
    with pytest.raises(ValueMistake) as caught:
        read(text)  # type: ignore[operator]
    assert (caught.value.start, caught.value.end) == (start, end)
    assert caught.value.message[0].islower() or caught.value.message[0] == "`"


def test_messages_name_what_was_found_and_expected() -> None:
    with pytest.raises(ValueMistake, match=r"found `\|`, expected the end, a feature name"):
        lists.constraint_tree("a||b")


def test_points_in_time() -> None:
    assert moment_text("2030-01-20T12:34", (22, 5)) == ("2030-01-20T12:34:00", 1895142840)
    assert moment_text("01/02/30-13:00", (22, 5))[0] == "2030-01-02T13:00:00"
    for text in ("16:00", "tomorrow", "now+1hour", "0120", "noon"):
        assert moment_text(text, (22, 5)) == (text, None)


@given(st.integers(-(10**11), 10**11))
def test_dates_are_those_of_the_calendar(seconds: int) -> None:
    import datetime

    if -62135596800 <= seconds < 253402300800:
        shown = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
        if seconds not in (0xFFFFFFFF, 0xFFFFFFFE):
            assert stamp(seconds) == shown.isoformat()
        assert days_of(shown.year, shown.month, shown.day) == seconds // 86400


def test_host_lists_are_sorted_joined_and_cut() -> None:
    hosts = HostList.read("b1,n[9-11],a,n10,n[001-003]")
    assert hosts.count() == 8
    assert HostList.read("n[1-4]").first(2).text() == "n[1-2]"
    assert HostList.read("n[1-60000],n[5-65000]").count() == 65000


ANY = (
    meaning.gres_items,
    meaning.gpu_items,
    lists.array_spec,
    lists.dependency_items,
    lists.constraint_names,
    lists.host_names,
    lists.host_count,
    lists.licence_items,
    lists.export_items,
    lists.signal_spec,
    meaning.duration_seconds,
    meaning.size_mib,
    meaning.node_range,
    meaning.mail_events,
    lists.distribution_spec,
)


@given(st.sampled_from(ANY), st.text(max_size=20) | st.text("0123456789-:,[]%*&|=@gpuafterok ", max_size=20))
def test_any_text_has_a_meaning_or_a_mistake_in_it(read: object, text: str) -> None:
    try:
        read(text)  # type: ignore[operator]
    except ValueMistake as mistake:
        start, end = mistake.start, mistake.end
        assert 0 <= start <= end <= len(text)
