"""Hand-off requests by pattern: words that ask for a human being, and those that only mention people."""

import re

PERSON = (
    r"(?:human|person|people|someone|somebody|some ?one|anyone|anybody|agents?|operators?|representatives?|rep|manager"
    r"|supervisor|boss|advis[eo]r|staff|colleague|employee|worker|specialist|consultant|expert|technician|assistant"
    r"|reception(?:ist)?|front desk|desk|department|team|customer (?:service|support|care)|human being"
    r"|support (?:team|agent|person))"
)
SOMEBODY = r"(?:human|person|agent|assistant|operator|representative|somebody|someone)"
DETERMINERS = (
    r"(?:(?:a|an|the|your|ur|some|any|another|one of your|one|of|real|live|actual|human|physical|different|other|more"
    r"|na) ){0,4}"
)
# "I need someone to clean my room" asks for a service, "to explain this" for a conversation.
NOT_A_CONVERSATION = (
    r"\b(?! (?:to (?!help|talk|speak|answer|assist|contact|call|explain|sort|handle)|limit|role|account|licen|seat|key"
    r"|access|permission|number|id\b|name|who))"
)
HUMAN_REQUEST = re.compile(
    rf"\b(?:talk|speak|spek|chat|tlk|spk)(?:ing)? (?:directly |live |again )?(?:to|with|2|wit|w/)"
    rf" {DETERMINERS}(?:\w+ )?{PERSON}\b"
    r"|\b(?:speak|talk|chat)(?:ing)? (?:directly )?(?:to|with) (?:the|your) \w+"
    r"|\bhave a (?:chat|word|call|talk) with\b"
    r"|\b(?:connect|transfer|put|pass|hand|forward|switch|redirect|refer|escalate) (?:me|this|it|us)\b.{0,20}?"
    rf"\b(?:to|with|through) {DETERMINERS}(?:\w+ )?{PERSON}\b"
    r"|\b(?:connect|transfer|put|pass|hand) me (?:on |over |through )?(?:to|with) (?:the |your )\w+"
    rf"|\b(?:get|give|send|find|bring|gimme) (?:me )?{DETERMINERS}{PERSON}{NOT_A_CONVERSATION}"
    rf"|\b(?:want|need|prefer|like|require)(?:ed)? (?:to have )?{DETERMINERS}"
    rf"(?:real person|live (?:person|agent)|manager|supervisor|{SOMEBODY}){NOT_A_CONVERSATION}"
    rf"|\b(?:contact(?:ing)?|reach(?:ing)?|get(?:ting)? in touch with|get a ?hold of|message)"
    rf" {DETERMINERS}(?:\w+ )?{SOMEBODY}\b"
    r"|\b(?:is|are) there (?:a |any )?(?:real |live |actual )?(?:human|person|people|someone|somebody|anyone|agent)s?\b"
    r".{0,25}\b(?:talk|speak|chat|there|here|available|help)\b"
    r"|\b(?:someone|somebody|a person|anyone|a human|some person|anybody)(?: else)?(?: from (?:your|the) \w+)?"
    r"(?: please)? (?:to )?(?:call|contact|phone|ring|get back to|reach out to|answer) (?:me|my)\b"
    r"|\b(?:someone|somebody) else (?:please )?(?:look|take a look|check|help|handle|answer)\b"
    r"|\bget (?:someone|somebody|anyone) to (?:help|talk|speak|answer|assist|contact|call|explain)\b"
    r"|(?:^|please |pls |[,.!] |and |just |(?:can|could) (?:you|someone|u) )call me(?: back)?(?: please)?\s*[.!?]?$"
    r"|\b(?:don'?t|do not|not) (?:want|wish|like) (?:to )?(?:talk|speak|chat|write|deal)(?:ing)?(?: to| with)?"
    r" (?:you|a|an|this|the|with)? ?(?:\b(?:bot|robot|machine|computer|ai)\b|anymore|$|[.!])"
    r"|\b(?:live|human|real) (?:agent|person|chat|support|help|operator|assistance)\b.{0,12}"
    r"(?:please|pls|plz|now|needed|$)"
    rf"|^\W*(?:(?:hi|hello|hey)\W*)?(?:please |can i (?:get|have) )?{DETERMINERS}{PERSON}"
    r"(?:,? (?:please|pls|plz|plss?|now|asap|needed|help))*\W*$"
    r"|\b(?:hablar|contactar|comunicarme) con (?:una?|el|la|alg[uú]i?en)\b|\bmit (?:einem|einer|jemandem?)\b.{0,25}"
    r"\b(?:sprechen|reden|verbinden)\b"
    r"|\bparler (?:à|a|avec) (?:une?|quelqu)|\bparlare con (?:un|una|qualcuno)\b"
    r"|\bfalar com (?:um|uma|algu[eé]m|atendente)\b",
    re.IGNORECASE,
)
MENTION_OF_PEOPLE = re.compile(
    r"\b(?:i|we|he|she|they) (?:already |just |have |had |'ve )?(?:talked|spoke|spoken|chatted|called|contacted)\b"
    r"|\b(?:don'?t|do not|no) need (?:to |you to |an? |any )?(?:talk|speak|human|agent|person|operator"
    r"|transfer|connect)"
    r"|\bam i (?:talking|speaking|chatting|writing)\b|\blike a (?:real )?(?:person|human)\b"
    r"|\b(?:are you|you are|you're|is this|do you think)(?: \w+){0,3} (?:human|person|agent|robot|bot|machine)\b"
    r"|\bmy (?:customers?|users?|visitors?|team|colleagues?|employees?)\b"
    r"|\bhow (?:many|much)\b.{0,20}\b(?:people|agents?|persons?|users)\b"
    r"|\bhow (?:do|can|to) (?:i |we )?(?:add|remove|assign|invite|create|delete|become|set ?up|install)\b",
    re.IGNORECASE,
)


def requests_human(text: str) -> bool:
    """Whether the words ask for a human being."""
    return bool(HUMAN_REQUEST.search(text)) and not mentions_people(text)


def mentions_people(text: str) -> bool:
    """Whether the words are about talks of others, talks that were had, or about who is talking here."""
    return bool(MENTION_OF_PEOPLE.search(text))
