"""The catalogue as the API gives it, put together once."""

from __future__ import annotations

from collections.abc import Mapping

from backend.answer import Answer, answer_json
from backend.catalogue import Catalogue, Service

__all__ = ["list_services", "show_services"]


def list_services(catalogue: Catalogue) -> Answer:
    return answer_json(
        {
            "services": [
                {
                    "id": service.id,
                    "name": service.name,
                    "families": service.families,
                    "mode": service.mode,
                    "agency": service.agency,
                }
                for service in catalogue.services.values()
            ],
            "families": [{"id": identifier, "name": name} for identifier, name in catalogue.families.items()],
        }
    )


def show_services(catalogue: Catalogue) -> Mapping[str, Answer]:
    """id → its whole entry, with the sources it names and its offices' names in the order of `offices`."""
    return {service.id: answer_json(_entry(service, catalogue)) for service in catalogue.services.values()}


def _entry(service: Service, catalogue: Catalogue) -> dict[str, object]:
    return {
        **service.model_dump(mode="json"),
        "sources": [source.model_dump(mode="json") for source in catalogue.sources_of(service)],
        "office_names": [catalogue.offices[office].name for office in service.offices],
    }
