"""Rule set for prompt injection: patterns over normalised text, each with a weight and a reason in plain words."""

import re
from typing import NamedTuple


class InjectionRule(NamedTuple):
    """One sign of an injection; a text is held when the weights of its signs reach 1."""

    reason: str
    weight: float
    pattern: re.Pattern[str]


def _rule(reason: str, weight: float, pattern: str) -> InjectionRule:
    return InjectionRule(reason, weight, re.compile(pattern, re.MULTILINE))


# At most N words between two others; bounded, so that every rule is linear in the text.
def _gap(words: int) -> str:
    return rf"(?:[^\s.!?]{{1,25}}\s{{1,3}}){{0,{words}}}?"


DROP = (
    r"(?:ign[ou]r(?:e|ing)?|disregard(?:ing)?|forget(?: about)?|forgotten(?: about)?|override|bypass|discard"
    r"|circumvent|neglect"
    r"|erase|delete your memory of|do not (?:follow|obey|listen to|adhere to|comply with)"
    r"|don'?t (?:follow|obey|listen to|adhere to|comply with)|stop (?:following|obeying)|no longer (?:follow|obey))"
)
RULEBOOK = (
    r"(?:instruct?ions?|instructons?|prompts?|guidelines?|directions|directives?|programming|guardrails"
    r"|rules?|restrictions|constraints|limitations|training|safety (?:measures|rules)|filters?|moderation|polic(?:y"
    r"|ies))"
)
# "Can I ignore…", "it ignores…": the customer speaks of somebody else; "my", "page 3": of something else.
OTHERS = r"(?<!\bi )(?<!\bwe )(?<!\bit )(?<!\bthey )(?<!how to )"
ELSEWHERE = (
    r"(?! (?:(?:on|in|of|for|from|about|regarding|to) (?:my|our|page|step|chapter|the (?!system)|your|a|an)"
    r"|for|about|on|regarding)\b)"
)
EARLIER = r"(?:previous(?:ly)?|prior|above|earlier|preceding|initial|original|foregoing|past|previus|system)"
REVEAL = (
    r"(?:show|reveal|print|repeat|output|display|tell|give|share|leak|dump|expose|recite|list|copy|paste|write|spell"
    r"|disclose|translate|encode|summari[sz]e|return|provide|what (?:is|are|was|were)|what's)"
)
PERSONA = (
    r"(?:dan|ai|a\.i\.|language model|llm|chatbot|bot|assistant|robot|gpt|chatgpt|jailbroken|unrestricted|unfiltered"
    r"|uncensored"
    r"|evil|hacker|pirate|character|narrator|terminal|simulator|interpreter|rogue|amoral|god)"
)
OUTPUT = (
    r"(?:response|reply|answer|output|message|elucidation|explanation|solution|implementation|code ?base|code"
    r"|summary)"
)
CHANGE = (
    r"(?:modify|enhance|augment|alter|adjust|render|scramble|jumble|encode|encrypt|obfuscate|rearrange|reverse"
    r"|misspell|rewrite"
    r"|craft|format|compose|formulate|convert|anagram|end|start|begin)"
)

