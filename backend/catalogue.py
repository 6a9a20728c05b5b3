"""The catalogue: what every service needs, read from `data/` and checked against a schema.

A file that doesn't fit is refused with its path, its line and what to do, so that people who don't program can mend it.
Keys in the files are Indonesian, names in code and over HTTP English; the aliases below are the only dictionary between them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Document",
    "Fact",
    "Fee",
    "FieldDefinition",
    "FieldType",
    "Mode",
    "Office",
    "PowerOfAttorney",
    "Service",
    "Source",
    "TimeLimit",
    "load_catalogue",
]

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class CatalogueError(Exception):
    """A file of the catalogue doesn't fit its schema. The message names file, line and reason, one finding a line."""


class Mode(enum.StrEnum):
    """How far the chat goes: file it here, explain and point the way, collect a question for an officer, or a complaint."""

    FILING = "permohonan"
    REFERRAL = "rujukan"
    STAFF = "staf"
    COMPLAINT = "pengaduan"


class PowerOfAttorney(enum.StrEnum):
    """What somebody who files for another person has to show."""

    ALWAYS = "always"
    UNLESS_FAMILY = "unless_family"
    NOT_ALLOWED = "not_allowed"
    """the person has to file it alone"""


class FieldType(enum.StrEnum):
    NIK = "nik"
    KK_NUMBER = "kk_number"
    NAME = "name"
    PHONE = "phone"
    DATE = "date"
    KECAMATAN = "kecamatan"
    DESA = "desa"
    ADDRESS = "address"
    CHOICE = "choice"
    TEXT = "text"
    NUMBER = "number"
    LOCATION = "location"
    PEOPLE = "people"


_FIELD_TYPES: Mapping[str, FieldType] = {
    "nik": FieldType.NIK,
    "nomor_kk": FieldType.KK_NUMBER,
    "nama": FieldType.NAME,
    "nomor_hp": FieldType.PHONE,
    "tanggal": FieldType.DATE,
    "kecamatan": FieldType.KECAMATAN,
    "desa": FieldType.DESA,
    "alamat": FieldType.ADDRESS,
    "pilihan": FieldType.CHOICE,
    "teks": FieldType.TEXT,
    "angka": FieldType.NUMBER,
    "lokasi": FieldType.LOCATION,
    "orang": FieldType.PEOPLE,
}

_POWERS: Mapping[str, PowerOfAttorney] = {
    "wajib": PowerOfAttorney.ALWAYS,
    "bukan_keluarga": PowerOfAttorney.UNLESS_FAMILY,
    "tidak_boleh": PowerOfAttorney.NOT_ALLOWED,
}


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True, frozen=True)


class _Sourced(_Entry):
    """Whatever has no source must say so: the bot then asks the citizen to make sure."""

    sources: tuple[str, ...] = Field(default=(), alias="sumber")
    unverified: bool = Field(default=False, alias="perlu_verifikasi")

    @model_validator(mode="after")
    def _needs_source_or_warning(self) -> _Sourced:
        if not self.sources and not self.unverified:
            raise ValueError("tidak ada `sumber`; tambahkan kode sumber atau tulis `perlu_verifikasi: true`")
        return self


class Fact(_Sourced):
    text: Text = Field(alias="teks")


class Fee(_Sourced):
    text: Text = Field(alias="teks")
    rupiah: int | None = Field(default=None, ge=0, description="null when it is computed or unknown")


class TimeLimit(_Sourced):
    text: Text = Field(alias="teks")
    working_days: int | None = Field(default=None, ge=1, alias="hari_kerja", description="null when unknown")


class Choice(_Entry):
    id: Identifier
    title: Annotated[str, StringConstraints(min_length=1, max_length=24)] = Field(
        alias="judul", description="24 characters: what a WhatsApp list row holds"
    )
    office: Identifier | None = Field(
        default=None,
        alias="kantor",
        description="of `kantor.yml`: whoever chooses this is served there, not at the first office",
    )


class _Asked(_Entry):
    id: Identifier
    name: Text = Field(alias="nama", description="as shown on the review")
    optional: bool = Field(default=False, alias="boleh_dilewati")
    only_if: Mapping[Identifier, tuple[Identifier, ...]] = Field(
        default={}, alias="hanya_bila", description="asked when each of these choices has one of these values"
    )


