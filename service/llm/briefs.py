"""What the model is given for each kind of answer: the caller's wishes, and what others wrote, kept apart from them."""

from service.database.models import Job, Profile
from service.domain.cover_letters import Length, Material, Tone
from service.llm.assistant import Ask, Asker
from service.llm.personal import Personal
from service.llm.untrusted import untrusted

COVER_LETTER, QUESTION = "cover_letter", "question"
# Longer than the words that the prompt allows, in most languages.
_MOST_TOKENS = {Length.SHORT: 400, Length.MEDIUM: 800, Length.LONG: 1400}
_ANSWER_TOKENS = 800
FEWEST_TOKENS = min(_MOST_TOKENS.values())
"""That any answer may have: no call asks for less."""


def cover_letter(
    asker: Asker, policy: str, made_of: Material, *, tone: Tone, length: Length, personal: Personal
) -> Ask:
    """Ask for a cover letter.

    Args:
        asker: for whom.
        policy: of the route.
        made_of: profile, CV and advert.
        tone: of the letter.
        length: of the letter.
        personal: what the provider is not told of people.
    """
    cv = personal.material("curriculum-vitae", made_of.cv)
    text = f"tone: {tone}\nlength: {length}\n\n{untrusted('advert', advert(made_of.job))}\n\n{cv}"
    return Ask(policy, asker, COVER_LETTER, text, _MOST_TOKENS[length], _own(made_of.profile, made_of.job))


def question(asker: Asker, policy: str, profile: Profile, asked: str, *, personal: Personal) -> Ask:
    """Ask something about a profile.

    Args:
        asker: whose.
        policy: of the route.
        profile: it is about this; one with a CV.
        asked: what is asked.
        personal: what the provider is not told of people.
    """
    told = personal.material("question", asked)
    cv = personal.material("curriculum-vitae", profile.cv_content or "")
    text = f"{told}\n\n{cv}"
    return Ask(policy, asker, QUESTION, text, _ANSWER_TOKENS, _own(profile))


def advert(job: Job) -> str:
    """Give a posting as text."""
    return f"{job.title}\n{job.company}, {job.location}\n\n{job.description}"


def _own(profile: Profile, job: Job | None = None) -> tuple[str, ...]:
    told = (profile.email, profile.phone, profile.cv_content, None if job is None else advert(job))
    return tuple(text for text in told if text)
