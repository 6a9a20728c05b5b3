"""The catalogue as the API gives it, put together once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from backend.answer import Answer, answer_json
from backend.calendar import add_working_days
from backend.catalogue import Catalogue, Service

__all__ = ["list_services", "show_service", "show_services"]


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


def show_services(catalogue: Catalogue) -> Mapping[str, Mapping[str, object]]:
    """id of a service or form → its whole entry, with the sources it names and its offices' names in the order of `offices`."""
    entries = (*catalogue.services.values(), *catalogue.forms.values())
    return {service.id: _entry(service, catalogue) for service in entries}


def show_service(entry: Mapping[str, object], service: Service, today: date) -> Answer:
    """The entry, and by when a filing submitted today would be done; null where the time limit isn't known."""
    days = service.time_limit.working_days
    due = None if days is None else add_working_days(today, days).isoformat()
    return answer_json({**entry, "due_on_if_today": due})


def _entry(service: Service, catalogue: Catalogue) -> dict[str, object]:
    return {
        **service.model_dump(mode="json"),
        "sources": [source.model_dump(mode="json") for source in catalogue.sources_of(service)],
        "office_names": [catalogue.offices[office].name for office in service.offices],
    }
