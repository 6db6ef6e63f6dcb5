"""Intent and sentiment lexicon: patterns that confirm or veto what the scores suggest."""

import re

MONEY_BACK = re.compile(
    r"\b(?:re-?fund(?:ed|s|ing)?|money back|re-?imburse\w{0,6}|rebates?|restitutions?|compensat\w{1,4}|charge ?back"
    r"|(?:pay|paid) (?:me |it |us )?back|revers\w{1,3} (?:the|this|that|my) (?:charge|payment|transaction)"
    r"|(?:give|send|get|want|return|credit|have)\b.{0,30}(?:money|payment|amount|deposit|dollars?|euros?|pounds?"
    r"|bucks"
    r"|[€£$] ?[0-9.,]{1,9}|[0-9] ?[€£$])\W.{0,15}\bback|return (?:my|the) (?:money|payment|deposit)"
    r"|(?:charged|billed|debited) (?:me )?(?:twice|double|two times|again|wrongly)|double charge[ds]?)\b",
    re.IGNORECASE,
)
POLICY_QUESTION = re.compile(
    r"\b(?:polic(?:y|ies)|terms|conditions|eligib\w+|gu?ara\w+|refundable|rules?|process|procedure|works?)\b"
    r"|\b(?:how long|how many days|how much time|how soon|when (?:do|does|will|can|are|is)|within)\b"
    r"|\b(?:in|under|for|at) (?:what|which)\b"
    r"|\b(?:what|which) (?:cases?|situations?|circumstances|conditions?|items?|products?)\b"
    r"|\b(?:do|does|did) (?:you|u|ya|the \w+) (?:guys )?(?:offer|give|have|do|provide|refund|accept|allow)\b"
    r"|\bis (?:it|there|a refund)\b.{0,30}\b(?:possible|available|way|chance|refund)\b|\bare \w+(?: \w+)? refund"
    r"|\b(?:can|could|may|would|do|will) (?:i|we|you|one) (?:still )?(?:get|receive|have|be|ask for|request)"
    r".{0,40}\bif\b"
    r"|\bwhat (?:if|happens)\b|^\W*(?:how|where) (?:can|do|could|should|would|may|to)\b",
    re.IGNORECASE,
)
REFUND_DEMAND = re.compile(
    r"\b(?:want|need|demand|give|send)\b.{0,20}\b(?:my|those|that|the) (?:\w+ ){0,3}back\b|\brefund me\b"
    r"|\b(?:you|they) (?:have )?(?:over)?(?:charged|billed) me\b|\bi was (?:charged|billed)\b"
    r"|\bi (?:want|demand) (?:a|my) (?:full )?refund\b|\bwhere is my (?:refund|money)\b"
    r"|\bwaiting for (?:my|the|a) (?:refund|money)",
    re.IGNORECASE,
)
OUTRAGE = re.compile(
    r"\b(?:disgrac\w+|disgust\w+|unaccept[ai]ble|ridiculous|outrage\w*|pathetic|appalling|atrocious|shame(?:ful)?"
    r"|ashamed|scam(?:mers?|med)?|fraudsters?|fraudulent company|rip ?-?off|liars?|lied|cheat(?:ed|ing)"
    r"|incompeten\w+|furious"
    r"|fed up|sick (?:of|and tired)|worst|horrible|terrible|awful|useless|bullshit|crap(?:py)?|fucking|never again"
    r"|waste of (?:time|money)|(?:is|what|such) a joke|(?:very|so) bad|sucks?|disappoint\w+|unhappy|dissatisf\w+"
    r"|rude|unprofessional"
    r"|(?:second|third|fourth|fifth|2nd|3rd|\w+th) time i|ignor(?:ing|ed) me|complain(?:ts?|ing)?|claim against"
    r"|reclamation|one star|had enough|nobody (?:ever )?(?:answers|replies|responds|gets back|helps|cares))\b",
    re.IGNORECASE,
)
ALARM = re.compile(
    r"\b(?:(?:is|are|was|went|been|completely|totally|all|everything) down\b(?! ?load)|outage|offline for (?:all"
    r"|every)"
    r"|production|emergenc\w+|urgent\w*|immediately|asap|right (?:now|away)|hack(?:ed|er|ers)|break ?-?in|broken into"
    r"|compromised|breach\w*|leak(?:ed|s)?|phish\w+|ransom\w*|malware|vulnerabilit\w+|stolen?|stole|steal\w*|theft"
    r"|thief"
    r"|fraud\w*|unauthori[sz]ed|suspicious|did ?n[o']?t (?:make|authori[sz]e|recogni[sz]e)|not made by me"
    r"|don'?t recogni[sz]e|unknown (?:transaction|payment|charge)s?|unrecogni[sz]ed|lost (?:my|the|our|all)"
    r"|missing (?:card|wallet|money|passport)|block my card|freeze my|lawyer|attorney|sue|suing|court|lawsuit"
    r"|legal action|solicitor|police|authorit(?:y|ies)|ombudsman|regulator|locked out|data loss|deleted everything"
    r"|lost (?:everything|data)|all (?:my|our) (?:data|files) (?:is|are) gone|losing (?:money|customers|sales)"
    r"|stand(?:ing)? still|stranded|fire|smoke|burn(?:ed|ing|t)?|gas|explo\w+|electric shock|injur\w+|hurt|allergic"
    r"|poison\w*|swallowed|hospital|ambulance)\b",
    re.IGNORECASE,
)
ASKS_HOW = re.compile(
    r"^\W*(?:(?:hi|hello|hey)\W+)?(?:how|what|where|which|who|do you|does|is there|are there|can i|could i"
    r"|tell me)\b",
    re.IGNORECASE,
)
GLAD = re.compile(
    r"\b(?:thank(?:s| you)|thx|great|awesome|perfect|love|excellent|wonderful|amazing|fantastic|brilliant|happy"
    r"|pleased"
    r"|helpful|appreciate\w*|nice work|good job|well done)\b|[\U0001f600-\U0001f60d\U0001f970\U0001f44d\u2764]",
    re.IGNORECASE,
)
TROUBLED = re.compile(
    r"\b(?:not happy|annoy\w+|frustrat\w+|angry|upset|bad|poor|hate|worr(?:y|ied)|problem|issue|wrong|broken|fail\w*"
    r"|crash\w*|stuck|can'?t|cannot|won'?t|does ?n'?t work|not working|still (?:no|not|waiting)|hack(?:ed)?|stolen)\b"
    r"|[\U0001f620-\U0001f62d]",
    re.IGNORECASE,
)


def wants_money_back(text: str) -> bool:
    """Whether the customer wants money back now; a question about the rules of refunds is not that."""
    if not MONEY_BACK.search(text):
        return False
    return not POLICY_QUESTION.search(text) or bool(REFUND_DEMAND.search(text))


def is_outraged(text: str) -> bool:
    """Whether the words complain."""
    return bool(OUTRAGE.search(text))


def is_alarming(text: str) -> bool:
    """Whether the words name something that cannot wait."""
    return bool(ALARM.search(text))


def asks_how(text: str) -> bool:
    """Whether the text opens like a question for information."""
    return bool(ASKS_HOW.match(text))


def is_glad(text: str) -> bool:
    """Whether the words are friendly or thankful."""
    return bool(GLAD.search(text))


def is_troubled(text: str) -> bool:
    """Whether the words tell of trouble."""
    return bool(TROUBLED.search(text))
