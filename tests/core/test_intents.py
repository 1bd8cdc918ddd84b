"""What people mean, in many languages: a table of sentences, by rules alone and with a scripted model."""

# ruff: noqa: RUF001  words of many languages

from typing import Any

import pytest

from bot.agents.intent import IntentAnswer, understand
from bot.core.inference import Completion, Prompt
from bot.core.intents import Intent, OfferedCommand, by_rules, checked, own_words

READS = [
    *(
        "duplicates",
        "related",
        "explain",
        "plan",
        "standup",
        "catch-up",
        "summary",
        "config",
        "help",
        "memory",
    ),
    *("why", "blockers"),
]
WRITES = ["triage", "review", "fix", "pause", "resume", "ignore", "resolve", "undo", "describe", "remember"]
OFFERED = [OfferedCommand(name, f"does {name}", name in READS) for name in (*READS, *WRITES)]

TABLE = """
en ! duplicates        Can you check whether this was reported before?
en ! duplicates        is this a duplicate of something?
en ? duplicates        I have a feeling somebody else ran into exactly this last month
en ! related           Are there any similar issues?
en ! explain           could you explain this code to me please?
en ! plan              please make a plan for this
en ! plan              Can we break this down into smaller pieces?
en ! standup           what moved this week, and what is stuck?
en ! catch-up          I was on holiday. What did I miss?
en ! catch-up 2026-11-02   what happened since 2026-11-02?
en ! summary           Summarize the changes of this branch for me
en ! help              hey, what can you do?
en ! config            show me your settings
en ! blockers v1.0     What blocks v1.0?
en ! review            please review this again, I pushed
en ! fix 2             could you fix finding 2?
en ! undo              oops, undo that please
en ! pause             stop reviewing for now
en ! describe          suggest a better title
en ? triage            which drawer does this belong into? put it there
en ? ask               why was this reported before the release?
en ? ask               please do not review this yet
en ? ask               who wrote the parser?
en ? ask               How does the retry queue work?
en ? remember          from now on keep in mind: tabs, not spaces
de ! duplicates        Wurde das schon einmal gemeldet?
de ! duplicates        gibt es dazu bereits ein Ticket?
de ? duplicates        kommt mir bekannt vor, hatten wir das nicht neulich?
de ! related           Gibt es ähnliche Issues?
de ! explain           Erkläre mir bitte diese Funktion
de ! plan              Mach bitte einen Plan dafür
de ! catch-up          Was habe ich verpasst?
de ! catch-up          Fasse mir bitte die Diskussion zusammen
de ! standup           Wie ist der Stand der Dinge?
de ! summary           was ändert dieser PR?
de ! blockers 2.0      Was blockiert 2.0?
de ! review            Schau dir den PR bitte noch mal an... überprüfe die Änderungen
de ! fix               behebe bitte den Fehler
de ! undo              Mach das bitte rückgängig: nimm das zurück
de ! help              Was kannst du alles?
de ? ask               Warum wurde das schon gemeldet?
de ? ask               bitte noch nicht reviewen
de ? ask               Wer kennt sich mit dem Parser aus?
de ? describe          Der Name oben ist Mist, fällt dir was ein?
fr ! duplicates        Est-ce que ça a déjà été signalé ?
fr ! duplicates        c'est un doublon ?
fr ! related           Y a-t-il des problèmes similaires ?
fr ! explain           Peux-tu m'expliquer ce code ?
fr ! plan              Fais-moi un plan : prépare un plan de travail
fr ! catch-up          Qu'est-ce que j'ai manqué ?
fr ! catch-up          Résume la discussion, s'il te plaît
fr ! standup           Où en est le projet ?
fr ! blockers v3       Qu'est-ce qui bloque v3 ?
fr ! review            relis cette PR
fr ! fix               corrige l'erreur
fr ! undo              annule ça
fr ! help              Que sais-tu faire ?
fr ? ask               Pourquoi est-ce un doublon ?
fr ? ask               Ne corrige pas ça, s'il te plaît
fr ? ask               Qui a écrit l'analyseur ?
fr ? triage            range ça où il faut
es ! duplicates        ¿Ya se ha reportado esto?
es ! duplicates        ¿es un duplicado?
es ! related           ¿Hay algo parecido?
es ! explain           Explica este código, por favor
es ! plan              Haz un plan para esto
es ! catch-up          ¿Qué me perdí?
es ! catch-up          Resume la discusión
es ! standup           ¿Cómo va el proyecto?
es ! summary           ¿Qué cambia este PR?
es ! blockers 1.2      ¿Qué bloquea 1.2?
es ! review            revisa los cambios otra vez
es ! fix               arregla esto
es ! undo              deshaz eso
es ! help              ¿Qué puedes hacer?
es ? ask               ¿Por qué es un duplicado?
es ? ask               no hagas nada, no quiero que revises: revisa los cambios mañana
es ? ask               ¿Quién mantiene el analizador?
zh ! duplicates        这个问题有人报过吗？
zh ! duplicates        请查一下有没有重复
zh ! related           有没有类似的问题？
zh ! explain           解释一下这段代码
zh ! plan              请制定一个计划
zh ! catch-up          我错过了什么？
zh ! catch-up          总结一下讨论
zh ! standup           项目进展怎么样？
zh ! blockers v1.0     什么阻塞了 v1.0 ？
zh ! review            请再审一遍
zh ! fix               修复一下
zh ! undo              撤销刚才的操作
zh ! help              你能做什么？
zh ? ask               为什么说这是重复的？
zh ? ask               先不要审查一下
zh ? ask               谁写的解析器？
zh ? pause             让我安静地改几天
ja ! duplicates        これは既に報告されていますか？
ja ! duplicates        重複していないか、重複を調べて
ja ! related           似たような issue はありますか
ja ! explain           このコードを説明してください
ja ! plan              作業計画をお願いします
ja ! catch-up          議論をまとめてください
ja ! standup           プロジェクトの状況を教えて
ja ! summary           変更点をまとめて
ja ! blockers v2.0     v2.0 を何がブロックしていますか
ja ! review            もう一度レビューしてください
ja ! fix               修正してください
ja ! undo              さっきのを取り消してください
ja ! help              何ができますか？
ja ? ask               なぜ重複なのですか？
ja ? ask               誰がパーサーを書きましたか？
pt ! duplicates        Isso já foi reportado?
pt ! catch-up          O que eu perdi?
pt ! standup           como está o projeto?
pt ! undo              desfaça isso
pt ? ask               Quem mantém o analisador?
it ! duplicates        È già stato segnalato?
it ! plan              fai un piano
it ! catch-up          Cosa mi sono perso?
it ! explain           cosa fa questo codice?
it ? ask               Perché è un duplicato?
ru ! duplicates        Об этом уже сообщали?
ru ! catch-up          Что я пропустил?
ru ! blockers          Что блокирует релиз?
ru ? ask               Кто написал парсер?
ko ! help              무엇을 할 수 있나요?
nl ? catch-up          praat me even bij
pl ? duplicates        czy ktoś już to zgłaszał u nas?
""".strip().splitlines()