CUSTOMER_RULES = (
    _rule(
        "It tells the assistant to ignore its instructions",
        1.0,
        rf"\b{OTHERS}{DROP}\s{{1,3}}(?!my\b){_gap(3)}(?:(?:{EARLIER}|your"
        rf"|ur)\s{{1,3}}){_gap(3)}{RULEBOOK}\b{ELSEWHERE}",
    ),
    _rule(
        "It tells the assistant to ignore its instructions",
        0.8,
        rf"\b{OTHERS}{DROP}\s{{1,3}}{_gap(1)}(?:all|any|every|everything|the|these|those"
        rf"|such)\s{{1,3}}{_gap(3)}{RULEBOOK}\b{ELSEWHERE}",
    ),
    _rule(
        "It tells the assistant to forget what it was told",
        0.8,
        rf"\b{OTHERS}{DROP}\s{{1,3}}(?!.{{0,14}}\bi (?:told|said|wrote)){_gap(2)}(?:everything|anything|all|what"
        rf"|{EARLIER} (?:information|context|text|conversation))\b"
        r".{0,30}\b(?:told|said|learned|instructed|before|above|information|context)\b",
    ),
    _rule(
        "It asks for the assistant's own instructions",
        1.0,
        rf"\b{REVEAL}\b(?! how).{{0,60}}?\b(?:system prompt|system message|initial prompt|hidden prompt"
        rf"|secret prompt|pre-?prompt"
        r"|developer (?:message|prompt)|your (?:\w{1,15} )?(?:prompt|system instructions|initial instructions"
        r"|guidelines"
        rf"|programming|directives))\b{ELSEWHERE}",
    ),
    _rule(
        "It asks for the assistant's own instructions",
        1.0,
        rf"(?:^|[.!?:,\n]\s{{0,3}}|please |and |then |to )(?:{REVEAL})\s{{1,3}}(?!how){_gap(4)}"
        r"(?:(?:your|ur|all|the|these|those|previous|above|prior|other|hidden|secret|exact|full|initial"
        r"|following) ){0,3}"
        r"(?:(?:your|ur|hidden|secret|previous|above|prior|initial|exact) instruct?ions|instruct?ions (?:above"
        r"|so far|you (?:were|got|have)"
        r"|given (?:to you|in)|to me|formatted|verbatim|as (?:text|code|json|python|yaml|a list)|word for word))\b",
    ),
    _rule(
        "It asks for everything written before the conversation",
        1.0,
        rf"\b{REVEAL}\b.{{0,20}}\b(?:everything|all|text|words|lines?|content) (?:that (?:stands|is|was) )?(?:above"
        rf"|before (?:this|my))\b",
    ),
    _rule(
        "It asks for a secret that the assistant was told to keep",
        1.0,
        r"\b(?:password|secret|word|key|passphrase|confidential information)s?\b.{0,60}"
        r"\b(?:(?:told|instructed|asked|ordered|programmed|supposed) (?:you )?(?:to )?not to|not (?:allowed"
        r"|permitted) to|told to keep"
        r"|(?:told|instructed) to (?:hide|keep|protect)|(?:told|instructed) you not)\b",
    ),
    _rule(
        "It gives the assistant a new role",
        0.9,
        rf"\byou(?:'re| are| will be| shall be)(?: now| going to be| to act as| called"
        rf"| from now on)\s{{1,3}}{_gap(5)}{PERSONA}\b",
    ),
    _rule(
        "It gives the assistant a new role",
        0.7,
        r"\bfrom now on,?\s{1,3}(?:you|your|u)\b.{0,30}\b(?:act|reply|respond|answer|speak|talk|behave|pretend|obey"
        r"|are|called)\b",
    ),
    _rule(
        "It gives the assistant a new role",
        0.8,
        rf"\b(?:act|behave|respond|answer|speak|reply|operate) (?:as|like)(?: if you (?:were|are|have)"
        rf"| though you (?:were|are|have))?"
        rf"\s{{1,3}}{_gap(4)}{PERSONA}\b",
    ),
    _rule(
        "It asks the assistant to pretend",
        0.7,
        r"\bpretend (?:to (?:be|have)|you(?:'re| are| have| were)?|that you)\b|\brole-?play as\b"
        rf"|\b(?:imagine|simulate|emulate)\s{{1,3}}(?:you (?:are|were) )?{_gap(3)}(?:ai|a\.i\.|language model|llm"
        rf"|chatbot|assistant)\b",
    ),
    _rule(
        "It tries to free the assistant from its rules",
        1.0,
        r"\bdo anything now\b|\b(?:dan|jailbreak|god|apophis|stan|dude|sudo|unrestricted) mode\b"
        r"|\bstay in character\b"
        r"|\b(?:no longer|not) (?:bound|restricted|limited|constrained) by\b.{0,40}\b(?:rules|polic|guideline|filter"
        r"|what an? (?:ai|language))"
        r"|\b(?:ai|assistant|model|character|chatbot)\b.{0,40}\b(?:without|has no|with no|free (?:from|of)) (?:any )?"
        r"(?:ethics|ethical|morals?|rules|restrictions|filters|limits|limitations|guidelines|moderation)\b"
        r"|\banswer\b.{0,40}\bwithout (?:any |your (?:usual )?)?(?:filters?|restrictions|moral limits|censorship)\b",
    ),
    _rule(
        "It carries the marks of a system message",
        1.0,
        r"<\|?\s?/?\s?(?:im_start|im_end|system|assistant|endoftext|start_header_id|eot_id)\s?\|?>|\[/?inst\]"
        r"|<</?sys>>"
        r"|^\s{0,4}#{2,4} ?(?:system|instructions?|new instructions?|assistant)\s{0,2}:?\s{0,2}$"
        r"|^\s{0,4}[{\[(*-]{0,3}\s?(?:system|developer|admin(?:istrator)?)(?: (?:message|prompt|override|note"
        r"|instruction))?\s?[\])}*]{0,3}\s?:"
        r".{0,200}\b(?:you must|you are|you will|ignore|obey|instruct|override|from now|grant|approve)\b"
        r"|(?<![-=%*#])[-=%*#]{3,}\s?(?:begin|end|start)(?: of)? (?:of )?(?:system|user|instructions?|prompt|document"
        r"|context|input)\b",
    ),
    _rule(
        "It claims an authority over the assistant",
        0.6,
        r"\b(?:this is|i am|i'm|as|from) (?:your|the) (?:developer|creator|administrator|programmer"
        r"|system administrator|operator)s?\b"
        r"|\b(?:system|policy|admin) override\b|\bnew instructions?\b.{0,20}:|\byou (?:must|have to|will"
        r"|shall) (?:obey|comply)\b"
        r"|\b(?:disable|switch off|turn off|remove) your\b.{0,30}\b(?:filter|safety|restriction|rule|guardrail)",
    ),
    _rule(
        "It asks for other people's data",
        0.9,
        rf"\b{OTHERS}(?:show|give|send|list|dump|export|tell)(?: me)?(?: the| all| every)*\b.{{0,30}}\b(?:other"
        rf"|all) (?:the )?(?:customers?|users?|clients?)(?:'s?|s')?"
        r"\s.{0,20}\b(?:data|e-?mails?|addresses|conversations?|messages|passwords?|credit cards?|phone numbers"
        r"|orders|records)\b",
    ),
    _rule(
        "It wants the answer written in a way that hides or distorts it",
        0.9,
        rf"(?:^|[.!?:,\n]\s{{0,3}}|please |can you |could you |and |then ){CHANGE}\s{{1,3}}(?:your|the (?:whole"
        rf"|entire)|every \w{{1,10}} (?:of|in) your)\s{{1,3}}"
        rf"(?:whole |entire |next |final )?{OUTPUT}\b(?! (?:to|on|from) (?:my|our|the))"
        rf"|(?:^|[.!\n]\s{{0,3}})translate your {OUTPUT}\b"
        rf"|\b(?:provide|give|write|display|output|deliver|present) (?:your|the)\s{{1,3}}(?:whole "
        rf"|entire )?{OUTPUT}\b.{{0,25}}"
        r"\b(?:base ?\d\d|backwards?|reverse|anagram|cipher|rot13|morse|leetspeak|hex(?:adecimal)?|encod(?:ed|ing))\b"
        rf"|\b(?:use|using) (?:base ?\d\d|rot13|hex|morse)\b.{{0,20}}\byour {OUTPUT}\b",
    ),
    _rule(
        "It dictates what the assistant's answer must contain",
        0.8,
        rf"(?:^|[.!?\n]\s{{0,3}})in your {OUTPUT},? (?:please )?(?:mention|suggest|include|add|recommend|tease"
        rf"|advertise|promote|say|tell|hint|use|end|begin|start)\b"
        rf"|\b(?:start|begin|end|prefix|finish)\b.{{0,15}}\byour {OUTPUT} (?:with|by)\b|\bconfirm by (?:saying"
        rf"|replying|answering)\b"
        rf"|\b(?:add|integrate|include|insert|append|embed|mention|incorporate)\b.{{0,120}}\b(?:in|to|into"
        rf"|with) your {OUTPUT}\b",
    ),
    _rule(
        "It plants code in the assistant's answer",
        1.0,
        r"(?:^|[.!?:\n]\s{0,3}|please |to |by |for |remember to )(?:includ|embed|incorporat|insert|add|integrat"
        r"|employ|utili[sz]|us|mak|give|validate|plac|append|adopt|appl)\w{0,4}\b"
        r".{0,60}\b(?:following|subsequent|below|given|next|provided)\s{1,3}(?:\w{1,15}\s){0,2}?(?:code|script"
        r"|snippet)\b",
    ),
    _rule(
        "It plants code in the assistant's answer",
        1.0,
        r"\b(?:following|subsequent|below|given|provided)\s{1,3}(?:\w{1,15}\s){0,2}?(?:code|script|snippet)\b"
        rf".{{0,40}}\b(?:in|into|within|to)\s{{1,3}}your\s{{1,3}}(?:\w{{1,15}}\s){{0,1}}?{OUTPUT}\b",
    ),
    _rule(
        "It plants code in the assistant's answer",
        0.9,
        rf"(?:^|\n)(?:[^\s.!?]{{1,25}}\s){{0,3}}(?:modify|develop|craft|build|improve|update|ensure"
        rf"|create)\b.{{0,25}}\b(?:your|the)\s{{1,3}}{OUTPUT}\b"
        r".{0,60}\b(?:code|script|snippet)\b",
    ),
    _rule(
        "It tells the assistant to ignore its orders",
        0.5,
        rf"\b{OTHERS}{DROP}\s{{1,3}}(?!my\b){_gap(2)}{EARLIER}\s{{1,3}}(?:orders|commands)\b",
    ),
    _rule(
        "It gives the assistant another task",
        0.6,
        r"\b(?:your |a )?new (?:task|role|job|objective|goal|persona|identity)(?: is|:)|\byour (?:only|real"
        r"|true) (?:task|role|job|goal)\b"
        r"|\bstop being (?:a|an|my) (?:[^\s.!?]{1,20} ){0,3}(?:bot|assistant|ai)\b|\b(?:disregard|forget"
        r"|ignore) (?:that|this|it|all that)[.!,;] ?(?:new|now|instead)\b",
    ),
    _rule(
        "It closes a section that is not its own",
        0.5,
        r"</(?:customer|user|text|document|context|data|prompt|instructions?|passage|input|message)[^>]{0,60}>",
    ),
    _rule(
        "It talks about the assistant's instructions",
        0.55,
        r"\b(?:previous|preceding|above|prior|initial|original|other|all|your) (?:\w{1,12} )?(?:instruct?ions"
        r"|prompts?|directives|guidelines)\b"
        rf"{ELSEWHERE}|\byour (?:\w{{1,12}} )?(?:programming|restrictions|filters|guardrails)\b|\bsystem prompt\b",
    ),
    _rule(
        "It asks to decode something and do what it says",
        1.0,
        r"\bdecode\b.{0,60}\b(?:follow|execute|obey|do what|run it|do as)\b|\b(?:follow|execute"
        r"|obey)\b.{0,40}\b(?:hidden|encoded|decoded) instructions?\b",
    ),
    _rule(
        "It makes the assistant load an address with data in it",
        1.0,
        r"!\[[^\]]{0,80}\]\(https?://[^)\s]{1,300}(?:\{|%7b|=\[|=<|\$)",
    ),
    _rule(
        "It tells the assistant to ignore its instructions, in another language",
        1.0,
        r"\b(?:ignorier\w{0,3}|vergiss|missachte)\b.{0,40}\b(?:anweisungen|regeln|instruktionen|vorgaben)\b"
        r"|\b(?:ignor[ae]|olvida|desobedece)\b.{0,40}\b(?:instrucciones|reglas|instrucoes|regras)\b"
        r"|\b(?:ignore[zr]?|oublie[zr]?)\b.{0,40}\b(?:instructions (?:precedentes|anterieures)|consignes|regles)\b"
        r"|\b(?:ignora|dimentica)\b.{0,40}\b(?:istruzioni|regole)\b|(?:忽略|无视|忘记).{0,12}(?:指令|指示|规则|提示)",
    ),
)

