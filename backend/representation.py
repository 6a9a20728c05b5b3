"""Somebody files for another person: what is asked of them besides, and what they have to show."""

from __future__ import annotations

from backend.answer import Problem
from backend.catalogue import Catalogue, Document, PowerOfAttorney, Service
from backend.fields import Answers

__all__ = ["FAMILY", "refuse_representation", "representative", "service_asked"]

FAMILY = "keluarga"
"""of `wakil_hubungan`"""


def service_asked(catalogue: Catalogue, service: Service, on_behalf_of: str | None) -> Service:
    """The service as a draft asks it: for another person, who files it comes first, and the power of attorney is due."""
    if on_behalf_of is None:
        return service
    power = _power_of_attorney(catalogue, service)
    others = [document for document in service.documents if document.id != power.id]
    fields = (*catalogue.representative_fields, *service.fields)
    return service.model_copy(update={"fields": fields, "documents": (*others, power)})


def refuse_representation(service: Service) -> None:
    if service.power_of_attorney is PowerOfAttorney.NOT_ALLOWED:
        detail = f"{service.name} tidak bisa diajukan untuk orang lain; yang bersangkutan harus mengajukannya sendiri."
        raise Problem(422, "not-for-others", detail, field="on_behalf_of")


def representative(catalogue: Catalogue, answers: Answers) -> dict[str, str] | None:
    """Who filed it for the applicant: `name` in full and `relation` in words."""
    if "wakil_nama" not in answers:
        return None
    relation = answers.get("wakil_hubungan")
    titles = {choice.id: choice.title for field in catalogue.representative_fields for choice in field.choices}
    return {"name": str(answers["wakil_nama"]), "relation": titles.get(str(relation), str(relation))}


def _power_of_attorney(catalogue: Catalogue, service: Service) -> Document:
    """The service's own words for it, where it has any."""
    own = next((document for document in service.documents if document.id == catalogue.power_of_attorney.id), None)
    always = service.power_of_attorney is PowerOfAttorney.ALWAYS
    relation = next(field for field in catalogue.representative_fields if field.id == "wakil_hubungan")
    strangers = tuple(choice.id for choice in relation.choices if choice.id != FAMILY)
    return (own or catalogue.power_of_attorney).model_copy(
        update={
            "optional": False,
            "condition": None if always else "karena Anda bukan keluarga pemohon",
            "only_if": {} if always else {relation.id: strangers},
        }
    )
