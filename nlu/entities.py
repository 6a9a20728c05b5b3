"""Numbers, dates, places, names and addresses as entities, as a component of Rasa's graph."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.mentions import Mention, find_mentions

__all__ = ["EntityFinder"]

_HERE = ZoneInfo("Asia/Jakarta")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EntityFinder(GraphComponent):
    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> EntityFinder:
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            found = [_entity(mention) for mention in find_mentions(message.get(TEXT) or "", _today())]
            message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)
        return messages


def _today() -> date:
    return datetime.now(_HERE).date()


def _entity(mention: Mention) -> dict[str, Any]:
    return {
        "entity": mention.entity,
        "value": mention.value,
        "start": mention.start,
        "end": mention.end,
        "extractor": EntityFinder.__name__,
    }
