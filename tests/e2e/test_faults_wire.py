"""Faults 16, 17, 18 and 21: other spellings of signed bytes, numbers, and ids that are nothing."""

import json
import re

import msgspec
import pytest

from kit.vendor import bare, spellings, value
from seamline.dialects.dialect import Refused
from seamline.wallet import Kind, Verdict


def rewritten(request, body):
    """The request with another body under the old signature."""
    return msgspec.structs.replace(request, body=body)


def signed(vendor, request, body):
    """The request with another body, rightly signed."""
    return vendor.dialect.sign(rewritten(request, body), vendor.integration)


def document(request):
    """The body as a JSON object; skips where the dialect writes something else."""
    try:
        found = json.loads(request.body)
    except ValueError:
        pytest.skip("no JSON body")
    return found


SPELLINGS = {
    "spaces": lambda it: json.dumps(it, separators=(", ", ": ")),
    "order": lambda it: json.dumps(dict(reversed(it.items())), separators=(",", ":")),
    "escapes": lambda it: re.sub(
        r'(?<=[{,]")(\w)', lambda at: f"\\u{ord(at[1]):04x}", json.dumps(it, separators=(",", ":"))
    ),
    "newline": lambda it: json.dumps(it, separators=(",", ":"), sort_keys=True) + "\n",
    "mark": lambda it: "\ufeff" + json.dumps(it, separators=(",", ":"), sort_keys=True),
    "solidus": lambda it: json.dumps(it | {"x": "/"}, separators=(",", ":")).replace("/", "\\/"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_fault_16_the_signature_is_of_the_bytes_that_came(vendor, spelling):
    """The same JSON in another spelling, under the signature of the first, is refused.

    Where the vendor signs values instead of bytes, and its vectors say so, it is the same bet.
    """
    request = vendor.compose(vendor.bet("10.00"))
    body = SPELLINGS[spelling](document(request)).encode()
    assert body != request.body
    said = vendor.judged((vendor.bet(),), vendor.doors.send(vendor.name, rewritten(request, body)))
    if spelling in spellings(vendor.speaks):
        assert said.verdict is Verdict.DONE
    else:
        assert said.verdict is Verdict.REFUSED
        assert vendor.moved() == []
    vendor.doors.send(vendor.name, request)
    assert vendor.moved() == [("bet", "10.00")]


def test_fault_16_a_name_that_comes_twice_is_refused(vendor):
    """Two readers could see two amounts: a rightly signed body with one name twice is refused."""
    request = vendor.compose(vendor.bet("10.00"))
    for name, text in document(request).items():
        pair = f"{json.dumps(name)}:{json.dumps(text)}"
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in name)
        for again in (pair, f'"{escaped}":{json.dumps(text)}'):
            body = request.body[:-1] + f",{again}}}".encode()
            reply = vendor.doors.send(vendor.name, signed(vendor, request, body))
            assert vendor.judged((vendor.bet(),), reply).verdict is Verdict.REFUSED
    assert vendor.moved() == []


@pytest.mark.parametrize("text", ["10", "10.0", "10.00", "10.000"])
def test_fault_17_the_text_of_a_number_is_kept(vendor, text):
    """10, 10.0 and 10.00 are signed as they stand and stand for one amount."""
    bet = vendor.bet(text)
    request = vendor.compose(bet)
    vendor.done(bet)
    assert vendor.moved() == [("bet", "10.00")]
    if text.encode() in request.body:
        other = b"10.0" if text == "10" else b"10"
        body = request.body.replace(text.encode(), other, 1)
        vendor.doors.send(vendor.name, rewritten(request, body))
    assert vendor.moved() == [("bet", "10.00")]


def test_fault_18_a_tenth_and_two_tenths_are_three_tenths(vendor):
    """Amounts are exact: staking 0.1 and 0.2 leaves 99.7, and 0.3 brings back 100."""
    vendor.needs(Kind.WIN)
    vendor.done(vendor.bet("0.1"))
    assert vendor.done(vendor.bet("0.2")).told in {None, value("99.70")}
    vendor.done(vendor.owed(Kind.WIN, "0.3"))
    assert vendor.balance() == "100.00"


@pytest.mark.parametrize("text", ["14.28444999", "0.000001", "1.000000000000000001"])
def test_fault_18_a_stake_finer_than_the_scale_is_refused(vendor, text):
    """A stake that no unit of the ledger holds is refused, never rounded."""
    bet = vendor.bet(text)
    try:
        vendor.compose(bet)
    except Refused:
        pytest.skip(f"{vendor.name} has no words for {text}")
    assert vendor.refused(bet).verdict is Verdict.REFUSED
    assert vendor.moved() == []


def test_fault_18_a_win_finer_than_the_scale_is_rounded_down(vendor):
    """A win is paid rounded down, the rest is kept as dust, and a person hears of it."""
    vendor.needs(Kind.WIN)
    win = vendor.owed(Kind.WIN, "14.28444999")
    try:
        vendor.compose(win)
    except Refused:
        pytest.skip(f"{vendor.name} has no words for it")
    vendor.done(win)
    assert vendor.balance() == "114.28444"
    row = vendor.doors.transactions(brand="acme", player=vendor.player)[-1]
    assert (row["asked"], row["amount"], row["dust"]) == ("14.28444999", "14.28444", "0.00000999")
    assert "dust" in vendor.alerts_about(win)


def test_fault_18_large_amounts_are_exact(vendor):
    """An amount beyond what a float can hold is exact to the last cent."""
    vendor.needs(Kind.WIN)
    # A wire that counts for doubles holds no more than those do.
    large = next(each for each in ("90071992547409.93", "90071992547.37") if carries(vendor, each))
    whole, _, cents = large.partition(".")
    vendor.done(vendor.owed(Kind.WIN, large))
    assert vendor.balance() == f"{int(whole) + 100}.{cents}"
    vendor.done(vendor.bet(large))
    assert vendor.balance() == "100.00"


def carries(vendor, amount):
    """Whether the wire carries an amount that large."""
    try:
        vendor.compose(vendor.bet(amount))
    except Refused:
        return False
    return True


@pytest.mark.parametrize("text", ["92233720368547.75807", "1" + "0" * 30])
def test_fault_18_an_amount_that_does_not_fit_is_refused(vendor, text):
    """A win or a stake that does not fit the ledger is refused and moves nothing."""
    for command in (vendor.bet(text), *([vendor.win(None, text)] if vendor.can(Kind.WIN) else ())):
        try:
            vendor.refused(command)
        except Refused:
            continue
    assert vendor.moved() == []


@pytest.mark.parametrize("put", ['""', "null", "0", "[]", "{}", "false"])
def test_fault_21_an_id_that_is_nothing_is_refused(vendor, put):
    """A bet whose id is empty, null or no text is refused at the wire."""
    bet = vendor.bet("10.00")
    request = vendor.compose(bet)
    document(request)
    body = request.body.replace(json.dumps(bare(bet.key)).encode(), put.encode())
    if body == request.body:
        pytest.skip(f"{vendor.name}: the id is no text of its own")
    reply = vendor.doors.send(vendor.name, signed(vendor, request, body))
    assert reply.status < 500
    assert vendor.judged((bet,), reply).verdict is Verdict.REFUSED
    assert vendor.moved() == []


def test_fault_21_a_field_left_out_is_refused_or_not_needed(vendor):
    """Without any one of its fields a signed bet is refused, or means the same."""
    bet = vendor.bet("10.00")
    request = vendor.compose(bet)
    whole = document(request)
    for name in whole:
        rest = {key: text for key, text in whole.items() if key != name}
        body = json.dumps(rest, separators=(",", ":"), ensure_ascii=False).encode()
        broken = signed(vendor, request, body)
        said = vendor.judged((bet,), vendor.doors.send(vendor.name, broken))
        assert said.reply.status < 500
        assert said.verdict is Verdict.REFUSED or vendor.moved() == [("bet", "10.00")]
