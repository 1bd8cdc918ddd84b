"""How people ask what waits for what, in several languages: a sentence is one of these as a whole. Accents do
not count, groups capture nothing, and `<…>` stands for what `WORDS` has.
"""

WORDS = {
    "<S>": r"(?P<of>.{1,120}?)",
    "<S2>": r"(?P<of2>.{1,120}?)",
    "<IN>": r"(in|for|of|on|from)",
    "<ISSUES>": r"(issues?|tickets?|tasks?|items?|bugs?|prs?|pull requests?|work items?)",
    "<STILL>": r"(still |currently |now |really |actually |yet )?",
    "<THERE>": r"(are there |is there |do we have )?",
    "<START>": r"(start|pick|work|take|do)\w{0,4}( on| up| with)?",
    "<NOCH>": r"(noch |offen ){0,2}",
    "<BEI>": r"(in|im|bei|fur|von|zu)",
    "<ANFANGEN>": r"((begonnen|angefangen|gestartet) werden|anfangen|beginnen|starten)",
}

LATER = (
    r"( (right now|now|at the moment|currently|today|next|yet|still|then|exactly|please|here|jetzt|gerade))*"
)

SENTENCES = r"""
# English
unblocked: what (does|did|will|would) (closing |merging |the merge of |finishing )?<S> unblock
unblocked: what (was|is|gets|got|will be) unblocked (by|when|once|after) <S>
unblocked: what (is|becomes|will be) unblocked (by|when|once|after) <S> (is|gets) \w{4,8}
waiting: what (all )?(does|is|would) <S> (still )?block(ing)?
waiting: (who|what|which <ISSUES>) ((is|are) )?<STILL>(wait(s|ing)?) (for|on) <S>
waiting: (who|what|which <ISSUES>) <STILL>(depends?) (up)?on <S>
waiting: (what|who|which <ISSUES>) (is|are) <STILL>(blocked|held up) (by|on) <S>
blocks: what('s| is| are|)? <STILL>(block(s|ing)|hold(s|ing) (up|back)) <S>
blocks: (which|what) <ISSUES> (are )?<STILL>(block|blocks|blocking|hold up) <S>
blocks: what (is|are) <S> (still )?(blocked|waiting|stuck|held up) (by|on|for)
blocks: what (does|do) <S> (still )?(depend on|wait for|wait on)
blocks: (why is|is|are) <S> (still )?blocked
blocks: (what are |which are |who are )?(the |all |all the |any )?blockers (of|for|on|in) <S>
blocks: what (stands|is) in the way of <S>
ready: (what|which <ISSUES>)('s| is| are) ready( to (be )?<START>| for work)( <IN> <S>)?
ready: what can (be|i|we|one|someone|people) <START>( next| now)?( <IN> <S>)?
ready: which <ISSUES> can (be|i|we) (start|pick|work|take)\w{0,4}( on| up)?( next| now)?( <IN> <S>)?
open: (what|which|how many) <ISSUES> (does|do|has|have) <S> (still )?(have )?(open|left)
open: (what|which|how many)( <ISSUES>)? (is|are|remains?) <STILL>(open |left |to do |missing ){0,2}<IN> <S>
open: (what|which)( <ISSUES>)?('s| is| are) (still )?(open|left|missing) <IN> <S>
open: (what|which|how many) (are the )?open <ISSUES> (are |is )?(there )?<IN> <S>
open: (what|how much)('s| is) (still )?left (to do )?(in|for|of|until|before) <S>
blocked: (what|which <ISSUES>)('s| is| are) <STILL>(blocked|stuck|held up)
cycles: <THERE>(any )?(circular|cyclic) dependenc(y|ies)
cycles: <THERE>(any |the )?(dependency )?cycles?( (in|among) (the |our )?(dependencies|issues))?
cycles: (which|what) <ISSUES> (block|wait for|depend on) each other
# German
unblocked: was (hat|wird durch|macht) <S> (freigegeben|freigemacht|entsperrt|frei)
waiting: (wer|was|welche \w{4,12}) wart(et|en) (noch )?auf <S>
waiting: (wer|was|welche \w{4,12}) hang(t|en) (noch )?von <S> ab
blocks: (was|wer|welche \w{4,12}) (blockier(t|en)|verhinder(t|n)|halt) (noch |gerade )?<S>( auf)?
blocks: (wovon hangt|worauf wartet) <S>( noch)?( ab)?
blocks: (wodurch|wovon|warum) (ist|wird) <S> blockiert
ready: (was|womit) (kann|konnen|darf) (ich |wir |man |jetzt |als nachstes ){0,3}<ANFANGEN>
ready: (was|welche \w{4,12}) (ist|sind) (startklar|startbereit|bereit zum (start|starten|beginnen))
open: (was|(wie viele|welche) \w{4,12}) (ist|sind|fehlt|fehlen) <NOCH><BEI> <S>( noch| offen){0,2}
open: welche \w{4,12} (hat|von) <S> (noch|sind noch) offen
# French
waiting: (qui|qu'est-ce qui|quelles \w{4,12}) (attend(ent)?|depend(ent)? de) <S>
blocks: (qu'est-ce qui|qui|quoi|quelles \w{4,12}) bloque(nt)? (encore )?<S>
blocks: (de quoi depend|par quoi est bloquee?|qu'attend) <S>
ready: (qu'est-ce qui est|quelles \w{4,12} sont) prete?s?( a (etre )?(commence|demarre)\w{1,3})
ready: (que|qu'est-ce (que|qu'on)|par quoi) (peut-on|on peut|puis-je|je peux|peut) (commence|demarre)r
open: (quelles \w{4,12} (sont|restent)|qu'est-ce qui (est|reste)) (encore )?ouvert\w{0,2} (dans|pour|de) <S>
open: que reste-t-il (a faire )?(dans|pour|avant) <S>
# Spanish, Portuguese, Italian
waiting: (quien|que) (esta esperando|espera|depende) (a |por |de )?<S>
blocks: (que|que \w{4,12}) (esta bloqueando|bloquean?) (a |al |el |la )?<S>
blocks: de que depende <S>
ready: que (esta listo para|se puede|puedo|podemos) (empezar|comenzar)( ahora)?
open: que( \w{4,12})? (quedan?|faltan?|siguen?|estan?)( todavia| aun)?( abiert\w{1,2})? (en|para|de) <S>
waiting: (quem|o que) (esta esperando|esta a espera|espera|aguarda|depende) (p[oe]\w{1,2} |d[eoa] )?<S>
blocks: o que (bloqueia|esta bloqueando|esta a bloquear|impede) (o |a )?<S>
blocks: de que depende <S>
ready: o que (esta pronto para|posso|podemos|pode ser) (comeca|inicia)\w{1,2}( agora)?
open: o que (falta|resta|ainda esta aberto|esta aberto) (em|no|na|para|para o|para a) <S>
waiting: (chi|cosa|che cosa) (aspetta|attende|sta aspettando|dipende da|dipende dalla?) <S>
blocks: (cosa|che cosa|chi) (blocca|sta bloccando) (il |la |l')?<S>
blocks: da (che )?cosa dipende <S>
ready: (cosa|che cosa) (e pronto per|si puo|posso|possiamo) (inizia|comincia|parti)re( ora| adesso)?
open: (cosa|che cosa) (manca|resta|e ancora aperto) (in|per|nel|nella|per la|per il) <S>
# Dutch
waiting: (wie|wat) wacht (nog )?op <S>
waiting: wat hangt (nog )?(af van <S>|van <S2> af)
blocks: (wat|welke \w{4,12}) blokke(ert|ren) (nog )?<S>
blocks: waar(op wacht| wacht) <S>( nog)?( op)?
ready: (wat is klaar om te (beginnen|starten)|waar(mee)? kan ik (aan |mee )?(nu )?(beginnen|starten))
open: (wat|welke \w{4,12}) (staat|staan|is|zijn) (er )?nog open (in|voor|van) <S>
# Russian
waiting: (кто|что) (ждёт|зависит от) <S>
blocks: (что|кто) (блокирует|мешает) <S>
blocks: от чего зависит <S>
ready: что можно нач(ать|инать)( сейчас)?
open: что (ещё )?(открыто|осталось) (в|для) <S>
# Chinese, Japanese
waiting: (谁|誰|什么)在?等(待)? ?<S>
waiting: 什么依赖 ?<S>
blocks: (是)?(什么|哪些\w{1,6})(在)?阻(塞|碍|挡)(了|着)? ?<S>
blocks: <S> ?(被什么阻(塞|碍|挡)(了)?|依赖什么|在等什么)
ready: (现在)?(什么|哪些\w{0,6}|有什么)(现在)?可以开始(做)?(了)?
open: <S> ?还有(哪些|什么|多少)\w{0,10}
waiting: 誰が ?<S> ?を待ってい(る|ます)(の|か|のか)?
blocks: 何が ?<S> ?を(ブロック|妨げ)(し)?てい(る|ます)(の|か|のか)?
blocks: <S> ?をブロックしている(の|もの|\w{1,6})は(何|どれ)?(ですか)?
ready: (今)?(すぐ)?(に)?(着手|開始)できる(の|もの|\w{1,6})は(何|どれ)?(ですか)?
open: <S> ?(で|に)(まだ)?(開いて|残って|オープンな)\w{0,10}(ですか)?
"""
