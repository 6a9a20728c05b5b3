"""What is wrong with a data set before anything is learned from it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from learning.example import Example, key

__all__ = ["Findings", "check"]

_FEWEST_OF_INTENT = 20
_FEWEST_OF_SERVICE = 5
_VOCABULARY = 3
"""So few words may be taught and measured as well: "mboten usah" can't be said in many ways, and must be known."""


@dataclass(frozen=True)
class Findings:
    duplicates: Sequence[str]
    """texts taught more than once with the same labels"""
    conflicts: Mapping[str, Sequence[tuple[str, str | None]]]
    """text → its different labels (intent, service)"""
    leaks: Mapping[str, str]
    """text of more than a few words → the set it is measured by"""
    small: Mapping[str, int]
    """intent or service → how many messages it has"""

    @property
    def is_fatal(self) -> bool:
        """Whether a model made of it would be wrong or measured wrongly; the rest is only worth knowing."""
        return bool(self.conflicts or self.leaks)

    def sentences(self) -> Sequence[str]:
        """In Indonesian, the worst first; empty when nothing was found."""
        return [
            *(f"Bocor: “{text}” dipelajari dan juga ada di {name}." for text, name in self.leaks.items()),
            *(
                f"Bertentangan: “{text}” berlabel {' dan '.join(_named(label) for label in labels)}."
                for text, labels in self.conflicts.items()
            ),
            *(f"Ganda: “{text}”." for text in self.duplicates),
            *(f"Sedikit: {label} hanya punya {count} contoh." for label, count in self.small.items()),
        ]


def check(taught: Iterable[Example], frozen: Mapping[str, Iterable[str]]) -> Findings:
    """`frozen`: the texts of each set to be measured by, by its name. Texts are alike by `learning.example.key`."""
    alike: dict[str, list[Example]] = defaultdict(list)
    for example in taught:
        alike[key(example.text)].append(example)
    labels = {text: sorted({_label(each) for each in group}, key=str) for text, group in alike.items()}
    measured = {key(text): name for name, texts in frozen.items() for text in texts}
    return Findings(
        duplicates=[group[0].text for text, group in alike.items() if len(group) > len(labels[text]) == 1],
        conflicts={group[0].text: labels[text] for text, group in alike.items() if len(labels[text]) > 1},
        leaks={
            group[0].text: measured[text]
            for text, group in alike.items()
            if text in measured and len(text.split()) > _VOCABULARY
        },
        small=_small(alike.values()),
    )


def _small(groups: Iterable[Sequence[Example]]) -> Mapping[str, int]:
    intents: Counter[str] = Counter()
    services: Counter[str] = Counter()
    for group in groups:
        intents.update({example.intent for example in group})
        services.update({example.service for example in group if example.service})
    return {
        **{f"maksud {name}": count for name, count in sorted(intents.items()) if count < _FEWEST_OF_INTENT},
        **{f"layanan {name}": count for name, count in sorted(services.items()) if count < _FEWEST_OF_SERVICE},
    }


def _label(example: Example) -> tuple[str, str | None]:
    return example.intent, example.service


def _named(label: tuple[str, str | None]) -> str:
    intent, service = label
    return intent if service is None else f"{intent} ({service})"
