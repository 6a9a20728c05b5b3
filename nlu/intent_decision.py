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

from nlu.emergency import Alarm, alarm

__all__ = ["THRESHOLD", "IntentDecision", "decide_intent"]

THRESHOLD = 0.35

_EMERGENCY = "darurat"
_CERTAIN_EMERGENCY = 0.9
"""What the model needs to call something an emergency that holds no word of one."""
_POSSIBLE_EMERGENCY = 0.05
"""Where the words alone leave it open, this probability of the model settles it: a lost emergency costs most."""

_WITHOUT_SERVICE = frozenset({"salam", "terima_kasih", "pamit", "di_luar_topik", DEFAULT_NLU_FALLBACK_INTENT_NAME})
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
            service = _service_confidence(message.get(ENTITIES) or [])
            intent, confidence = decide_intent(message.get(TEXT) or "", ranking, service, self._config["threshold"])
            message.set(INTENT, {"name": intent, "confidence": confidence}, add_to_output=True)
            message.set("intent_ranking", ranked[: self._config["ranking_length"]], add_to_output=True)
        return messages


def decide_intent(
    text: str, ranking: Mapping[str, float], service: Optional[float], threshold: float = THRESHOLD
) -> tuple[str, float]:
    """Name and confidence; `ranking` best first, `service` the confidence of the service that was found."""
    sounds = alarm(text)
    if sounds is Alarm.CERTAIN or (sounds is Alarm.POSSIBLE and ranking.get(_EMERGENCY, 0) >= _POSSIBLE_EMERGENCY):
        return _EMERGENCY, 1.0
    intent, confidence = next(iter(ranking.items()))
    if intent == _EMERGENCY and sounds is Alarm.NONE and confidence < _CERTAIN_EMERGENCY:
        # A village's name, a lone word: unknown to the model, and most like the shortest cries.
        intent = DEFAULT_NLU_FALLBACK_INTENT_NAME
    if confidence < threshold:
        intent = DEFAULT_NLU_FALLBACK_INTENT_NAME
    if intent in _WITHOUT_SERVICE and service is not None and service >= _CERTAIN_SERVICE:
        wanted = next(((name, value) for name, value in ranking.items() if name in _WITH_SERVICE), None)
        least = 0.0 if intent == _GREETING else _PLAUSIBLE
        if wanted is not None and wanted[1] >= least:
            return wanted
    return intent, confidence


def _service_confidence(entities: list[dict[str, Any]]) -> Optional[float]:
    return next((each["confidence_entity"] for each in entities if each["entity"] == "layanan"), None)
