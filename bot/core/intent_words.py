"""Ways to ask Hob for something, in several languages: data of `bot.core.intents`.

Matched in text that is case-folded and has no punctuation but in words. `~` stands for up to three words.
Each way is one that hardly says anything else.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

_LISTED = {
    "duplicates": """
        been reported|reported ~already|already ~reported|reported before|this ~reported by|filed before
        already filed|already ~an issue for|already ~a ticket for|a duplicate|a dupe
        duplicate of another|find ~duplicates|any duplicates|for duplicates|known bug already
        a known issue|known problem already|seen this ~before|schon ~gemeldet|bereits ~gemeldet
        schon ~ein ticket|bereits ~ein ticket|ein duplikat|duplikate|déjà ~signalé|déjà ~signalée
        déjà ~rapporté|un doublon|doublons|déjà ~un ticket|ya ~reportado|ya ~reportó|ya ~informado
        un duplicado|duplicados|ya existe ~un issue|já ~reportado|já ~relatado|uma duplicata|duplicatas
        duplicado de|è un duplicato|duplicati|già ~segnalato|уже ~сообщали|дубликат|дубликаты
        jest duplikat|już ~zgłoszone|al ~gemeld|重复|報告過|报告过|有人报过|有没有人报|已经有人提|既出
        重複|既に報告|すでに報告|以前に報告|報告済み|중복|이미 보고
    """,
    "related": """
        related issues|related tickets|related pull requests|similar issues|similar tickets
        similar reports|anything related|anything similar|something similar|belongs together with
        ähnliche issues|ähnliche tickets|verwandte issues|etwas ähnliches|was ähnliches
        zugehörige issues|issues similaires|tickets similaires|quelque chose de similaire|tickets liés
        problèmes similaires|issues similares|issues relacionados|algo similar|algo parecido
        problemas similares|issues relacionadas|issue simili|problemi simili|похожие задачи
        похожие проблемы|类似的问题|相关的问题|相关的 issue|相关 issue|类似的 issue|关联的问题
        関連する issue|関連する課題|似たような issue|関連issue|似た課題|비슷한 이슈|관련 이슈
    """,
    "explain": """
        explain ~this code|explain ~the code|explain ~this function|explain ~this file
        explain ~these lines|explain ~this change|explain ~this line|what does this code do
        what does this function do|what does this file do|what does this line do|walk me through ~code
        erklär ~diesen code|erkläre ~diesen code|erklär ~den code|erkläre ~den code|erklär ~die funktion
        erkläre ~die funktion|erkläre ~diese funktion|was macht dieser code|was macht diese funktion
        was macht diese zeile|explique ~ce code|expliquer ~ce code|explique ~cette fonction
        expliquer ~cette fonction|que fait ce code|que fait cette fonction|explica ~este código
        explicar ~este código|explica ~esta función|explicar ~esta función|explicame este código
        qué hace este código|qué hace esta función|explique ~este código|o que faz este código
        o que essa função faz|spiega ~questo codice|spiegami ~questo codice|cosa fa questo codice
        cosa fa questa funzione|объясни ~этот код|что делает этот код|解释一下这段代码|解释这段代码
        这段代码是做什么|这个函数做什么|解释一下这个函数|解释这个函数|このコードを説明
        このコードは何をし|この関数は何をし|この関数を説明|コードを説明して|이 코드 설명
    """,
    "plan": """
        make ~a plan|make ~plan for|write ~a plan|draft ~a plan|draw up ~a plan|create ~a plan|plan this
        plan the work|a work plan|break this down|break it down|split this into ~tasks
        split this into ~steps|into smaller steps|update the plan|redo the plan|mach ~einen plan
        mache ~einen plan|erstelle ~einen plan|erstell ~einen plan|plane das|einen arbeitsplan
        einen plan erstellen|einen plan machen|in schritte zerlegen|in teilaufgaben|fais ~un plan
        faire un plan|prépare ~un plan|établir un plan|un plan de travail|en étapes|découper ~en tâches
        haz ~un plan|hacer un plan|prepara ~un plan|crea ~un plan|un plan de trabajo|divide ~en tareas
        dividir ~en tareas|faça ~um plano|fazer um plano|um plano de trabalho|fai ~un piano
        un piano di lavoro|fare un piano|составь ~план|制定一个计划|做一个计划|写一个计划|列个计划
        制定计划|工作计划|拆分成|拆成几个任务|計画を立て|計画を作|作業計画|プランを作|タスクに分割
        계획을 세워|작업 계획
    """,
    "standup": """
        a standup|the standup|standup for|standup please|a stand-up|the stand-up|daily update
        weekly update|what moved|what is stuck|what's stuck|what got done|who is waiting for a review
        who's waiting for a review|state of the project|status of the project|project status|was hängt
        was ist passiert in diesem projekt|stand des projekts|projektstand|stand der dinge
        was ging voran|was hat sich ~bewegt|où en est le projet|où en sommes-nous|état du projet
        qu'est-ce qui bloque ~projet|qu'est-ce qui a avancé|estado del proyecto|cómo va el proyecto
        qué se movió|qué avanzó|qué está atascado|estado do projeto|como está o projeto
        stato del progetto|come va il progetto|cosa è bloccato|статус проекта|что зависло|项目进展
        项目状态|项目现状|站会|每日进展|最近有什么进展|プロジェクトの状況|プロジェクトの進捗
        スタンドアップ|進捗は|進捗を教えて|프로젝트 상황|스탠드업
    """,
    "catch-up": """
        catch me up|catch up on|catch-up|up to speed|did i miss|have i missed|i've missed
        what happened here|what happened in this thread|what has happened since|what happened since
        summarize ~thread|summarise ~thread|summarize ~discussion|summarise ~discussion
        summary of ~discussion|summary of ~thread|what was decided|tl dr|tldr|was habe ich verpasst
        was hab ich verpasst|was ist hier passiert|was ist seit|fass ~diskussion zusammen
        fasse ~diskussion zusammen|fass ~thread zusammen|fasse ~thread zusammen|was wurde ~entschieden
        bring mich auf ~stand|qu'est-ce que j'ai manqué|qu'ai-je manqué|que s'est-il passé
        qu'est-ce qui s'est passé|résume ~discussion|résumer ~discussion|qu'a-t-on décidé
        résumé de ~discussion|qué me perdí|qué me he perdido|qué pasó aquí|qué ha pasado
        resume ~discusión|resumir ~discusión|resumen de ~discusión|qué se decidió|ponme al día
        o que eu perdi|o que aconteceu|resuma ~discussão|resumo da discussão|cosa mi sono perso
        cosa è successo|riassumi ~discussione|что я пропустил|что здесь произошло|подытожь ~обсуждение
        我错过了什么|错过了什么|这里发生了什么|总结一下讨论|总结一下这个讨论|总结这个讨论|总结讨论
        做了什么决定|議論をまとめ|このスレッドをまとめ|スレッドを要約|議論を要約|何がありましたか
        何が決まりました|これまでの経緯|経緯を教えて|논의 요약|무슨 일이
    """,
    "summary": """
        summarize ~pull request|summarise ~pull request|summarize ~pr|summarise ~pr|summarize ~changes
        summarise ~changes|summarize ~diff|summary of ~pull request|summary of ~changes|summary of ~pr
        walkthrough of ~change|what does this pr change|what does this pull request do
        what does this pr do|was ändert dieser pr|was ändert dieser pull request
        fass ~änderungen zusammen|fasse ~änderungen zusammen|fasse ~pull request zusammen
        fass ~pr zusammen|zusammenfassung ~änderungen|résume ~modifications|résumer ~modifications
        résume ~changements|résume ~pull request|que change cette pr|que fait cette pull request
        resume ~cambios|resumir ~cambios|resume ~pull request|qué cambia este pr
        qué hace este pull request|resuma ~alterações|riassumi ~modifiche|总结这个 pr|总结一下这个 pr
        总结这次改动|总结一下改动|这个 pr 改了什么|この pr を要約|このプルリクエストを要約|変更を要約
        変更点をまとめ|この pr は何を
    """,
    "help": """
        what can you do|which commands|what commands|list of commands|how do i use you|how can i use you
        was kannst du|welche befehle|welche kommandos|que sais-tu faire|que peux-tu faire
        quelles commandes|qué puedes hacer|qué comandos|o que você pode fazer|quais comandos
        cosa sai fare|cosa puoi fare|quali comandi|что ты умеешь|какие команды|你能做什么|你会做什么
        有哪些命令|何ができますか|何ができる|コマンドの一覧|どんなコマンド|무엇을 할 수 있
    """,
    "config": """
        your settings|your configuration|your config|which settings ~here|how are you configured
        deine einstellungen|deine konfiguration|welche einstellungen|tes réglages|ta configuration
        quels réglages|tu configuración|tus ajustes|suas configurações|sua configuração
        le tue impostazioni|la tua configurazione|твои настройки|你的配置|你的设置|あなたの設定
        設定を見せて|설정을 보여
    """,
    "memory": """
        what do you remember|what have you learned|what were you taught|show ~your memory
        was weißt du noch|woran erinnerst du dich|was hast du gelernt|was hast du dir gemerkt
        de quoi te souviens|qu'as-tu appris|qué recuerdas|qué has aprendido|o que você lembra
        cosa ricordi|что ты помнишь|你记得什么|你学到了什么|何を覚えて|覚えていること
    """,
    "blockers": """
        what blocks|what's blocking|what is blocking|what are the blockers|blockers of|blockers for
        any blockers|what is holding up|what's holding up|what stands in the way|ready to start
        was blockiert|was blockt|welche blocker|was steht ~im weg|was hält ~auf|qu'est-ce qui bloque
        qu'est-ce qui empêche|quels sont les bloqueurs|qué bloquea|qué está bloqueando|qué impide
        o que bloqueia|o que está bloqueando|cosa blocca|что блокирует|什么阻塞|被什么阻塞|什么在阻碍
        阻塞了|何がブロック|ブロックしているもの|ブロッカー|무엇이 막고
    """,
    "triage": """
        triage this|triage ~issue|sort this issue|label this|label ~issue|put ~labels on|classify this
        sortiere ~issue|sortier ~issue|labels ~vergeben|gib ~labels|trie ~ticket|trier ~ticket
        étiquette ~ticket|étiqueter ~ticket|clasifica ~issue|clasificar ~issue|etiqueta ~issue
        etiquetar ~issue|classifique ~issue|classifica ~issue|给这个 issue 打标签|打标签|打上标签
        分类一下|ラベルを付け|ラベルをつけ|分類して|라벨을 붙
    """,
    "review": """
        review this|review ~pull request|review ~pr|review my changes|review ~changes|review again
        review it|another review|look over ~pull request|look over ~pr|review ~code again|schau ~pr an
        schau ~pull request an|reviewe ~pr|reviewe das|prüfe ~pull request|prüf ~pr
        überprüfe ~pull request|überprüfe ~änderungen|relis ~pr|relire ~pr|relis ~pull request
        relire ~pull request|revois ~pr|revisa ~pr|revisar ~pr|revisa ~pull request
        revisar ~pull request|revisa ~cambios|revise ~pr|revisar ~alterações|rivedi ~pr|rivedere ~pr
        сделай ревью|审查这个 pr|审查一下|审核一下|评审一下|再审一遍|レビューして|レビューをお願い
        もう一度レビュー|리뷰해
    """,
    "fix": """
        fix this|fix it|fix that|fix finding|fix number|fix the finding|mend this|suggest a fix
        propose a fix|behebe das|beheb das|behebe ~fehler|beheb ~fehler|behebe punkt|repariere das
        korrigiere das|korrigier das|corrige ça|corrige ~erreur|corrige l'erreur|corriger ~erreur
        corrige ~problème
        corriger ~problème|corrige le point|corrígelo|corrige esto|arregla esto|arréglalo|arregla ~error
        conserte isso|corrija isso|correggi questo|correggilo|исправь это|修复这个|修复一下|修一下
        修正して|直して|修正をお願い|고쳐
    """,
    "pause": """
        pause ~reviews|pause ~reviewing|stop reviewing|stop ~reviews|hör auf zu reviewen
        pausiere ~reviews|pausier ~reviews|keine reviews mehr|arrête ~revues|mets en pause
        deja de revisar|pausa ~revisiones|pare de revisar|smetti di rivedere|暂停审查|暂停评审|停止审查
        レビューを止め|レビューを一時停止
    """,
    "resume": """
        resume ~reviews|resume reviewing|continue reviewing|start reviewing again
        nimm ~reviews wieder auf|reprends ~revues|reanuda ~revisiones|retome ~revisões
        riprendi ~revisioni|恢复审查|继续审查|レビューを再開
    """,
    "undo": """
        undo that|undo this|undo what|undo it|undo your|take that back|take it back|take back what
        revert what you did|mach das rückgängig|mache das rückgängig|nimm das zurück|rückgängig machen
        annule ça|annule cela|annuler ce que|annule ce que|reviens en arrière|deshaz eso|deshaz lo
        deshacer eso|deshazlo|desfaça isso|desfazer isso|annulla quello|annullalo|отмени это|撤销刚才
        撤销你|撤回你|撤销一下|取り消して|元に戻して|되돌려
    """,
    "describe": """
        propose ~title|suggest ~title|better title|suggest ~description|propose ~description
        write ~description for|schlag ~titel vor|schlage ~titel vor|einen besseren titel|propose ~titre
        suggère ~titre|un meilleur titre|propón ~título|sugiere ~título|un mejor título|sugira ~título
        suggerisci ~titolo|建议一个标题|起个标题|写个描述|タイトルを提案|説明文を書いて|제목을 제안
    """,
}
_REASONS = """
    why|how come|how does|how do you|how is|warum|wieso|weshalb|wie funktioniert|pourquoi|comment fonctionne
    por qué|por que|cómo funciona|perché|porque|почему|зачем|waarom|dlaczego|neden|为什么|为何|怎么会|なぜ
    どうして|왜
