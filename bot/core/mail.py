"""Where a mailer's quotation begins in an answer by e-mail: what it appends without `>` are other people's
words, and whatever they ask for is not asked by who answered.

Mailers of many languages separate in one of few ways: a ruled title (`-----Original Message-----`), a long
line of underscores, a head of a letter (`From:`, then `Sent:` or another of its fields), a sentence that ends
with a colon and says who wrote when (over up to four lines), GitHub's own footer, a signature's mark.
https://docs.github.com/en/account-and-profile/managing-subscriptions-and-notifications-on-github
"""

# ruff: noqa: RUF001  words of many languages

import re
from collections.abc import Sequence

from bot.core.markdown_blocks import Block

_LONGEST = 600
"""Characters of a line, and of a sentence wrapped over lines, that are looked at."""
_WRAPPED = 4

_RULES = "-\u2010\u2011\u2012\u2013\u2014\u2015_="
_TITLE = re.compile(
    r"(?:begin )?forwarded message|original message|ursprüngliche nachricht|message d['’]origine"
    r"|mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht",
    re.IGNORECASE,
)
# Whole sentences, wherever on a line they begin: GitHub's footer, forwarding, telephones, "reply above".
_SAID = re.compile(
    r"""[\W_]{0,10}(?:
      reply\ to\ this\ (?:e-?mail|message)\b | you\ are\ receiving\ this\ because\b
    | view\ (?:it|this\ email)\ (?:on|in)\b
    | message\ id:\s*< | unsubscribe\b.{0,20}$ | triage\ notifications\b
    | (?:please\ )?(?:type|write|enter|add|send)?\W{0,3}(?:your\ )?repl(?:y|ies)\ above\ this\ line
    | (?:begin\ )?forwarded\ message\b.{0,40}$ | original\ message\W{0,10}$
    | (?:anfang\ der\ )?weitergeleiteten?\ nachricht\b.{0,40}$ | ursprüngliche\ nachricht\W{0,10}$
    | début\ du\ message\ (?:réexpédié|transféré)\b.{0,40}$ | (?:inicio\ del\ )?mensaje\ reenviado\b.{0,40}$
    | (?:inizio\ (?:del\ )?)?messaggio\ inoltrato\b.{0,40}$ | (?:begin\ )?doorgestuurd\ bericht\b.{0,40}$
    | (?:início\ da\ )?mensagem\ (?:re)?encaminhada\b.{0,40}$ | пересланное\ сообщение\b.{0,40}$
    | sent\ (?:from|with|via|using)\ (?:my\ |the\ )?(?:i?phone|ipad|ipod|android|mobile|galaxy|samsung|pixel
        |huawei|blackberry|gmail|outlook|yahoo|proton|mail\b|mailspring|thunderbird|superhuman|hey\b|spark\b|airmail)
    | get\ outlook\ for\b | download\ outlook\b
    | von\ meinem\b.{0,40}\bgesendet\b | gesendet\ (?:von|mit|über)\b.{0,60}$ | envoyé\ (?:de\ mon|depuis)\b
    | enviado\ (?:desde|do\ meu|a\ partir|de\ mi)\b | inviato\ (?:da|dal)\b | verzonden\ (?:vanaf|met)\b
    | skickat\ från\b | sendt\ fra\b | lähetetty\b.{0,20}\biphon | wysłane\ z\b | отправлено\ (?:с|из)\b
    | iPhoneから送信 | 发自我的 | 從我的.{0,20}傳送 | 나의\ .{0,20}에서\ 보냄
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_FROM = re.compile(
    r"[\W_]{0,6}(?:from|von|de|da|van|från|fra|od|lähettäjä|от|від|kimden|gönderen|feladó|από|expéditeur"
    r"|发件人|寄件者|寄件人|差出人|送信者|보낸\s?사람|مِن|من|מאת|จาก|từ|dari)[\W_]{0,4}[:：]",
    re.IGNORECASE,
)
_HEAD_FIELDS = re.compile(
    r"[\W_]{0,6}(?:sent|date|to|cc|bcc|subject|reply-to|gesendet|datum|an|kopie|betreff|envoyé|à|objet|enviado(?:\sel|\sem)?"
    r"|fecha|para|asunto|assunto|data|inviato|oggetto|a|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne"
    r"|lähetetty|vastaanottaja|aihe|wysłano|wysłane|do|temat|odesláno|komu|předmět|отправлено|дата|кому|тема"
    r"|gönderildi|gönderme\starihi|tarih|kime|konu|elküldve|címzett|tárgy|στάλθηκε|προς|θέμα"
    r"|发送时间|日期|时间|收件人|主题|寄件日期|收件者|主旨|送信日時|日時|日付|宛先|件名|보낸\s?날짜|날짜|받는\s?사람|제목"
    r"|تاريخ|إلى|الموضوع|נשלח|אל|נושא)[\W_]{0,4}[:：]",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|schreibt|a\sécrit|écrit|escribió|escribio|ha\sescrito|escreveu|ha\sscritto|scrive"
    r"|schreef|skrev|skriver|kirjoitti|napisał(?:a|\(a\))?|pisze|napsal(?:a|\(a\))?|napísala?|a\sscris|написала?|пишет"
    r"|пише|yazdı|írta|έγραψε|commented|replied|posted|left\sa\scomment)(?!\w)"
    r"|写道|寫道|写到|のメール|さんは書きました|書きました|작성|썼습니다|كتب|כתב",
    re.IGNORECASE,
)
_BEGUN = re.compile(
    r"[\W_]{0,4}(?:on|am|le|el|il|op|em|en|den|de|dne|dňa|w|la|в|on|tarihinde|a|στις)\s", re.IGNORECASE
)
_WHEN_OR_WHO = re.compile(r"[@<]|\*\*\*|\d{1,2}[:.hH]\d{2}|\b(?:19|20)\d\d|\d{4}\s?[年년]")
_BY = (">:", ">):", ">：", ">)：")
_DIGIT = re.compile(r"\d")
_ENDS = re.compile(r"[:：][\s*_]{0,4}$")


def separator(lines: Sequence[tuple[str, Block]]) -> int:
    """The index of the first line that is a mailer's quotation or leads into it; their number, if none is."""
    for number, (line, block) in enumerate(lines):
        if block.quoted or block.kind in ("code", "html", "blank"):
            continue
        said = line.strip("\t \u00a0\r")[:_LONGEST]
        if _is_ruled(said) or line == "-- " or _SAID.match(said) or _heads(lines, number):
            return number
        if _ENDS.search(said) and (begun := _attribution(lines, number)) is not None:
            return begun
    return len(lines)


def _is_ruled(said: str) -> bool:
    """A title between two rules, whatever language it is in, or a rule as long as Outlook's."""
    title = said.strip(_RULES + " ")
    if not title:
        return len(said) >= 20 and not said.strip("_")
    before, after = said.partition(title)[::2]
    ruled = min(len(before.strip()), len(after.strip()))
    return (ruled >= 4 and any(map(str.isalpha, title))) or (ruled >= 2 and _TITLE.match(title) is not None)


def _heads(lines: Sequence[tuple[str, Block]], number: int) -> bool:
    """Whether a letter's head begins here: who it is from, and another of its fields within three lines."""
    if not _FROM.match(lines[number][0][:_LONGEST]):
        return False
    near = [line for line, _ in lines[number + 1 : number + 7] if line.strip()][:3]
    return any(_HEAD_FIELDS.match(line[:_LONGEST]) for line in near)


def _attribution(lines: Sequence[tuple[str, Block]], last: int) -> int | None:
    """Where the sentence begins that says who wrote what comes now, and ends with the line `last`."""
    said = ""
    for number in range(last, max(-1, last - _WRAPPED), -1):
        line, block = lines[number]
        if block.quoted or block.kind not in ("prose", "heading") or line.lstrip()[:1] in "@/":
            break
        said = f"{line.strip()} {said}".strip()
        if len(said) > _LONGEST:
            break
        named = _WHEN_OR_WHO.search(said) is not None
        wrote = _WROTE.search(said) is not None
        if (wrote and (named or _BEGUN.match(said))) or (
            named and said.endswith(_BY) and _DIGIT.search(said)
        ):
            return number
    return None
