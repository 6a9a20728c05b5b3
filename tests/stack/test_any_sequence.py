"""Whatever happens during a filing and in whatever order: no answer is lost, nothing is filed twice, nobody waits in silence."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from backend.catalogue import Catalogue, Document, FieldDefinition
from praja.rehearsal import NUMBER, Person, Rehearsal, sheet
from tests.stack.citizen import Heard, make_move, new_nik, new_phone, said, titles_of
from tests.stack.running import Running

_SERVICE = "sk_umum"
_MOST_STEPS = 40
_NAMES = ("Siti Aminah", "Rina Wulandari", "Dewi Lestari")
_PURPOSES = ("melamar kerja", "beasiswa anak", "membuka rekening bank")
_WRONG = {"nik": "351508570890999", "phone": "0812", "kecamatan": "qwrtz", "desa": "qwrtz", "name": "12345678"}
"""by the field's type, what can't be its answer"""
_QUESTIONS = ("ini bayar ga?", "berapa lama jadinya?", "syaratnya apa saja?")


class _Filing(RuleBasedStateMachine):
    """On WhatsApp, where the same message may come twice."""

    stack: Running
    catalogue: Catalogue

    def __init__(self) -> None:
        super().__init__()
        self._phone = new_phone(self.stack, "whatsapp")
        self._nik = new_nik()
        self._service = self.catalogue.services[_SERVICE]
        self._given: dict[str, str] = {}
        self._heard: list[Heard] = []
        self._is_sound = False

    @initialize()
    def begin(self) -> None:
        self._hear(self._phone.say("mau bikin surat keterangan umum desa"))
        while self._asked is None:
            self._hear(make_move(self._phone, self._rehearsal(), self._heard))
        self._is_sound = True

    @precondition(lambda self: isinstance(self._asked, FieldDefinition))
    @rule(name=st.sampled_from(_NAMES), purpose=st.sampled_from(_PURPOSES))
    def answer(self, name: str, purpose: str) -> None:
        with self._step():
            asked = self._asked
            assert isinstance(asked, FieldDefinition)
            self._give(asked, name, purpose)
            assert self._asked is not asked, f"{asked.id} is asked again: {said(self._heard)}"

    @precondition(lambda self: isinstance(self._asked, Document))
    @rule()
    def photograph(self) -> None:
        with self._step():
            asked = self._asked
            assert isinstance(asked, Document)
            self._hear(self._phone.send_photo(sheet(asked.id)))
            assert self._asked is not asked, said(self._heard)

    @precondition(lambda self: isinstance(self._asked, FieldDefinition) and self._asked.type.value in _WRONG)
    @rule()
    def answer_wrongly(self) -> None:
        with self._step():
            asked = self._asked
            assert isinstance(asked, FieldDefinition)
            self._hear(self._phone.say(_WRONG[asked.type.value]))
            assert self._asked is asked, said(self._heard)

    @rule()
    def go_back(self) -> None:
        with self._step():
            self._hear(self._phone.say("kembali"))
            assert self._asked is not None or "Kirim" in titles_of(self._heard), said(self._heard)

    @rule()
    def put_off_and_go_on(self) -> None:
        with self._step():
            asked = self._asked
            self._hear(self._phone.say("nanti saja"))
            assert "7 hari" in said(self._heard), said(self._heard)
            self._hear(self._phone.say("lanjutkan"))
            assert self._asked is asked, said(self._heard)

    @precondition(lambda self: "nama" in self._given and getattr(self._asked, "id", None) != "nama")
    @rule(name=st.sampled_from(_NAMES))
    def change_the_name(self, name: str) -> None:
        with self._step():
            asked = self._asked
            self._hear(self._phone.say("ubah nama lengkap"))
            assert getattr(self._asked, "id", None) == "nama", said(self._heard)
            self._hear(self._phone.say(name))
            self._given["nama"] = name
            assert self._asked is asked, said(self._heard)

    @rule(question=st.sampled_from(_QUESTIONS))
    def ask_in_between(self, question: str) -> None:
        with self._step():
            asked = self._asked
            self._hear(self._phone.say(question))
            assert self._asked is asked, said(self._heard)

    @rule(part=st.sampled_from(("bot", "rasa", "actions", "backend")))
    def restart(self, part: str) -> None:
        with self._step():
            self.stack.kill(part)
            self.stack.wait_until_ready(180)

    @rule()
    def deliver_again(self) -> None:
        with self._step():
            again = self._phone.repeat()
            assert not again, f"answered twice: {said(again or [])}"

    @precondition(lambda self: isinstance(self._asked, FieldDefinition))
    @rule(name=st.sampled_from(_NAMES), purpose=st.sampled_from(_PURPOSES))
    def answer_while_the_backend_is_down(self, name: str, purpose: str) -> None:
        with self._step():
            asked = self._asked
            assert isinstance(asked, FieldDefinition)
            self.stack.take_down("backend")
            try:
                heard = self._phone.say(self._value(asked, name, purpose))
                assert heard, "silence"
            finally:
                self.stack.bring_up()
            # Kept and answered now, or never taken: either is said, and the form says which question is open.
            self._phone.later(5)
            self._hear(self._phone.say("ini bayar ga?"))
            if self._asked is asked:
                self._give(asked, name, purpose)
            else:
                self._given[asked.id] = self._value(asked, name, purpose)

    def teardown(self) -> None:
        """To the number, with what was said last; and the number is the only one."""
        self.stack.bring_up()
        if not self._is_sound:
            return
        for _ in range(_MOST_STEPS):
            if found := NUMBER.search(said(self._heard)):
                break
            asked = self._asked
            if isinstance(asked, FieldDefinition):
                self._give(asked, _NAMES[0], _PURPOSES[0])
            else:
                self._hear(make_move(self._phone, self._rehearsal(), self._heard))
        else:
            raise AssertionError(f"no number; {said(self._heard)}")
        mine = [f for f in self.stack.filings() if str(f["applicant"]["nik"]).endswith(self._nik[-4:])]
        assert [f["number"] for f in mine] == [found.group()]
        for field, value in self._given.items():
            answers = {a["field"]: a["value"] for a in self.stack.dossier(found.group(), reveal=field)["answers"]}
            assert _same(answers[field], value), f"{field}: {answers[field]!r} was kept for {value!r}"

    @property
    def _asked(self) -> FieldDefinition | Document | None:
        return None if "Kirim" in titles_of(self._heard) else self._rehearsal().asked(said(self._heard))

    def _give(self, asked: FieldDefinition, name: str, purpose: str) -> None:
        value = self._value(asked, name, purpose)
        self._hear(self._phone.say(value))
        self._given[asked.id] = value
        if asked.type.value == "kecamatan":
            self._given.pop("desa", None)

    def _value(self, asked: FieldDefinition, name: str, purpose: str) -> str:
        answers = {"nama": name, "keperluan": purpose}
        if asked.id in answers:
            return answers[asked.id]
        move = self._rehearsal().next(asked.question, ())
        return str(getattr(move, "text", ""))

    def _rehearsal(self) -> Rehearsal:
        return Rehearsal.of(self.catalogue, [self._service], Person(nik=self._nik))

    def _hear(self, heard: list[Heard]) -> None:
        assert heard, "silence"
        assert len(heard) <= 2, f"{len(heard)} bubbles: {said(heard)}"
        self._heard = heard

    def _step(self) -> _Step:
        return _Step(self)


class _Step:
    """Only what went well is played to its end."""

    def __init__(self, machine: _Filing) -> None:
        self._machine = machine

    def __enter__(self) -> None:
        self._machine._is_sound = False

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._machine._is_sound = kind is None


def _same(kept: str, said: str) -> bool:
    """Numbers by their digits, since a phone is kept with its country; words by their letters."""
    digits = "".join(filter(str.isdigit, said)).lstrip("0")
    if len(digits) > 8:
        return "".join(filter(str.isdigit, kept)).endswith(digits)
    return said.casefold() in kept.casefold()


@pytest.mark.verify
def test_any_sequence(stack: Running, catalogue: Catalogue) -> None:
    machine = type("Filing", (_Filing,), {"stack": stack, "catalogue": catalogue})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=5,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