"""
_NEGATIVES = """
    not|no longer|don't|dont|doesn't|didn't|isn't|never|without|instead of|nicht|kein|keine|keinen|niemals
    ohne|ne|pas|jamais|sans|nunca|sin|non|mai|senza|não|sem|не|без|niet|geen|nie|no lo|no la|no hagas
    no quiero|不要|别|不用|しないで|ないで|하지 마
"""


def _ways(listed: str) -> re.Pattern[str]:
    """In scripts without blanks between words a way may stand anywhere."""
    ways = (" ".join(way.split()) for line in listed.splitlines() for way in line.split("|"))
    return re.compile("|".join(_pattern(way) for way in dict.fromkeys(ways) if way))


def _pattern(way: str) -> str:
    text = unicodedata.normalize("NFKC", way).casefold()
    start, end = (r"(?<!\w)" if text[0] < "\u2e80" else "", r"(?!\w)" if text[-1] < "\u2e80" else "")
    return start + r"(?:\S{1,30} ){0,3}".join(map(re.escape, text.split("~"))) + end


@cache
def ways() -> Mapping[str, re.Pattern[str]]:
    """By command. Made, like the others, when somebody asks: a process that starts needs none of them."""
    return {name: _ways(listed) for name, listed in _LISTED.items()}


@cache
def reason() -> re.Pattern[str]:
    """How a question begins that wants a reason."""
    return re.compile(rf"(?:(?:and|but|so|und|aber|et|mais|y|pero|e) )?(?:{_ways(_REASONS).pattern})")


@cache
def negative() -> re.Pattern[str]:
    """What says that it is not asked for."""
    return _ways(_NEGATIVES)
