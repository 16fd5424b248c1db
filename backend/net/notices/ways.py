"""Delivers notices: as JSON to a URL, as a message of a Telegram bot, as an e-mail.

https://core.telegram.org/bots/api#sendmessage. E-mail goes by `smtplib` in a thread: there is little of it.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp

from backend.clock import iso
from backend.errors import NoticeNotDelivered
from backend.net.rest.requester import Session
from backend.trading.notice import Notice

SECONDS = 15.0
"""Time limit of a delivery."""
SMTPS_PORT, SMTP_PORT = 465, 587


class WebhookWay:
    """POSTs a notice as JSON. Any 2xx is a delivery."""

    def __init__(self, url: str, session: Session) -> None:
        self._url = url
        self._session = session

    async def send(self, title: str, text: str, notice: Notice) -> None:
        body = {
            "topic": notice.topic.value,
            "title": title,
            "text": text,
            "about": notice.about,
            "time": iso(notice.time),
            "count": notice.count,
        }
        await _posted(self._session, self._url, body)


class TelegramWay:
    """A message of a bot to a chat."""

    def __init__(self, base_url: str, token: str, chat: str, session: Session) -> None:
        self._url = f"{base_url}/bot{token}/sendMessage"
        self._chat = chat
        self._session = session

    async def send(self, title: str, text: str, notice: Notice) -> None:  # noqa: ARG002
        body = {"chat_id": self._chat, "text": f"{title}\n{text}"}
        await _posted(self._session, self._url, body)


class EmailWay:
    """An e-mail by a server such as `smtps://user:password@mail.example:465`; `smtp` begins TLS by STARTTLS
    where the server offers it, and needs it where there is a password."""

    def __init__(self, server: str, sender: str, receiver: str) -> None:
        self._server = urlsplit(server)
        self._sender = sender
        self._receiver = receiver

    async def send(self, title: str, text: str, notice: Notice) -> None:
        message = EmailMessage()
        message["Subject"] = title
        message["From"] = self._sender
        message["To"] = self._receiver
        message.set_content(f"{text}\n\n{iso(notice.time)}")
        try:
            async with asyncio.timeout(SECONDS * 2):
                await asyncio.to_thread(self._deliver, message)
        except (OSError, smtplib.SMTPException, TimeoutError) as error:
            raise NoticeNotDelivered(f"the mail server: {type(error).__name__}") from error

    def _deliver(self, message: EmailMessage) -> None:
        server, context = self._server, ssl.create_default_context()
        host, is_encrypted = server.hostname or "", server.scheme == "smtps"
        port = server.port or (SMTPS_PORT if is_encrypted else SMTP_PORT)
        made: smtplib.SMTP
        if is_encrypted:
            made = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        else:
            made = smtplib.SMTP(host, port, timeout=SECONDS)
        with made as smtp:
            smtp.ehlo()
            if not is_encrypted and (smtp.has_extn("starttls") or server.password):
                smtp.starttls(context=context)
            if server.username:
                smtp.login(unquote(server.username), unquote(server.password or ""))
            smtp.send_message(message)


async def _posted(session: Session, url: str, body: Mapping[str, Any]) -> None:
    """POST JSON. The error shows nothing of the address: it may have a secret."""
    try:
        async with (
            asyncio.timeout(SECONDS),
            session.post(url, json=body, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise NoticeNotDelivered(type(error).__name__) from None
    if not 200 <= status < 300:
        raise NoticeNotDelivered(f"HTTP {status}")
