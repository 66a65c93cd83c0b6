import collections
import decimal
import pickle

import numpy as np
import pytest

from dmmi_core.data.safe_pickle import read_plain_pickle
from dmmi_core.errors import InputError

PLAIN = [{"ref_id": 1, "ann_id": [], "sent": "the dög 🐕", "more": (None, True, 2.5, -(10**30), [[]])}]


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_of_every_protocol(tmp_path, protocol):
    path = tmp_path / "refs.p"
    path.write_bytes(pickle.dumps(PLAIN, protocol))
    assert read_plain_pickle(path) == PLAIN


def test_bytes_and_sets(tmp_path):
    path = tmp_path / "refs.p"
    value = [b"\xff", {1, 2}, frozenset("a")]
    path.write_bytes(pickle.dumps(value, 4))
    assert read_plain_pickle(path) == value


@pytest.mark.parametrize(
    "content",
    [
        b"(lp0\n(dp1\nS'sent'\np2\nS'caf\\xe9'\np3\nsa.",  # protocol 0
        b"\x80\x02]q\x00}q\x01U\x04sentq\x02U\x04caf\xe9q\x03sa.",  # protocol 2
        b"(lp0\n(dp1\nS'sent'\np2\nS'caf\\xc3\\xa9'\np3\nsa.",  # UTF-8 in protocol 0
        b"\x80\x02]q\x00}q\x01U\x04sentq\x02U\x05caf\xc3\xa9q\x03sa.",  # UTF-8 in protocol 2
        b"\x80\x02]q\x00}q\x01X\x04\x00\x00\x00sentq\x02X\x05\x00\x00\x00caf\xc3\xa9q\x03sa.",  # unicode
    ],
)
def test_text_of_python_2(tmp_path, content):
    path = tmp_path / "refs.p"
    path.write_bytes(content)
    assert read_plain_pickle(path) == [{"sent": "café"}]


def test_no_code_runs(tmp_path, hostile_pickle):
    path = tmp_path / "refs.p"
    hostile_pickle(path)
    with pytest.raises(InputError, match=r"^.*refs\.p would run pathlib\S* when loaded.*authors$") as caught:
        read_plain_pickle(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x02c__builtin__\neval\nq\x00U\x010\x85R.",
        b"\x80\x02cdmmi_core.data.samples\nSample\n.",
        pickle.dumps(collections.OrderedDict(a=1)),
        pickle.dumps(decimal.Decimal(1)),
        pickle.dumps(np.int64(3)),
        pickle.dumps(np.zeros(3)),
        pickle.dumps(len),
    ],
)
def test_whatever_must_be_called_is_refused(tmp_path, content):
    path = tmp_path / "refs.p"
    path.write_bytes(content)
    with pytest.raises(InputError, match="would run "):
        read_plain_pickle(path)


WHOLE = pickle.dumps(PLAIN, 2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        WHOLE[:-1],
        b"not a pickle",
        b"\x80\x63.",
        b'{"a": 1}',
        b"\x80\x02K\x01K\x02R.",
        b"\x80\x02Pabc\n.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x02\x82\x01.",
        b"\xff" * 50,
    ],
)
def test_damaged_files(tmp_path, content):
    path = tmp_path / "refs.p"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"refs\.p is damaged, or no pickle file: ") as caught:
        read_plain_pickle(path)
    assert "\n" not in str(caught.value)


def test_a_download_that_broke_off(tmp_path):
    path = tmp_path / "refs.p"
    for length in range(len(WHOLE)):
        path.write_bytes(WHOLE[:length])
        with pytest.raises(InputError, match="is damaged"):
            read_plain_pickle(path)


@pytest.mark.parametrize("name", ["nowhere.p", "."])
def test_what_is_no_file(tmp_path, name):
    with pytest.raises(InputError, match="cannot read "):
        read_plain_pickle(tmp_path / name)
