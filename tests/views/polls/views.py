"""The views of the site. The test runs this file a second time with one import changed."""

from django.db.models import F
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.views import generic

from tests.views.polls.models import Choice, Question


class IndexView(generic.ListView):
    """The three newest questions."""

    template_name = "polls/index.html"
    context_object_name = "newest"

    def get_queryset(self):
        return Question.objects.filter(published__lte=timezone.now()).order_by("-published")[:3]


class DetailView(generic.DetailView):
    """A question and a form to vote with."""

    model = Question
    template_name = "polls/detail.html"

    def get_queryset(self):
        return Question.objects.filter(published__lte=timezone.now())


class ResultsView(generic.DetailView):
    """How often each answer was chosen."""

    model = Question
    template_name = "polls/results.html"


def vote(request, pk):
    """Count a vote, or show the form again."""
    question = get_object_or_404(Question, pk=pk)
    try:
        choice = question.choice_set.get(pk=request.POST["choice"])
    except (KeyError, Choice.DoesNotExist):
        context = {"question": question, "error": "Which one is it?"}
        return render(request, "polls/detail.html", context)
    choice.votes = F("votes") + 1
    choice.save()
    return HttpResponseRedirect(reverse("polls:results", args=[question.pk]))


urlpatterns = [
    path("", IndexView.as_view(), name="index"),
    path("<int:pk>/", DetailView.as_view(), name="detail"),
    path("<int:pk>/results/", ResultsView.as_view(), name="results"),
    path("<int:pk>/vote/", vote, name="vote"),
]