class FieldDefinition(_Asked):
    type: FieldType = Field(alias="jenis")
    question: Text = Field(alias="tanya")
    help: Text | None = Field(default=None, alias="bantuan")
    choices: tuple[Choice, ...] = Field(default=(), alias="pilihan")
    within: Identifier | None = Field(default=None, alias="di_dalam", description="for a desa: its kecamatan's field")
    minimum: int | None = Field(
        default=None, alias="paling_kecil", description="of a number; how many people; how many letters of a text"
    )
    maximum: int | None = Field(default=None, alias="paling_besar", description="as `minimum`")
    past: bool | None = Field(
        default=None, alias="lampau", description="a date: true = not after today, false = not before"
    )
    belongs_to: Identifier | None = Field(
        default=None, alias="milik", description="a date of birth or a sex: the field with that person's NIK"
    )
    lasting: bool = Field(default=False, alias="tetap", description="the same in a person's next filing")

    @model_validator(mode="before")
    @classmethod
    def _translate_type(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("jenis"), str):
            kind = values["jenis"]
            if kind not in _FIELD_TYPES:
                raise ValueError(f"jenis `{kind}` tidak dikenal; pakai salah satu: {', '.join(_FIELD_TYPES)}")
            values = {**values, "jenis": _FIELD_TYPES[kind]}
        return values

    @model_validator(mode="after")
    def _fits_type(self) -> FieldDefinition:
        if (self.type is FieldType.CHOICE) != bool(self.choices):
            raise ValueError("`pilihan` harus diisi untuk jenis pilihan, dan hanya untuk jenis itu")
        if (self.type is FieldType.DESA) != (self.within is not None):
            raise ValueError("jenis desa, dan hanya itu, memerlukan `di_dalam`: id isian kecamatannya")
        if self.belongs_to is not None and self.type not in (FieldType.DATE, FieldType.CHOICE):
            raise ValueError("`milik` hanya untuk tanggal lahir (jenis tanggal) atau jenis kelamin (jenis pilihan)")
        return self


class Document(_Asked):
    good: Text = Field(alias="baik", description="what a usable photo or scan of it shows")
    condition: Text | None = Field(default=None, alias="bila", description="in which case it is needed")
    maximum_pages: int = Field(default=4, ge=1, le=20, alias="halaman_paling_banyak")


class Source(_Entry):
    id: Text = Field(alias="kode")
    title: Text = Field(alias="judul")
    dated: date | None = Field(default=None, alias="tanggal", description="of the source itself, where known")
    checked: date = Field(alias="diperiksa")


