"""Ordinary letters come out as they were written: what is replaced by mistake is a letter spoiled."""

import random
from pathlib import Path

import pytest
from faker import Faker

from service.domain.catalogue import catalogue
from tests.service.llm.answers import divided, said

LETTERS = Path(__file__).with_name("letters.txt").read_text(encoding="utf-8").split("\n====\n")


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_is_left_alone(letter):
    """Years, sums, dates, versions, addresses of pages and ids are nobody's secret."""
    assert said([letter]) == letter
    assert said(divided(letter, random.Random(1))) == letter


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR", "es_ES", "pl_PL", "ru_RU", "ja_JP", "zh_CN", "ar_AA"])
def test_prose_of_many_languages_is_left_alone(locale):
    """Sentences, companies, professions, cities and dates of nine languages come out as they were."""
    fake = Faker(locale)
    fake.seed_instance(6)
    for _ in range(40):
        parts = (fake.paragraph(4), fake.company(), fake.job(), fake.city(), fake.date(), fake.paragraph(3))
        text = "\n".join(parts)
        assert said(divided(text, random.Random(2))) == text


def test_the_catalogue_is_left_alone():
    """Every job that can be written about comes out as it is stored."""
    for job in catalogue(size=100):
        text = f"About {job.title} at {job.company} ({job.id}): {job.description}"
        assert said([text]) == text