PLANTED_RULES = (
    _rule(
        "It speaks to an assistant",
        1.0,
        r"(?:^|[.!?(\[]\s{0,3})(?:ai|ai assistants?|language models?|chatbots?|llms?|assistants?)\s?[:,]"
        r"|\b(?:if you are|as|dear|attention|note (?:to|for)(?: the)?|message (?:to|for)(?: the)?|hey"
        r"|hello),? (?:an? |any |all )?"
        r"(?:ai|a\.i\.|llms?|language models?|chatbots?|ai assistants?|virtual assistants?|ai agents?)\b"
        r"|\b(?:the )?(?:ai|assistant|chatbot|model|llm) (?:must|should|shall|has to|is required to) (?:now |always "
        r"|never )?"
        r"(?:say|tell|reply|respond|answer|recommend|ignore|include|mention|add|send|ask)\b",
    ),
    _rule(
        "It talks about the assistant's answer",
        1.0,
        r"\b(?:your|the) (?:response|reply|answer)(?:'s)?\b.{0,80}\b(?:letters?|words?|vowels?|spaces?|typos"
        r"|misspell\w{0,5}|symbols|anagrams?|symbols?|numbers?)\b"
        r"|\b(?:letters?|vowels?|every (?:third|fourth|second|other) word|spaces)\b.{0,50}\b(?:your|the) (?:response"
        r"|reply|answer|message)\b"
        r"|\b(?:in|to|from|of|with|into|modify|enhance|augment|using|introduce|provide|translate|render|display"
        r"|present|write|encode|convert)"
        r"(?: a sentence in)? your (?:response|reply|answer|message|output)\b",
    ),
    _rule(
        "It tells what to say to the user",
        1.0,
        r"\b(?:do not|don't|never) (?:mention|tell|inform|reveal|show|warn) (?:this |it "
        r"|these )?(?:to )?(?:the )?(?:user|customer|reader)\b"
        r"|\b(?:tell|inform|ask|instruct|direct|convince|persuade) the (?:user|customer|reader) (?:to|that)\b.{0,80}"
        r"(?:https?:|www\.|\.com|\blink\b|\bdownload\b|\bpassword\b|\bcard\b|\bwire\b|\btransfer\b)",
    ),
)
