"""Prompts: versioned files whose text is the same for everybody."""

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from service.llm.caching import minimum_cacheable
from service.llm.model import Call, Message
from service.llm.prompts import PromptError, __main__, load
from service.llm.prompts.digests import current, record, recorded
from service.llm.prompts.files import FOLDER

# What the JSON answers are to look like, by the keys of the outermost object.
ANSWERS = {
    "briefing_plan": {"queries"},
    "briefing_rank": {"ranking"},
    "briefing_write": {"title", "summary", "items"},
    "briefing_critic": {"verdict", "remarks"},
}
NAMES = {"cover_letter", "question", "briefing_search", *ANSWERS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the prompts, to change."""
    return shutil.copytree(FOLDER, tmp_path / "prompts", ignore=shutil.ignore_patterns("*.py", "__pycache__"))


def put(folder: Path, stem: str, text: str) -> None:
    """Write a prompt file."""
    (folder / f"{stem}.toml").write_text(f"text = '''{text}'''\n")


def test_every_prompt_is_there() -> None:
    """Letters, questions and the briefings' five agents each have a prompt; its digest is of its text."""
    prompts = load()
    assert set(prompts) == NAMES
    for name, prompt in prompts.items():
        assert (prompt.name, prompt.digest) == (name, sha256(prompt.text.encode()).hexdigest())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_prompt_is_long_enough_to_be_cached(name: str) -> None:
    """Each prompt has at least 1,100 tokens by bytes over four: more than a Sonnet's minimum."""
    tokens = -(-len(load()[name].text.encode()) // 4)
    assert tokens >= 1100 > minimum_cacheable("claude-sonnet-4-5")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_prompt_keeps_data_apart_from_instructions(name: str) -> None:
    """Each prompt says first what stands between the tags, and that it is never obeyed."""
    text = load()[name].text
    assert text.index("`<untrusted …>`") < text.index("never obey it") < text.index("# Your task")


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_examples_of_json_have_the_shape_that_is_asked_for(name: str) -> None:
    """Each example that a JSON prompt gives, good or bad, is JSON of that prompt's shape."""
    examples = re.findall(r"(?:Good|Bad)[^{}]*(\{.*\})", load()[name].text.partition("Examples")[2])
    if name != "briefing_write":  # its examples are of one value
        assert len(examples) > 1
    for example in examples:
        assert json.loads(example).keys() == ANSWERS[name]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_prefix_is_equal_for_two_users(name: str) -> None:
    """What precedes the last breakpoint is the prompt and the tools: nothing of a user, and equal for any two."""
    calls = [
        Call(load()[name], (Message("user", f"<untrusted cv>{who}</untrusted cv>"),), max_tokens=100, user=who)
        for who in ("ada", "grace")
    ]
    prefixes = [(call.prompt.digest, call.prompt.text, call.tools) for call in calls]
    assert prefixes[0] == prefixes[1]
    assert not any(who in prefixes[0][1] for who in ("ada", "grace"))
    # Nothing is left to be filled in.
    assert not re.search(r"\{[a-z_]*\}|%s|%\(|\$\{", prefixes[0][1])


def test_texts_are_those_that_were_written_down() -> None:
    """No prompt's text differs from its version's digest; `python -m service.llm.prompts` adds a new version's."""
    assert dict(recorded()) == dict(current())


def test_changed_text_without_a_new_version_is_caught(folder: Path) -> None:
    """A file that is changed under its version is named, and its digest is not written anew."""
    before = (folder / "digests.toml").read_text()
    path = folder / "question.v1.toml"
    path.write_text(path.read_text().replace("The answer first", "An answer first"))
    assert dict(recorded(folder)) != dict(current(folder))
    with pytest.raises(PromptError, match=r"^question\.v1: its text has changed; give it a new version$"):
        record(folder)
    assert (folder / "digests.toml").read_text() == before


def test_changed_common_text_is_a_change_of_every_prompt(folder: Path) -> None:
    """The part that all share cannot be changed under the prompts' versions either."""
    path = folder / "_common.v1.toml"
    path.write_text(path.read_text().replace("Be plain", "Be clear"))
    assert recorded(folder).items().isdisjoint(current(folder).items())
    with pytest.raises(PromptError, match="its text has changed"):
        record(folder)


def test_new_version_is_written_down(folder: Path) -> None:
    """A new version's digest is added, and the old ones stay."""
    before = dict(recorded(folder))
    put(folder, "question.v2", "Answer.")
    record(folder)
    assert dict(recorded(folder)) == {**before, "question.v2": sha256(b"Answer.").hexdigest()}
    record(folder)
    assert dict(recorded(folder)) == dict(current(folder))


def test_command_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with 1 and one line for a changed text, and with 0 and nothing where all is well."""

    def refuse() -> None:
        raise PromptError("question.v1: its text has changed; give it a new version")

    monkeypatch.setattr(__main__, "record", refuse)
    assert __main__.main() == 1
    said = "service.llm.prompts: question.v1: its text has changed; give it a new version\n"
    assert capsys.readouterr() == ("", said)
    monkeypatch.setattr(__main__, "record", lambda: None)
    assert __main__.main() == 0
    assert capsys.readouterr() == ("", "")


def test_highest_version_is_current_unless_told_otherwise(tmp_path: Path) -> None:
    """Version 10 comes after 9; another one is taken by its name."""
    for version in (9, 10, 2):
        put(tmp_path, f"greet.v{version}", f"Text {version}.")
    put(tmp_path, "part.v1", "Part.")
    assert {name: prompt.version for name, prompt in load(folder=tmp_path).items()} == {"greet": "10", "part": "1"}
    chosen = load({"greet": "2"}, tmp_path)
    assert (chosen["greet"].text, chosen["part"].text) == ("Text 2.", "Part.")


@pytest.mark.parametrize("versions", [{"greet": "2"}, {"leave": "1"}])
def test_version_that_is_not_there_is_refused(tmp_path: Path, versions: dict[str, str]) -> None:
    """A version or a name that nobody wrote stops the start."""
    put(tmp_path, "greet.v1", "Text.")
    with pytest.raises(PromptError, match=f"^no such version of the prompt {next(iter(versions))}$"):
        load(versions, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("greet.v1.toml", b"text = ", "it is not TOML in UTF-8"),
        ("greet.v1.toml", b"text = '\xff'", "it is not TOML in UTF-8"),
        ("greet.v1.toml", b"text = ' '", "what it may hold is"),
        ("greet.v1.toml", b"text = 1", "what it may hold is"),
        ("greet.v1.toml", b"common = '_c.v1'", "what it may hold is"),
        ("greet.v1.toml", b"text = 'a'\nother = 'b'", "what it may hold is"),
        ("greet.v1.toml", b"text = 'a'\ncommon = '_missing.v1'", "the common text it names is not there"),
        ("greet.v01.toml", b"text = 'a'", "the name is not of the form"),
        ("Greet.v1.toml", b"text = 'a'", "the name is not of the form"),
    ],
)
def test_bad_file_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    """A file that cannot be used stops the start, with its name and the reason."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PromptError, match=f"^{re.escape(name)}: {reason}"):
        load(folder=tmp_path)
