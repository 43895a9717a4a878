"""The forms of the shop."""

from __future__ import annotations

from django import forms

from .models import Book, Review, Tag


def language_choices() -> list[tuple[str, str]]:
    """The languages that the shop has books in, for a select box."""
    languages = Book.objects.order_by("language").values_list("language", flat=True).distinct()
    return [("", "Any language"), *((language, language) for language in languages)]


class SearchForm(forms.Form):
    """What a reader is looking for."""

    q = forms.CharField(
        label="Words in title, author or cover text",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "whale, Brontë, Faust"}),
    )
    language = forms.ChoiceField(label="Written in", required=False, choices=language_choices)
    tag = forms.ModelChoiceField(
        Tag.objects.all(),
        label="Subject",
        required=False,
        to_field_name="slug",
        empty_label="Any subject",
    )


class LatencyForm(forms.Form):
    """How long each query of the dashboard takes in the database, beyond its work."""

    latency = forms.IntegerField(
        label="Each query waits, in ms",
        required=False,
        min_value=0,
        max_value=1000,
        widget=forms.NumberInput(attrs={"step": 10, "placeholder": "0"}),
    )
    uneven = forms.BooleanField(label="The slowest; the others wait a share of it", required=False)


class ReviewForm(forms.ModelForm):
    """A reader's opinion of a book."""

    class Meta:
        model = Review
        fields = ["rating", "text"]
        labels = {"rating": "Stars", "text": "What should other readers know?"}
        help_texts = {"rating": ""}
        widgets = {
            "rating": forms.Select(choices=[(n, "★" * n) for n in range(5, 0, -1)]),
            "text": forms.Textarea(attrs={"rows": 4, "maxlength": 2000}),
        }
