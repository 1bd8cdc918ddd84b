"""Where an answer by e-mail ends and the mail that it answers begins, where the mail program set no `>`.

There is no standard: programs write an attribution ("On … wrote:"), a rule with words in it, or the first
lines of the old mail's head, each in the reader's language; GitHub's own mails end in a line that nobody else
writes. What stands below is somebody else's text, however it looks. https://datatracker.ietf.org/doc/html/rfc3676#section-4.5
"""

import re
from collections.abc import Sequence

_MOST_CHARS = 400
"""Of a line, or of lines that belong together: an attribution is never longer."""
_WRAPPED = 4
"""Lines over which a mail program wraps an attribution, and within which the head of a mail shows itself."""

# `-----Original Message-----`, `---------- Forwarded message ---------`, `Begin forwarded message:`
_RULED = re.compile(
    r"[-_=*]{5,} ?[^\W\d][^-_=*]{1,60} ?[-_=*]{5,}"
    r"|[-_=*]{2,} ?(?:original|forwarded) message ?[-_=*]{2,}"
)
_BEGUN = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten|début du message|inicio del mensaje)\b"
)
_DASHES = "\N{EN DASH}\N{EM DASH}"
_COLONS = ":\N{FULLWIDTH COLON}"
_RULE = re.compile(rf"[-_=*{_DASHES}]{{5,}}")
# Nobody but a mail program or GitHub's own mails writes these.
_FOOTS = re.compile(
    rf"[-{_DASHES}_ ]{{0,3}}"
    r"(?:reply to this e-?mail directly|you are receiving this because|message id: ?<|get outlook for "
    r"|sent (?:from my|from mail for|from outlook|via) |gesendet von |von meinem \w{1,20} gesendet"
    r"|envoyé de(?:puis)? mon |enviado desde mi |enviado do meu |inviato da(?:l mio)? |verzonden vanaf mijn )"
)

_FROM = (
    "from|von|de|da|van|från|fra|od|lähettäjä|от|від|发件人|發件人|寄件者|差出人|送信元|보낸 사람"
    "|kimden|gönderen|feladó|expéditeur|remitente|afzender|nadawca|odesílatel|מאת|من"
)
_OTHERS = (
    "sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|para|asunto|fecha|assunto|data"
    "|inviato|a|oggetto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|odesláno|komu"
    "|předmět|отправлено|дата|кому|тема|发送时间|收件人|主题|傳送時間|寄件日期|收件者|主旨|送信日時|宛先|件名|날짜"
    "|받는 사람|제목|tarih|kime|konu|elküldve|címzett|tárgy|lähetetty|vastaanottaja|aihe"
)
_HEAD = re.compile(rf"[*_> ]{{0,4}}(?:{_FROM})[*_ ]{{0,4}}[{_COLONS}][*_ ]{{0,4}}\S")
_HEAD_TOO = re.compile(rf"[*_> ]{{0,4}}(?:{_OTHERS})[*_ ]{{0,4}}[{_COLONS}]")

_WROTE = re.compile(
    r"wrote|writes|schrieb|a écrit|escribió|escribio|ha scritto|escreveu|schreef|skrev|napisał|пишет|написал"
    r"|писал|пише|写道|寫道|写了|書きました|のメール|作成|작성"
    r"|yazd\N{LATIN SMALL LETTER DOTLESS I}|kirjoitti|napsal|napísal"
    r"|ezt írta|írta|a scris|έγραψε|đã viết|menulis|כתב|كتب"
)
_WHEN_OR_WHO = re.compile(r"(?:19|20)\d\d|\d[:.h]\d\d|\S@\S")


def quoted_from(lines: Sequence[str]) -> int:
    """The first line (from 0) of what an answering mail quotes; `len(lines)` where it quotes nothing."""
    known = [line.strip(" \t*_>")[:_MOST_CHARS].casefold() if line else "" for line in lines]
    bare = [line.strip()[:_MOST_CHARS].casefold() for line in lines]
    for number, line in enumerate(known):
        if bare[number] and (
            _FOOTS.match(bare[number])
            or _RULED.fullmatch(bare[number])
            or _BEGUN.match(line)
            or _is_head(bare, number)
            or _is_attribution(known, number)
        ):
            return number
    return len(lines)


def _is_head(lines: Sequence[str], number: int) -> bool:
    """`From: …` with another line of a mail's head soon after, or a rule right before it."""
    if _RULE.fullmatch(lines[number]):
        return any(_HEAD.match(line) for line in lines[number + 1 : number + 1 + _WRAPPED])
    after = lines[number + 1 : number + 1 + _WRAPPED]
    return bool(_HEAD.match(lines[number])) and any(_HEAD_TOO.match(line) for line in after)


def _is_attribution(lines: Sequence[str], number: int) -> bool:
    """`On Mon, 1 Dec 2025 at 10:00, Ann <ann@…> wrote:`, over several lines too: who or when, a colon."""
    text = ""
    for line in lines[number : number + _WRAPPED]:
        if not line or len(text) > _MOST_CHARS:
            return False
        text = f"{text} {line}".strip()
        if text.endswith(tuple(_COLONS)):
            return bool(_WROTE.search(text) and _WHEN_OR_WHO.search(text))
    return False
