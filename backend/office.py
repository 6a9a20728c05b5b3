"""The office that a filing lies at, by the name citizens know."""

from __future__ import annotations

from backend.catalogue import Catalogue, Service
from backend.fields import Answers
from backend.regions import Regions

__all__ = ["office_name"]


def office_name(service: Service, answers: Answers, catalogue: Catalogue, regions: Regions) -> str:
    """The office of what was chosen, else the service's first. The applicant's own kecamatan or desa completes its name:
    `Kantor Kecamatan Candi`.
    """
    chosen = (
        choice.office for field in service.fields for choice in field.choices if answers.get(field.id) == choice.id
    )
    office = catalogue.offices[next(filter(None, chosen), service.offices[0])]
    field = next((field for field in service.fields if field.type is office.place and field.id in answers), None)
    if field is None:
        return office.name
    place = str(answers[field.id])
    if field.within is not None:
        kind = regions.places.get(str(answers.get(field.within)), {}).get(place, "desa")
        return f"{office.name.replace('Desa/Kelurahan', kind.capitalize())} {place}"
    return f"{office.name} {place}"
