"""Questions and the answers that can be voted for. The app has no migrations."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone


class Question(models.Model):
    """What is asked; before its time it is not on the site."""

    text = models.CharField(max_length=100)
    published = models.DateTimeField()

    def __str__(self) -> str:
        return self.text

    @property
    def is_new(self) -> bool:
        return timezone.now() - self.published < timedelta(days=1)


class Choice(models.Model):
    """One of a question's answers."""

    question = models.ForeignKey(Question, models.CASCADE)
    text = models.CharField(max_length=100)
    votes = models.IntegerField(default=0)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text
