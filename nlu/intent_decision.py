"""What is answered to, once everything of a message is known: the last component of Rasa's graph.

The safety rule and the service that was found have a say in the intent besides the classifier's ranking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME
from rasa.shared.nlu.constants import ENTITIES, INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.authenticity import asks_authenticity
from nlu.emergency import Alarm, alarm
from nlu.fixed_phrases import fixed_intent

__all__ = ["THRESHOLD", "IntentDecision", "decide_intent", "may_name_service"]

THRESHOLD = 0.35

_EMERGENCY = "darurat"
_CERTAIN_EMERGENCY = 0.97
"""What the model needs to call a few words an emergency that hold no word of one: an old name looks like a cry to it."""
_LIKELY_EMERGENCY = 0.5
"""The same of more words than a cry has."""
_CRY = 3
_SHORTEST_HINT = 3
"""A hint in fewer words ("yang biru") is as likely an answer."""
_SUSPECTED_EMERGENCY = {Alarm.POSSIBLE: 0.05, Alarm.HINTED: 0.1, Alarm.CERTAIN: 0.0}
"""Where the words alone leave it open, this probability of the model settles it: a lost emergency costs most."""

_OUT_OF_SCOPE = "di_luar_topik"
_FOREIGN = 0.1
"""So likely to be out of scope, a message that names no service is so, whatever comes first: what is none of ours has
countless forms, most of them never taught."""
_NAMED_SERVICE = 0.6
"""Confidence in a service that speaks against it."""

_FINISHED_DOCUMENT = "ambil_hasil"

_REJECTIONS = (_OUT_OF_SCOPE, DEFAULT_NLU_FALLBACK_INTENT_NAME)
_WITHOUT_SERVICE = frozenset({"salam", "terima_kasih", "pamit", *_REJECTIONS})
"""Intents that a message about a service can hardly have."""
_WITH_SERVICE = frozenset(
    {
        "ajukan_layanan",
        "ambil_hasil",
        "batalkan_permohonan",
        "cek_status",
        "lanjutkan_draf",
        "perbaiki_permohonan",
        "tanya_biaya",
        "tanya_jam_layanan",
        "tanya_lama_proses",
        "tanya_lokasi",
        "tanya_prosedur",
        "tanya_syarat",
    }
)
_NEVER_WITH_SERVICE = frozenset(
    {
        "bantuan",
        "batal",
        "darurat",
        "di_luar_topik",
        "pamit",
        "pengaduan",
        "salam",
        "tanya_bot",
        "terima_kasih",
        "tidak",
        "ulangi",
        "umpan_balik",
        "ya",
    }
)
"""By definition: "petugas minta uang waktu urus KTP" is about an officer, not about a card."""
_GREETING = "salam"
"""Followed by a service it is a request, whatever the ranking: by definition it greets and nothing more."""
_CERTAIN_SERVICE = 0.9
_PLAUSIBLE = 0.05
"""Probability an intent needs to be the one meant by a message about a service that was surely found."""


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class IntentDecision(GraphComponent):
    """`threshold`: below this confidence the intent is `nlu_fallback`. Keeps `ranking_length` of the ranking."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"threshold": THRESHOLD, "ranking_length": 10}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> IntentDecision:
        return cls(config)

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            ranked = message.get("intent_ranking") or []
            ranking = {each["name"]: each["confidence"] for each in ranked}
            entities = message.get(ENTITIES) or []
            service, code = _service_confidence(entities), _code(entities)
            text = message.get(TEXT) or ""
            intent, confidence = decide_intent(text, ranking, service, self._config["threshold"], code)
            if not may_name_service(intent):
                message.set(ENTITIES, [each for each in entities if each["entity"] != "layanan"], add_to_output=True)
            message.set(INTENT, {"name": intent, "confidence": confidence}, add_to_output=True)
            message.set("intent_ranking", ranked[: self._config["ranking_length"]], add_to_output=True)
        return messages


def decide_intent(
    text: str,
    ranking: Mapping[str, float],
    service: Optional[float],
    threshold: float = THRESHOLD,
    code: Optional[str] = None,
) -> tuple[str, float]:
    """Name and confidence; `ranking` best first, `service` the confidence of the service that was found, `code` of a document."""
    if ranking.get(_EMERGENCY, 0.0) >= _least_of_emergency(alarm(text), len(text.split())):
        return _EMERGENCY, 1.0
    if asks_authenticity(text, code):
        return _FINISHED_DOCUMENT, 1.0
    if (fixed := fixed_intent(text)) is not None:
        return fixed, 1.0
    intent, confidence = next(iter(ranking.items()))
    if intent == _EMERGENCY:
        # A village's name, a lone word: unknown to the model, and most like the shortest cries.
        intent = DEFAULT_NLU_FALLBACK_INTENT_NAME
    if confidence < threshold:
        intent = DEFAULT_NLU_FALLBACK_INTENT_NAME
    if intent in _WITHOUT_SERVICE and service is not None and service >= _CERTAIN_SERVICE:
        wanted = next(((name, value) for name, value in ranking.items() if name in _WITH_SERVICE), None)
        least = 0.0 if intent == _GREETING else _PLAUSIBLE
        if wanted is not None and wanted[1] >= least:
            return wanted
    foreign = ranking.get(_OUT_OF_SCOPE, 0.0)
    if foreign >= _FOREIGN and intent not in _REJECTIONS and (service is None or service < _NAMED_SERVICE):
        return _OUT_OF_SCOPE, foreign
    return intent, confidence


def _least_of_emergency(sounds: Alarm, words: int) -> float:
    if sounds is Alarm.NONE:
        return _LIKELY_EMERGENCY if words > _CRY else _CERTAIN_EMERGENCY
    if sounds is Alarm.HINTED and words < _SHORTEST_HINT:
        return _LIKELY_EMERGENCY
    return _SUSPECTED_EMERGENCY[sounds]


def may_name_service(intent: str) -> bool:
    return intent not in _NEVER_WITH_SERVICE


def _code(entities: list[dict[str, Any]]) -> Optional[str]:
    return next((each["value"] for each in entities if each["entity"] == "kode_keaslian"), None)


def _service_confidence(entities: list[dict[str, Any]]) -> Optional[float]:
    return next((each["confidence_entity"] for each in entities if each["entity"] == "layanan"), None)