class Office(BaseModel):
    """What filings need of `kantor.yml`; its addresses and hours are read elsewhere."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, frozen=True)

    id: Identifier
    name: Text = Field(alias="nama")
    place: FieldType | None = Field(
        default=None, alias="tempat", description="the applicant's own: kecamatan or desa completes the name"
    )

    @model_validator(mode="after")
    def _is_a_place(self) -> Office:
        if self.place not in (None, FieldType.KECAMATAN, FieldType.DESA):
            raise ValueError("`tempat` harus kecamatan atau desa")
        return self


class Service(_Entry):
    """A service of `layanan/`, or a form of `formulir/`, which is filed alike but isn't one of the services."""

    id: Identifier
    name: Text = Field(alias="nama")
    families: tuple[Identifier, ...] = Field(default=(), alias="keluarga")
    aliases: tuple[Text, ...] = Field(default=(), alias="sebutan", description="what people call it")
    phrases: tuple[Text, ...] = Field(default=(), alias="ungkapan", description="whole messages; the model learns them")
    agency: Text = Field(alias="instansi")
    offices: tuple[Identifier, ...] = Field(alias="kantor", min_length=1)
    mode: Mode
    power_of_attorney: PowerOfAttorney = Field(
        default=PowerOfAttorney.UNLESS_FAMILY, alias="kuasa", description="when somebody files it for another person"
    )
    online: tuple[Text, ...] = Field(default=(), alias="daring", description="other channels, by name or address")
    requirements: tuple[Fact, ...] = Field(default=(), alias="syarat")
    documents: tuple[Document, ...] = Field(default=(), alias="dokumen")
    fields: tuple[FieldDefinition, ...] = Field(default=(), alias="isian")
    fee: Fee = Field(alias="biaya")
    time_limit: TimeLimit = Field(alias="waktu")
    legal_basis: tuple[Fact, ...] = Field(default=(), alias="dasar_hukum")
    steps: tuple[Fact, ...] = Field(alias="langkah", min_length=1)
    notes: tuple[Fact, ...] = Field(default=(), alias="catatan")

    @property
    def is_filed_here(self) -> bool:
        return self.mode is not Mode.REFERRAL and bool(self.fields)

    @model_validator(mode="before")
    @classmethod
    def _translate_power(cls, values: Any) -> Any:
        if isinstance(values, dict) and "kuasa" in values:
            power = values["kuasa"]
            if not isinstance(power, str) or power not in _POWERS:
                raise ValueError(f"kuasa `{power}` tidak dikenal; pakai salah satu: {', '.join(_POWERS)}")
            values = {**values, "kuasa": _POWERS[power]}
        return values

    @model_validator(mode="after")
    def _asks_in_order(self) -> Service:
        """What decides over a question is asked before it."""
        choices: dict[str, set[str]] = {}
        niks: set[str] = set()
        for item in (*self.fields, *self.documents):
            for field, values in item.only_if.items():
                if unknown := set(values) - choices.get(field, set()):
                    raise ValueError(
                        f"`{item.id}`: `hanya_bila: {field}` harus isian pilihan sebelum ini, dengan nilai "
                        f"{', '.join(sorted(unknown))}"
                    )
            if isinstance(item, FieldDefinition):
                if item.belongs_to is not None and item.belongs_to not in niks:
                    raise ValueError(f"isian `{item.id}`: `milik: {item.belongs_to}` bukan isian NIK sebelum ini")
                choices[item.id] = {choice.id for choice in item.choices}
                niks |= {item.id} if item.type is FieldType.NIK else set()
        return self

    @model_validator(mode="after")
    def _lets_complain_unnamed(self) -> Service:
        identity = next((field for field in self.fields if field.id == "identitas"), None)
        given = {choice.id for choice in identity.choices} if identity else set()
        if self.mode is Mode.COMPLAINT and given != {"terbuka", "rahasia", "anonim"}:
            raise ValueError("mode pengaduan memerlukan isian `identitas`: pilihan terbuka, rahasia, dan anonim")
        return self

    @model_validator(mode="after")
    def _can_be_filed(self) -> Service:
        names = [field.id for field in self.fields] + [document.id for document in self.documents]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"id dipakai dua kali dalam isian/dokumen: {', '.join(sorted(repeated))}")
        types = {field.id: field.type for field in self.fields}
        if self.mode is Mode.FILING and (types.get("nik"), types.get("nama")) != (FieldType.NIK, FieldType.NAME):
            raise ValueError("layanan bermode permohonan memerlukan isian `nik` (jenis nik) dan `nama` (jenis nama)")
        for position, field in enumerate(self.fields):
            earlier = {other.id for other in self.fields[:position] if other.type is FieldType.KECAMATAN}
            if field.within is not None and field.within not in earlier:
                raise ValueError(f"isian `{field.id}`: `di_dalam: {field.within}` bukan isian kecamatan sebelum ini")
        return self

    def facts(self) -> Iterable[_Sourced]:
        yield from (*self.requirements, self.fee, self.time_limit, *self.legal_basis, *self.steps, *self.notes)


class _ListedService(Service):
    """One of `layanan/`: people name it, and the model learns how."""

    aliases: tuple[Text, ...] = Field(alias="sebutan", min_length=1)
    phrases: tuple[Text, ...] = Field(alias="ungkapan", min_length=8)

    @model_validator(mode="after")
    def _is_a_service(self) -> _ListedService:
        if self.mode is Mode.COMPLAINT:
            raise ValueError("pengaduan bukan layanan; letakkan berkasnya di data/formulir")
        return self


@dataclass(frozen=True)
class Catalogue:
    services: Mapping[str, Service]
    forms: Mapping[str, Service]
    """what else can be filed; no id is also a service's"""
    representative_fields: Sequence[FieldDefinition]
    """asked first of somebody who files for another person"""
    power_of_attorney: Document
    sources: Mapping[str, Source]
    families: Mapping[str, str]
    """id → name"""
    offices: Mapping[str, Office]

    def entry(self, identifier: str) -> Service | None:
        """A service or a form."""
        return self.services.get(identifier) or self.forms.get(identifier)

    def sources_of(self, service: Service) -> list[Source]:
        """The sources that a service's facts name, in the order of `sumber.yml`."""
        named = {code for fact in service.facts() for code in fact.sources}
        return [source for code, source in self.sources.items() if code in named]