def row(line: str) -> tuple[bool, str, str, str]:
    """(whether rules are sure, the command, its argument, the sentence)"""
    head, _, said = line.partition("  ")
    _, rules, name, *argument = head.split()
    return rules == "!", name, " ".join(argument), said.strip()


class Scripted:
    """A model that says what the table says."""

    def __init__(self, command: str, argument: str = "") -> None:
        self.says, self.asked = IntentAnswer(command=command, argument=argument), 0
        self.prompt: Prompt[Any] | None = None

    async def __call__(self, prompt: Prompt[Any], /, on_text: Any = None) -> Completion[Any]:
        self.asked += 1
        self.prompt = prompt
        return Completion(self.says, host="mini", model="m")


async def nobody(prompt: Prompt[Any], /, on_text: Any = None) -> Completion[Any]:
    return Completion(failure="no_host", reason="no host answers")


def test_the_table_is_of_120_sentences_in_many_languages() -> None:
    assert len(TABLE) >= 120
    assert len({line.split()[0] for line in TABLE}) >= 6


@pytest.mark.parametrize("line", TABLE)
async def test_a_sentence_is_understood(line: str) -> None:
    sure, name, argument, said = row(line)
    model = Scripted(name, argument)
    meant, _ = await understand(said, "in an issue", OFFERED, model)
    assert (meant.name or "ask", meant.argument) == (name, argument)
    assert model.asked == (0 if sure else 1)
    alone, _ = await understand(said, "in an issue", OFFERED, nobody)
    assert alone.name in (name, "")
    assert not sure or alone == meant


@pytest.mark.parametrize("line", [line for line in TABLE if row(line)[0]])
async def test_A7_what_is_not_offered_is_a_question_whoever_says_it(line: str) -> None:
    _, name, _, said = row(line)
    fewer = [one for one in OFFERED if one.name != name]
    assert (await understand(said, "in an issue", fewer, Scripted(name)))[0].name == ""


@pytest.mark.parametrize(
    ("named", "argument", "line"),
    [
        ("fix", "2", "fix 2"),
        ("/hob fix", "2", "fix 2"),
        ("fix", "all", ""),
        ("fix", "2 all", ""),
        ("fix", "22", ""),
        ("fix", "x" * 300, ""),
        ("fix", "", "fix"),
        ("explain", "src/Tea.py:3", "explain src/Tea.py:3"),
        ("explain", "src/", "explain src/"),
        ("explain", "ea.py", "explain"),
        ("explain", "../etc/passwd", "explain"),
        ("explain", "please\n2", "explain please 2"),
        ("catch-up", "2 please", "catch-up"),
        ("Fix", "2", ""),
        ("deploy", "", ""),
        ("ask", "", ""),
    ],
)
def test_P4_a_models_choice_is_held_to_the_offers_and_the_persons_words(
    named: str, argument: str, line: str
) -> None:
    said = "please look at 2 in src/tea.py:3, thanks"
    assert checked(Intent(named, argument), said, OFFERED).line == line


def test_arguments_in_scripts_without_blanks_stand_inside_of_words() -> None:
    meant = checked(Intent("duplicates", "茶壶"), "请看看茶壶的问题", OFFERED)
    assert meant.argument == "茶壶"


@pytest.mark.parametrize(
    "quoting",
    ["> undo that", "```\nundo that\n```", "<!-- undo that -->", "![undo that](x)", "<i title='undo that'>",
     "# undo that", "    undo that", "<details>\nundo that\n</details>", "On Monday eve wrote:\nundo that",
     "\U000e0075ndo\u200b", "<!-- undo that", "<blockquote>\n\nundo that\n\n</blockquote>"],
)  # fmt: skip
def test_P2_what_a_person_quotes_or_nobody_sees_does_not_choose(quoting: str) -> None:
    said = own_words(f"hm\n\n{quoting}\n")
    assert "undo that" not in said
    assert by_rules(said, OFFERED) == Intent()
