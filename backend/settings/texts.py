"""From the text of a setting to its value: pure. Each raises ValueError that says what is expected."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from backend.clock import parse_time
from backend.core.plan import whole_minutes
from backend.core.series import Series
from backend.exchanges import EXCHANGES

MONGODBS_OWN = ("admin", "local", "config")
"""Databases in which nobody keeps candles."""


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise ValueError(f"give a whole number from {lowest} to {highest}")
        return int(text)

    return read


def number(lowest: float, highest: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        message = f"give a number above {lowest:g} and up to {highest:g}"
        try:
            value = float(text)
        except ValueError as error:
            raise ValueError(message) from error
        if not lowest < value <= highest:
            raise ValueError(message)
        return value

    return read


def address(text: str) -> str:
    try:
        return str(ip_address(text)) if text else ""
    except ValueError as error:
        raise ValueError("give an address such as 127.0.0.1 or 0.0.0.0") from error


def switch(text: str) -> bool:
    if text.lower() not in ("on", "off", "true", "false"):
        raise ValueError("give on or off, or true or false")
    return text.lower() in ("on", "true")


def one_of(*known: str) -> Callable[[str], str]:
    """One of these words, in whatever case."""
    words = {word.lower(): word for word in known}

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"give one of {', '.join(known)}")
        return words[text.lower()]

    return read


def flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("give true or false")
    return text.lower() == "true"


def followed(text: str) -> tuple[Series, ...]:
    """Read exchange:market:symbol, several with commas between them."""
    return tuple(dict.fromkeys(_series(part) for part in text.split(",") if part.strip()))


def _series(text: str) -> Series:
    exchange, _, rest = text.strip().partition(":")
    market, _, symbol = rest.partition(":")
    known_market = EXCHANGES[exchange].markets.get(market) if exchange in EXCHANGES else None
    if known_market is None:
        known = (f"{one.name}:{name}" for one in EXCHANGES.values() for name in one.markets)
        raise ValueError(
            f"give series such as binance:spot:BTCUSDT, separated by commas; markets are {', '.join(known)}"
        )
    return Series(exchange, market, known_market.canonical(symbol))


def whole_minute(text: str) -> int:
    moment = parse_time(text)
    return whole_minutes(moment, moment).start


def base_url(text: str, schemes: Sequence[str] = ("https", "http")) -> str:
    message = f"give a base URL such as {schemes[0]}://api.example.com"
    try:
        parts = urlsplit(text)
        port_is_possible = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(message) from error
    plain = not (parts.query or parts.fragment or any(character.isspace() for character in text))
    if parts.scheme not in schemes or not (parts.hostname and port_is_possible and plain):
        raise ValueError(message)
    return text.rstrip("/")


def account_url(text: str) -> str:
    """Keys go there, so the way is encrypted, or does not leave this machine."""
    return _for_keys(base_url(text), "https")


def _for_keys(url: str, encrypted: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != encrypted and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError(f"give a base URL that begins with {encrypted}://: the service sends keys there")
    return url


def notify_url(text: str) -> str:
    """A URL that may have a secret in its path: no message shows it."""
    if not text:
        return ""
    try:
        return account_url(text)
    except ValueError:
        raise ValueError("give a URL that begins with https://, without a query") from None


def telegram_token(text: str) -> str:
    number, _, secret = text.partition(":")
    is_token = number.isdigit() and secret.replace("-", "").replace("_", "").isalnum()
    if text and not (is_token and text.isascii() and len(text) <= 100):
        raise ValueError("give a token of the form 123456:ABC-def, as BotFather tells it")
    return text


def telegram_chat(text: str) -> str:
    is_chat = text.removeprefix("-").isdigit() or (text.startswith("@") and text[1:].isalnum())
    if text and not (is_chat and text.isascii() and len(text) <= 50):
        raise ValueError("give the number of a chat, or @ and the name of a channel")
    return text


def smtp_url(text: str) -> str:
    """A password in it is not shown."""
    message = "give a URL such as smtps://user:password@mail.example.com:465, or smtp://"
    try:
        parts = urlsplit(text)
        port_is_possible = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError(message) from None
    beside = parts.path.strip("/") or parts.query or parts.fragment
    is_whole = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and port_is_possible
    if text and (not is_whole or beside or any(character.isspace() for character in text)):
        raise ValueError(message)
    return text


def email(text: str) -> str:
    name, _, host = text.rpartition("@")
    is_plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= 200
    if text and not (name and "." in host and is_plain):
        raise ValueError("give an e-mail address")
    return text


def master_keys(text: str) -> tuple[str, ...]:
    """Keys of 32 bytes in URL-safe base64, with commas or line ends between them; none is shown."""
    keys = tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())
    if not all(map(_is_master_key, keys)) or len(set(keys)) < len(keys):
        raise ValueError(
            "give different keys from `python -m backend new-master-key`, newest first, separated by commas"
        )
    return keys


def _is_master_key(text: str) -> bool:
    try:
        return len(text) == 44 and len(urlsafe_b64decode(text)) == 32
    except ValueError:
        return False


def socket_url(text: str) -> str:
    return base_url(text, ("wss", "ws"))


def account_socket_url(text: str) -> str:
    """The same care as for `account_url`."""
    return _for_keys(socket_url(text), "wss")


def base_path(text: str) -> str:
    parts = text.split("/")[1:]
    if text and (f"/{'/'.join(parts)}" != text or not all(map(_is_path_part, parts)) or len(text) > 200):
        raise ValueError("give a path such as /candles, without a / at the end")
    return text


def _is_path_part(text: str) -> bool:
    plain = text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return plain and text not in (".", "..")


def database_name(text: str) -> str:
    if not 0 < len(text.encode()) <= 63 or set(text) & set('/\\. "$*<>:|?\0'):
        raise ValueError("give a database name of 1 to 63 letters, digits, _ or -")
    return text


def mongodb_uri(text: str) -> str:
    if text and not text.startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError("give a URI that begins with mongodb:// or mongodb+srv://")
    if name := database_in(text):
        database_name(name)
    return text


def database_in(uri: str) -> str:
    """The database that a URI names, "" for none. MongoDB's own say only where the user is defined."""
    name = unquote(urlsplit(uri).path.removeprefix("/"))
    return "" if name in MONGODBS_OWN else name