def load_catalogue(data: Path) -> Catalogue:
    """Read and check `data/layanan/*.yml`, `data/formulir/*.yml` and the shared files they name.

    Raises CatalogueError listing every finding, not only the first.
    """
    findings: list[str] = []
    sources = {s.id: s for s in _read_list(data / "sumber.yml", Source, findings)}
    families = {f.id: f.name for f in _read_list(data / "keluarga.yml", _Family, findings)}
    offices = {o.id: o for o in _read_list(data / "kantor.yml", Office, findings)}
    shared = _Shared(
        fields=_by_id(data / "isian.yml", findings),
        documents=_by_id(data / "dokumen.yml", findings),
        offices=frozenset(offices),
        families=frozenset(families),
        sources=frozenset(sources),
    )
    services = _read_services(data / "layanan", _ListedService, shared, findings)
    forms = _read_services(data / "formulir", Service, shared, findings)
    findings.extend(
        f"{data / 'formulir' / both}.yml:1: id `{both}` sudah dipakai di data/layanan; pilih id lain"
        for both in sorted(services.keys() & forms.keys())
    )
    fields = _read_shared(data / "isian.yml", _REPRESENTATIVE, FieldDefinition, shared.fields, findings)
    power = _read_shared(data / "dokumen.yml", (_POWER_OF_ATTORNEY,), Document, shared.documents, findings)
    if findings:
        raise CatalogueError("\n".join(findings))
    return Catalogue(
        services=services,
        forms=forms,
        representative_fields=fields,
        power_of_attorney=power[0],
        sources=sources,
        families=families,
        offices=offices,
    )


class _Family(_Entry):
    id: Identifier
    name: Text = Field(alias="nama")
    aliases: tuple[Text, ...] = Field(alias="sebutan", min_length=1)
    phrases: tuple[Text, ...] = Field(default=(), alias="ungkapan")


T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class _Shared:
    fields: Mapping[str, Any]
    documents: Mapping[str, Any]
    offices: frozenset[str]
    families: frozenset[str]
    sources: frozenset[str]


_REPRESENTATIVE = ("wakil_nama", "wakil_hubungan", "wakil_hp")
_POWER_OF_ATTORNEY = "surat_kuasa"


def _read_shared(
    path: Path, wanted: Sequence[str], kind: type[T], library: Mapping[str, Any], findings: list[str]
) -> list[T]:
    """What the program itself needs of a shared file."""
    entries: list[T] = []
    for name in wanted:
        if name not in library:
            findings.append(f"{path}:1: `{name}` tidak ada, padahal dipakai bila orang mengurus untuk orang lain")
            continue
        try:
            entries.append(kind.model_validate(library[name]))
        except ValidationError as error:
            findings.extend(f"{path}:1: `{name}`: {_where(e['loc'])}{_reason(e)}" for e in error.errors())
    return entries


def _read_services(folder: Path, kind: type[Service], shared: _Shared, findings: list[str]) -> dict[str, Service]:
    services: dict[str, Service] = {}
    for path in sorted(folder.glob("*.yml")):
        service = _read_service(path, kind, shared, findings)
        if service is not None:
            services[service.id] = service
    return services


def _read_service(path: Path, kind: type[Service], shared: _Shared, findings: list[str]) -> Service | None:
    read = _read_yaml(path, findings)
    if read is None:
        return None
    content, node = read
    if not isinstance(content, dict):
        findings.append(f"{path}:1: isi berkas harus pasangan `kunci: nilai`, dimulai dengan `id:`")
        return None
    before = len(findings)
    expanded = dict(content)
    for key, library in (("isian", shared.fields), ("dokumen", shared.documents)):
        expanded[key] = [
            _expand(item, key, library, f"{path}:{_line(node, (key, index))}", findings)
            for index, item in enumerate(content.get(key) or [])
        ]
    try:
        service = kind.model_validate(expanded)
    except ValidationError as error:
        findings.extend(f"{path}:{_line(node, e['loc'])}: {_where(e['loc'])}{_reason(e)}" for e in error.errors())
        return None
    if service.id != path.stem:
        findings.append(f"{path}:{_line(node, ('id',))}: id `{service.id}` harus sama dengan nama berkas `{path.stem}`")
    known = (
        ("kantor", service.offices, shared.offices, "data/kantor.yml"),
        ("keluarga", service.families, shared.families, "data/keluarga.yml"),
    )
    for key, used, allowed, home in known:
        for index, name in enumerate(used):
            if name not in allowed:
                findings.append(f"{path}:{_line(node, (key, index))}: {key} `{name}` tidak ada di {home}")
    for index, field in enumerate(service.fields):
        for choice in field.choices:
            if choice.office is not None and choice.office not in shared.offices:
                line = _line(node, ("isian", index))
                findings.append(f"{path}:{line}: kantor `{choice.office}` tidak ada di data/kantor.yml")
    for code in sorted({code for fact in service.facts() for code in fact.sources} - shared.sources):
        findings.append(
            f"{path}:1: sumber `{code}` tidak ada di data/sumber.yml; tambahkan di sana atau perbaiki kodenya"
        )
    return service if len(findings) == before else None


