"""Where frames wait: the newest wins, and none is taken before the rate allows it."""

from dmmi_ros.mailboxes import Mailboxes, Unused


def test_without_a_period_all_are_due_at_once():
    boxes = Mailboxes()
    assert boxes.next_due() is None and boxes.take(now=0.0) == []
    assert boxes.put("front", 1, period=0.0, now=5.0) is None
    assert boxes.put("left", 2, period=0.0, now=5.0) is None
    assert boxes.next_due() <= 5.0
    assert boxes.take(now=5.0) == [1, 2]
    assert boxes.take(now=5.0) == []


def test_the_rate_holds_for_each_source_alone():
    boxes = Mailboxes()
    boxes.put("front", 1, period=0.5, now=10.0)
    assert boxes.take(now=10.0) == [1]
    assert boxes.put("front", 2, period=0.5, now=10.1) is None
    assert boxes.next_due() == 10.5
    boxes.put("left", 3, period=0.5, now=10.2)
    assert boxes.take(now=10.2) == [3]
    assert boxes.take(now=10.49) == []
    assert boxes.take(now=10.5) == [2]


def test_what_is_replaced_is_skipped_before_it_is_due_and_dropped_after():
    boxes = Mailboxes()
    boxes.put("front", 1, period=0.5, now=10.0)
    boxes.take(now=10.0)
    replaced = [boxes.put("front", n, period=0.5, now=now) for n, now in ((2, 10.1), (3, 10.4), (4, 10.6))]
    assert replaced == [None, Unused.SKIPPED, Unused.DROPPED]
    assert boxes.take(now=10.6) == [4]


def test_a_new_period_holds_for_the_next_frame():
    boxes = Mailboxes()
    boxes.put("front", 1, period=60.0, now=10.0)
    boxes.take(now=10.0)
    boxes.put("front", 2, period=60.0, now=11.0)
    assert boxes.put("front", 3, period=0.0, now=12.0) is Unused.SKIPPED
    assert boxes.take(now=12.0) == [3]


def test_clearing_says_whose_frames_are_gone_and_forgets_the_rate():
    boxes = Mailboxes()
    boxes.put("front", 1, period=60.0, now=10.0)
    boxes.take(now=10.0)
    boxes.put("front", 2, period=60.0, now=11.0)
    assert boxes.clear() == ["front"]
    assert boxes.next_due() is None
    boxes.put("front", 3, period=60.0, now=12.0)
    assert boxes.take(now=12.0) == [3]
