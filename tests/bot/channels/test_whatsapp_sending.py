"""Sending to, fetching from and acknowledging at the Graph API: what goes over the wire, and what each refusal means."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bot.channel import (
    Address,
    Channel,
    ChosenReply,
    Delivery,
    DeliveryState,
    FileReference,
    Message,
    Outgoing,
    OutgoingFile,
    SendFailed,
    SendFailure,
    Template,
)
from bot.channels.whatsapp import WhatsApp, WhatsAppSettings
from bot.channels.whatsapp import channel as whatsapp_channel
from bot.channels.whatsapp.failures import CODES, refusal
from bot.channels.whatsapp.message_id import kept_id
from tests.bot.channels.conftest import Clock
from tests.fakes.whatsapp import CITIZEN, FakeWhatsApp

_PHONE = Address("phone", CITIZEN)
_BSUID = Address("bsuid", FakeWhatsApp.bsuid(CITIZEN))
_JPEG = OutgoingFile("bukti.jpg", "image/jpeg", b"\xff\xd8" + b"x" * 1000)
_PDF = OutgoingFile("bukti.pdf", "application/pdf", b"%PDF-1.7")


@pytest.fixture(autouse=True)
async def open_window(graph: FakeWhatsApp) -> None:
    await graph.say("halo")
    graph.webhooks.clear()


def _choices(count: int, title: str = "Pilihan {}") -> list[tuple[str, str]]:
    return [(f"41:{number}", title.format(number)) for number in range(count)]


async def _failure(whatsapp: WhatsApp, message: Outgoing | None = None) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await whatsapp.send([_PHONE], message or Outgoing("halo"))
    return caught.value


def test_it_is_a_channel(whatsapp: WhatsApp) -> None:
    channel: Channel = whatsapp
    assert channel.name == "whatsapp"


async def test_text(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    sent = await whatsapp.send([_PHONE], Outgoing("https://sidoarjokab.go.id", tag="outbox-41"))
    assert [kept_id(message.id) for message in graph.messages] == [sent]
    assert graph.messages[0].payload == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": CITIZEN,
        "biz_opaque_callback_data": "outbox-41",
        "type": "text",
        "text": {"body": "https://sidoarjokab.go.id", "preview_url": False},
    }


async def test_longest_text(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await whatsapp.send([_PHONE], Outgoing("x" * whatsapp.capabilities.text))
    assert len(graph.messages[0].text) == 4096
    assert (await _failure(whatsapp, Outgoing("x" * 4097))).failure is SendFailure.PAYLOAD


async def test_a_bsuid_is_the_recipient_and_the_best_address_is_taken(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await whatsapp.send([_BSUID, _PHONE], Outgoing("halo"))
    assert graph.messages[0].payload["recipient"] == _BSUID.value
    assert "to" not in graph.messages[0].payload


async def test_no_address(whatsapp: WhatsApp) -> None:
    with pytest.raises(SendFailed) as caught:
        await whatsapp.send([Address("chat", "5001")], Outgoing("halo"))
    assert caught.value.failure is SendFailure.RECIPIENT


async def test_buttons_come_back_as_a_choice(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await whatsapp.send([_PHONE], Outgoing("x" * 1024, _choices(3, "x" * 19 + "{}")))
    assert graph.messages[0].payload["interactive"]["type"] == "button"
    await graph.tap(2)
    (update,) = whatsapp.split(graph.webhooks[-1])
    assert whatsapp.parse(update.body) == Message(choice=ChosenReply(41, 2, "x" * 19 + "2"))


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("pilih", _choices(10, "x" * 22 + "{:02}")),
        ("pilih", _choices(2, "x" * 23 + "{}")),
        ("x" * 1025, _choices(2)),
        ("pilih", [("41:0", "sama"), ("41:1", "sama")]),
    ],
    ids=["many", "long titles", "long text", "equal titles"],
)
async def test_what_buttons_cannot_show_is_a_list(
    whatsapp: WhatsApp, graph: FakeWhatsApp, text: str, choices: list[tuple[str, str]]
) -> None:
    await whatsapp.send([_PHONE], Outgoing(text, choices))
    assert graph.messages[0].payload["interactive"]["type"] == "list"
    assert graph.messages[0].choices == choices
    await graph.tap(1)
    (update,) = whatsapp.split(graph.webhooks[-1])
    assert whatsapp.parse(update.body) == Message(choice=ChosenReply(41, 1, choices[1][1]))


async def test_too_many_rows_are_our_mistake(whatsapp: WhatsApp) -> None:
    failed = await _failure(whatsapp, Outgoing("pilih", _choices(11)))
    assert (failed.failure, failed.code) == (SendFailure.PAYLOAD, 131009)


async def test_picture_with_caption(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await whatsapp.send([_PHONE], Outgoing("ini buktinya", file=_JPEG))
    image = graph.messages[0].payload["image"]
    assert image["caption"] == "ini buktinya"
    assert graph.media[image["id"]].content == _JPEG.content


async def test_document_keeps_its_name(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await whatsapp.send([_PHONE], Outgoing("", file=_PDF))
    document = graph.messages[0].payload["document"]
    assert document["filename"] == "bukti.pdf"
    assert graph.media[document["id"]].content_type == "application/pdf"


async def test_a_picture_over_five_megabytes_is_our_mistake(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    large = OutgoingFile("bukti.jpg", "image/jpeg", b"x" * (5 * 1024 * 1024 + 1))
    failed = await _failure(whatsapp, Outgoing("", file=large))
    assert (failed.failure, failed.code) == (SendFailure.PAYLOAD, 131053)


async def test_file_above_buttons(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await whatsapp.send([_PHONE], Outgoing("sudah benar?", _choices(2), file=_JPEG))
    (sent,) = graph.messages
    assert sent.payload["interactive"]["header"]["type"] == "image"


@pytest.mark.parametrize(("text", "choices"), [("x" * 1025, []), ("pilih", _choices(4))], ids=["long caption", "list"])
async def test_what_cannot_stand_under_a_file_follows_it(
    whatsapp: WhatsApp, graph: FakeWhatsApp, text: str, choices: list[tuple[str, str]]
) -> None:
    sent = await whatsapp.send([_PHONE], Outgoing(text, choices, file=_PDF, tag="outbox-41"))
    assert graph.messages[0].payload["type"] == "document"
    assert [(message.text, message.choices) for message in graph.messages] == [("", []), (text, choices)]
    assert kept_id(graph.messages[1].id) == sent
    assert "biz_opaque_callback_data" not in graph.messages[0].payload


async def test_template_outside_the_window(whatsapp: WhatsApp, graph: FakeWhatsApp, clock: Clock) -> None:
    clock.advance(timedelta(hours=25))
    template = Template("kabar_permohonan", "id", ["Permohonan selesai.\n\nAmbil di    loket\t3."])
    await whatsapp.send([_PHONE], Outgoing("", template=template))
    assert graph.messages[0].payload["template"]["language"] == {"code": "id"}
    assert graph.messages[0].text == "Permohonan selesai. Ambil di loket 3."


async def test_unknown_template(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    graph.templates = {("lain", "id")}
    failed = await _failure(whatsapp, Outgoing("", template=Template("kabar", "id", ["x"])))
    assert (failed.failure, failed.code) == (SendFailure.PAYLOAD, 132001)


async def test_the_window_closes_after_a_day(whatsapp: WhatsApp, graph: FakeWhatsApp, clock: Clock) -> None:
    clock.advance(timedelta(hours=24))
    await whatsapp.send([_PHONE], Outgoing("masih boleh"))
    clock.advance(timedelta(seconds=1))
    failed = await _failure(whatsapp)
    assert (failed.failure, failed.code) == (SendFailure.WINDOW_CLOSED, 131047)
    await graph.say("halo lagi")
    await whatsapp.send([_PHONE], Outgoing("boleh lagi"))


async def test_the_window_may_be_told_later(whatsapp: WhatsApp, graph: FakeWhatsApp, clock: Clock) -> None:
    graph.window_refusal = "later"
    clock.advance(timedelta(hours=25))
    sent = await whatsapp.send([_PHONE], Outgoing("terlambat", tag="outbox-41"))
    (delivery,) = await _deliveries(whatsapp, graph, 1)
    assert delivery.provider_id == sent
    assert (delivery.state, delivery.failure) == (DeliveryState.FAILED, SendFailure.WINDOW_CLOSED)
    assert delivery.tag == "outbox-41"
    assert graph.messages == []


async def test_deliveries_tell_state_tag_and_price(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    graph.statuses = ("sent", "delivered", "read")
    sent = await whatsapp.send([_PHONE], Outgoing("halo", tag="outbox-41"))
    deliveries = await _deliveries(whatsapp, graph, 3)
    assert [delivery.state for delivery in deliveries] == [
        DeliveryState.SENT,
        DeliveryState.DELIVERED,
        DeliveryState.READ,
    ]
    assert {(delivery.provider_id, delivery.tag) for delivery in deliveries} == {(sent, "outbox-41")}
    assert [delivery.billable for delivery in deliveries] == [None, True, None]


async def _deliveries(whatsapp: WhatsApp, graph: FakeWhatsApp, count: int) -> list[Delivery]:
    bodies = await graph.wait_webhooks(count)
    events = [whatsapp.parse(update.body) for body in bodies for update in whatsapp.split(body)]
    return [event for event in events if isinstance(event, Delivery)]


@pytest.mark.parametrize(("code", "failure"), sorted(CODES.items()))
async def test_every_code_of_metas(whatsapp: WhatsApp, graph: FakeWhatsApp, code: int, failure: SendFailure) -> None:
    graph.fail(code)
    failed = await _failure(whatsapp)
    assert (failed.failure, failed.code) == (failure, code)
    assert graph.messages == []


def test_an_unknown_code_goes_by_its_status() -> None:
    def failure(status: int, body: Any = None) -> SendFailure:
        return refusal(status, body).failure

    unknown = {"error": {"code": 987654, "message": "new"}}
    assert failure(400, unknown) is SendFailure.PAYLOAD
    assert failure(403, unknown) is SendFailure.OPERATOR
    assert failure(429, unknown) is SendFailure.CHANNEL_BUSY
    assert failure(500, unknown) is SendFailure.RETRY
    assert failure(503) is SendFailure.RETRY
    assert failure(502) is SendFailure.UNKNOWN
    assert failure(401, {"error": "odd"}) is SendFailure.OPERATOR


def test_a_refusal_hides_numbers() -> None:
    failed = refusal(400, {"error": {"code": 100, "message": "Recipient 6281234500001 is not valid"}})
    assert failed.detail == "Recipient [nomor] is not valid"


async def test_the_pair_rate_pauses_one_person_longer_each_time(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    graph.fail(131056, times=5)
    pauses = [(await _failure(whatsapp)).retry_after for _ in range(5)]
    assert pauses == [timedelta(seconds=seconds) for seconds in (4, 16, 64, 256, 300)]
    await whatsapp.send([_PHONE], Outgoing("halo"))
    graph.fail(131056)
    assert (await _failure(whatsapp)).retry_after == timedelta(seconds=4)
    graph.fail(131056)
    with pytest.raises(SendFailed) as caught:
        await whatsapp.send([Address("phone", "+6281234500002")], Outgoing("halo"))
    assert caught.value.retry_after == timedelta(seconds=4)


async def test_an_expired_token_is_the_operators(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    graph.token = "baru"
    failed = await _failure(whatsapp)
    assert (failed.failure, failed.code) == (SendFailure.OPERATOR, 190)


async def test_a_gateway_in_trouble(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    graph.fail(status=502)
    assert (await _failure(whatsapp)).failure is SendFailure.UNKNOWN
    graph.fail(status=503)
    assert (await _failure(whatsapp)).failure is SendFailure.RETRY


async def test_no_answer_leaves_it_unknown(
    whatsapp: WhatsApp, graph: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whatsapp_channel, "_TIMEOUT", aiohttp.ClientTimeout(sock_read=0.2))
    graph.hang()
    assert (await _failure(whatsapp)).failure is SendFailure.UNKNOWN
    assert len(graph.messages) == 1


async def test_no_connection_sends_nothing(graph: FakeWhatsApp, unused_tcp_port: int) -> None:
    settings = WhatsAppSettings("t", "1", "s", "v", api_url=f"http://127.0.0.1:{unused_tcp_port}")
    async with aiohttp.ClientSession() as session:
        assert (await _failure(WhatsApp(settings, session))).failure is SendFailure.RETRY


async def test_trouble_with_an_upload_has_sent_nothing(
    whatsapp: WhatsApp, graph: FakeWhatsApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.hang(at="/media")
    with monkeypatch.context() as hurried:
        hurried.setattr(whatsapp_channel, "_TIMEOUT", aiohttp.ClientTimeout(sock_read=0.2))
        assert (await _failure(whatsapp, Outgoing("", file=_PDF))).failure is SendFailure.RETRY
    assert graph.messages == []
    empty = OutgoingFile("kosong.pdf", "application/pdf", b"")
    assert (await _failure(whatsapp, Outgoing("", file=empty))).failure is SendFailure.PAYLOAD


async def _received_file(whatsapp: WhatsApp, graph: FakeWhatsApp, content: bytes) -> FileReference:
    await graph.send_photo(content, caption="KK saya")
    event = whatsapp.parse(whatsapp.split(graph.webhooks[-1])[0].body)
    assert isinstance(event, Message)
    assert event.file is not None
    assert event.file.caption == "KK saya"
    return event.file


async def test_download(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    file = await _received_file(whatsapp, graph, b"\xff\xd8 foto")
    assert await whatsapp.download(file) == b"\xff\xd8 foto"


async def test_download_asks_for_a_fresh_address_once(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    file = await _received_file(whatsapp, graph, b"foto")
    graph.stale_urls = 1
    assert await whatsapp.download(file) == b"foto"
    graph.stale_urls = 2
    await _no_download(whatsapp, file, SendFailure.RETRY)


async def test_download_of_what_is_gone_or_too_large(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await _no_download(whatsapp, FileReference("123", "x", "image/jpeg", None), SendFailure.RECIPIENT)
    largest = await _received_file(whatsapp, graph, b"x" * (16 * 1024 * 1024))
    assert len(await whatsapp.download(largest)) == 16 * 1024 * 1024
    too_large = await _received_file(whatsapp, graph, b"x" * (16 * 1024 * 1024 + 1))
    await _no_download(whatsapp, too_large, SendFailure.RECIPIENT)


async def test_download_when_meta_is_in_trouble(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    file = await _received_file(whatsapp, graph, b"foto")
    for at, code, status in ((file.reference, 190, None), (file.reference, 2, 500), ("/_media/", None, 502)):
        graph.fail(code, status=status, at=at)
        await _no_download(whatsapp, file, SendFailure.RETRY)


async def test_a_broken_file_is_not_taken(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    file = await _received_file(whatsapp, graph, b"foto")
    graph.told_sha256 = hashlib.sha256(b"lain").hexdigest()
    await _no_download(whatsapp, file, SendFailure.RETRY)


async def _no_download(whatsapp: WhatsApp, file: FileReference, failure: SendFailure) -> None:
    with pytest.raises(SendFailed) as caught:
        await whatsapp.download(file)
    assert caught.value.failure is failure


@pytest.mark.parametrize("redirected", [False, True])
@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:{port}/rahasia",  # another name of this machine
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:{port}/rahasia",
        "https://127.0.0.1:{port}/rahasia",
        "https://fbsbx.com.penyerang.example/x",
        "https://penyerang.example/.fbsbx.com",
        "https://lookaside.fbsbx.com@penyerang.example/x",
        "file:///etc/passwd",
        "//penyerang.example/x",
        "http://lookaside.fbsbx.com/x",
        "http://[",
    ],
)
async def test_a_file_is_fetched_from_metas_hosts_only(
    whatsapp: WhatsApp, graph: FakeWhatsApp, unused_tcp_port: int, address: str, redirected: bool
) -> None:
    file = await _received_file(whatsapp, graph, b"foto")
    elsewhere = address.format(port=unused_tcp_port)
    if redirected:
        graph.redirects = [elsewhere]
    else:
        graph.told_url = elsewhere
    # Not RETRY: nothing was asked there, so nothing can have failed.
    await _no_download(whatsapp, file, SendFailure.RECIPIENT)


async def test_a_redirect_among_metas_hosts_is_followed_a_few_times(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    file = await _received_file(whatsapp, graph, b"foto")
    graph.redirects = [""]
    assert await whatsapp.download(file) == b"foto"
    graph.redirects = ["?"] * 10
    await _no_download(whatsapp, file, SendFailure.RETRY)


@pytest.mark.parametrize("media", ["", "../me", "1/../../v1/apps", "1?fields=x", "1#x", "%2e%2e", "1\n2", "9" * 300])
async def test_what_is_no_id_of_a_file_is_not_asked_for(whatsapp: WhatsApp, graph: FakeWhatsApp, media: str) -> None:
    await _no_download(whatsapp, FileReference(media, "x", "image/jpeg", None), SendFailure.RECIPIENT)


async def test_acknowledge_marks_as_read_and_types(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    wamid = await graph.say("halo")
    await whatsapp.acknowledge(whatsapp.split(graph.webhooks[-1])[0].body)
    assert graph.acknowledged == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": wamid,
            "typing_indicator": {"type": "text"},
        }
    ]


async def test_acknowledge_types_nothing_where_no_answer_follows(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    await graph.say("halo")
    answered = asyncio.Event()
    answered.set()
    await whatsapp.acknowledge(whatsapp.split(graph.webhooks[-1])[0].body, answered)
    assert graph.acknowledged == []


async def test_acknowledge_never_raises(whatsapp: WhatsApp, graph: FakeWhatsApp, unused_tcp_port: int) -> None:
    await graph.say("halo")
    update = whatsapp.split(graph.webhooks[-1])[0].body
    graph.fail(190)
    await whatsapp.acknowledge(update)
    await whatsapp.acknowledge({"malformed": 1})
    nobody = WhatsAppSettings("t", "1", "s", "v", api_url=f"http://127.0.0.1:{unused_tcp_port}")
    async with aiohttp.ClientSession() as session:
        await WhatsApp(nobody, session).acknowledge(update)


async def test_the_end_of_the_token_is_what_meta_says(whatsapp: WhatsApp, graph: FakeWhatsApp) -> None:
    assert await whatsapp.token_ends() is None
    graph.token_expires_at = 1798700000
    assert await whatsapp.token_ends() == datetime.fromtimestamp(1798700000, UTC)
    graph.fail(190, at="/debug_token")
    assert await whatsapp.token_ends() is None