def _expand(item: Any, key: str, library: Mapping[str, Any], place: str, findings: list[str]) -> Any:
    """A bare name stands for a shared definition; `{pakai: nama, …}` is the same with changes."""
    name, changes = (
        (item, {}) if isinstance(item, str) else (item.get("pakai"), item) if isinstance(item, dict) else (None, {})
    )
    if name is None:
        return item
    if name not in library:
        findings.append(
            f"{place}: {key} `{name}` tidak ada di data/{key}.yml; tambahkan di sana atau tulis lengkap di sini"
        )
        return item
    return {**library[name], **{k: v for k, v in changes.items() if k != "pakai"}}


def _read_list(path: Path, kind: type[T], findings: list[str]) -> list[T]:
    read = _read_yaml(path, findings)
    if read is None:
        return []
    content, node = read
    entries: list[T] = []
    for index, item in enumerate(content if isinstance(content, list) else []):
        try:
            entries.append(kind.model_validate(item))
        except ValidationError as error:
            findings.extend(
                f"{path}:{_line(node, (index, *e['loc']))}: {_where(e['loc'])}{_reason(e)}" for e in error.errors()
            )
    if not isinstance(content, list):
        findings.append(f"{path}:1: isi berkas harus daftar, tiap butir dimulai dengan `-`")
    return entries


def _by_id(path: Path, findings: list[str]) -> dict[str, Any]:
    read = _read_yaml(path, findings)
    content = read[0] if read else []
    if not isinstance(content, list) or not all(isinstance(item, dict) and "id" in item for item in content):
        findings.append(f"{path}:1: isi berkas harus daftar, tiap butir dengan `id`")
        return {}
    return {item["id"]: item for item in content}


def _read_yaml(path: Path, findings: list[str]) -> tuple[Any, yaml.Node] | None:
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        if node is None:
            raise yaml.YAMLError("berkas kosong")
        return yaml.load(text, yaml.CSafeLoader), node
    except FileNotFoundError:
        findings.append(f"{path}: berkas tidak ada")
    except UnicodeDecodeError:
        findings.append(f"{path}: bukan teks UTF-8; simpan ulang dengan pengodean UTF-8")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        findings.append(
            f"{path}:{mark.line + 1 if mark else 1}: bukan YAML yang sah ({problem}); periksa indentasi dan titik dua"
        )
    return None


def _line(node: yaml.Node, location: Sequence[int | str]) -> int:
    """The line of the deepest node on the way to `location` that the file really has."""
    for step in location:
        inner: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step]
        if inner is None:
            break
        node = inner
    return int(node.start_mark.line) + 1


def _where(location: Sequence[int | str]) -> str:
    path = ".".join(str(step + 1) if isinstance(step, int) else step for step in location)
    return f"`{path}`: " if path else ""


_REASONS: Mapping[str, str] = {
    "missing": "wajib diisi",
    "extra_forbidden": "kunci ini tidak dikenal; mungkin salah ketik",
    "string_type": "harus berupa teks; beri tanda kutip",
    "bool_type": "harus true atau false",
    "bool_parsing": "harus true atau false",
    "int_type": "harus bilangan bulat",
    "int_parsing": "harus bilangan bulat",
    "tuple_type": "harus berupa daftar",
    "string_pattern_mismatch": "hanya huruf kecil, angka, dan garis bawah",
}


def _reason(error: Mapping[str, Any]) -> str:
    kind = str(error["type"])
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "too_short":
        return f"paling sedikit {error['ctx']['min_length']} butir"
    if kind == "string_too_long":
        return f"paling panjang {error['ctx']['max_length']} huruf"
    if kind in ("enum", "literal_error"):
        return f"harus salah satu dari {error['ctx']['expected']}"
    return _REASONS.get(kind, str(error["msg"]))
