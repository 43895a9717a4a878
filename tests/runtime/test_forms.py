"""Forms that are shown by plans look as Django shows them, and what a site has written is called."""

from functools import partial

import pytest
from django import forms
from django.forms import renderers
from django.forms.boundfield import BoundField
from django.template import Context, Engine, TemplateDoesNotExist
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from atemplates.compiler import templates
from atemplates.compiler.plan import PLAN_ATTRIBUTE, REPEATED_ATTRIBUTE
from atemplates.engines.django import arender_template, render_template
from atemplates.forms import DjangoTemplates as OurRenderer
from atemplates.runtime import forms as form_plans


class OwnRenderer(renderers.DjangoTemplates):
    def render(self, template_name, context, request=None):
        return mark_safe(f"[{template_name}]{super().render(template_name, context, request)}")


class OwnTemplates(renderers.DjangoTemplates):
    def get_template(self, template_name):
        return super().get_template(template_name.replace("label", "attrs"))


class Loud(forms.TextInput):
    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["data-x"] = f"<{value}>"
        return context


class Drawn(forms.TextInput):
    def render(self, name, value, attrs=None, renderer=None):
        return mark_safe(f"<i>{name}={value!r} {sorted(attrs)} {renderer is None}</i>")


class Nothing(forms.TextInput):
    def __bool__(self):
        return False


class Boxed(forms.TextInput):
    def _render(self, template_name, context, renderer=None):
        return mark_safe(
            f"<b>{template_name}</b>{super()._render(template_name, context, renderer)}"
        )


class OwnBoundField(BoundField):
    def label_tag(self, contents=None, attrs=None, label_suffix=None, tag=None):
        return super().label_tag("L & " + str(contents), {"class": "x"}, "!", tag)

    def build_widget_attrs(self, attrs, widget=None):
        return {**super().build_widget_attrs(attrs, widget), "kind": type(widget).__name__}

    def css_classes(self, extra_classes=None):
        return super().css_classes(["own"])


class OwnField(forms.CharField):
    def get_bound_field(self, form, field_name):
        return OwnBoundField(form, self, field_name)


class Contact(forms.Form):
    """Fields of many kinds."""

    required_css_class = "needed"
    error_css_class = "wrong"

    name = forms.CharField(help_text="<b>Yours</b>", max_length=3)
    mail = forms.EmailField(label=gettext_lazy("Mail?"), initial="<a@b>")
    size = forms.ChoiceField(choices=[("Groups", [("a", "A & B")]), ("c", "C")])
    kinds = forms.MultipleChoiceField(
        choices=lambda: [("x", "X"), ("y", "Y")], widget=forms.CheckboxSelectMultiple
    )
    radio = forms.ChoiceField(choices=[(1, "1"), (2, "<2>")], widget=forms.RadioSelect)
    text = forms.CharField(widget=forms.Textarea(attrs={"rows": 3, "id": "t"}), required=False)
    count = forms.IntegerField(initial=12345, localize=True, disabled=True)
    when = forms.SplitDateTimeField(required=False, label="")
    kept = forms.CharField(show_hidden_initial=True, initial="k")
    secret = forms.CharField(widget=forms.HiddenInput, initial='"quoted"')
    loud = forms.CharField(widget=Loud, initial=lambda: "later", label_suffix="...")
    drawn = forms.CharField(widget=Drawn)
    none = forms.CharField(widget=Nothing)
    boxed = forms.CharField(widget=Boxed(attrs={"aria-describedby": "z"}))
    own = OwnField(error_messages={"required": "<Missing>"})

    def clean(self):
        raise forms.ValidationError(["All <wrong>", "And more"])


class OwnForm(Contact):
    def render(self, template_name=None, context=None, renderer=None):
        return mark_safe("form:" + super().render(template_name, context, renderer))


class OwnText(Contact):
    def __str__(self):
        return "<own text>"


class OwnContext(Contact):
    template_name = "django/forms/p.html"
    template_name_label = "django/forms/attrs.html"

    def get_context(self):
        return {**super().get_context(), "errors": "no <errors>"}


class NoIds(Contact):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "auto_id": False, "label_suffix": ""})
        self.fields["name"].widget.render = lambda **given: f"<instance {sorted(given)}>"


class Replaced(Contact):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.render = lambda *args, **kwargs: f"<replaced {args[:1]}>"


FORMS = [Contact, OwnForm, OwnText, OwnContext, NoIds, Replaced]
DJANGO, OURS, *OTHERS = [
    renderers.DjangoTemplates(),
    OurRenderer(),
    OwnRenderer(),
    OwnTemplates(),
    renderers.Jinja2(),
]
"""Made once: each reads and compiles its templates anew."""
DATA = [None, {"size": "zzz", "when_0": "never", "name": "<long>", "radio": "2", "kinds": ["x"]}]
SOURCES = [
    "{{ form }}",
    "{{ form.as_p }}{{ form.as_table }}{{ form.as_ul }}{{ form.as_div }}",
    "{% for field in form %}{{ field.label_tag }}{{ field.legend_tag }}{{ field }}"
    "{{ field.errors }}{{ field.as_field_group }}{{ field.css_classes }}{% endfor %}",
    "{% autoescape off %}{{ form }}{{ form.name }}{{ form.name.errors }}{% endautoescape %}",
    "{{ form.errors }}{{ form.errors.as_text }}{{ form.errors.as_ul }}{{ form.non_field_errors }}"
    "{{ form.name.errors.as_text }}{{ form.errors.as_json }}",
    "{{ form.kinds.0 }}{{ form.kinds.9 }}{{ form.radio.1.tag }}{{ form.name.absent }}{{ form.x }}"
    "{% for box in form.radio %}{{ box }}{{ box.choice_label }}{{ box.id_for_label }}{% endfor %}",
    "{{ form.name|upper }}{{ form.name|length }}{{ form.name.label_tag|cut:'l' }}{{ form|safe }}",
    "{% if form.name.errors %}e{% endif %}{% with f=form.mail %}{{ f }}{{ f.value }}{% endwith %}",
    "{% include 'part' with field=form.mail %}{% include 'part' with field=form.loud %}",
    "{{ formset }}{{ formset.as_table }}{{ formset.management_form }}{{ formset.non_form_errors }}",
]
PARTS = {"part": "<{{ field.name }}>{{ field.label_tag }}{{ field }}{{ field.help_text }}"}


def parsed(source):
    loaders = [("django.template.loaders.locmem.Loader", {**PARTS, "main": source})]
    return Engine(loaders=loaders, string_if_invalid="?").get_template("main")


def values(kind, renderer, data):
    formset = forms.formset_factory(kind, extra=1)(form_kwargs={"renderer": renderer})
    formset.renderer = renderer
    return Context({"form": kind(data, renderer=renderer), "formset": formset})


def shown(render, kind, renderer, data):
    try:
        return render(values(kind, renderer, data))
    except Exception as error:
        return type(error), str(error)


CASES = [(kind, OURS if kind is OwnContext else DJANGO, 0) for kind in FORMS]
CASES += [(Contact, renderer, 0) for renderer in (OURS, *OTHERS)] + [(Contact, DJANGO, 10**9)]


@pytest.mark.parametrize(("kind", "renderer", "interpreted"), CASES)
async def test_forms_look_as_in_django(monkeypatch, kind, renderer, interpreted):
    monkeypatch.setattr(form_plans, "INTERPRETED", interpreted)
    for source in SOURCES:
        stock, ours = parsed(source), parsed(source)
        for data in DATA:
            expected = shown(stock.render, kind, renderer, data)
            found = shown(partial(render_template, ours), kind, renderer, data)
            assert found == expected
            assert type(found) is type(expected)
        assert await arender_template(ours, values(kind, renderer, data)) == expected


async def test_a_page_that_has_been_learned(monkeypatch):
    """From the loop to the thread and back, and from interpreted to compiled templates."""
    monkeypatch.setattr(form_plans, "INTERPRETED", 1)
    kind = templates.Template  # as it is outside tests
    monkeypatch.setattr(templates, "SHIPPED", (kind.render, kind._render))
    source = "{{ form }}{{ form.name }}"
    renderer = renderers.DjangoTemplates()
    ours = parsed(source)
    expected = parsed(source).render(values(Contact, renderer, DATA[1]))
    for _ in range(20):
        assert await arender_template(ours, values(Contact, renderer, DATA[1])) == expected
    for name in ("div.html", "field.html", "label.html", "widgets/text.html"):
        template = renderer.get_template(f"django/forms/{name}").template
        assert PLAN_ATTRIBUTE in vars(template.nodelist)
        assert REPEATED_ATTRIBUTE in vars(template.nodelist)


def test_a_template_that_is_shown_seldom_is_not_compiled():
    renderer = renderers.DjangoTemplates()
    render_template(parsed("{{ form }}"), values(Contact, renderer, None))
    template = renderer.get_template("django/forms/div.html").template
    assert PLAN_ATTRIBUTE not in vars(template.nodelist)


@pytest.mark.parametrize(
    "source", ["{{ form.name }}", "{{ form.as_p }}", "{{ form.name.label_tag }}"]
)
def test_a_template_that_does_not_exist(source):
    class Lost(Contact):
        template_name_label = template_name_p = "lost.html"
        name = forms.CharField(widget=type("W", (forms.TextInput,), {"template_name": "lost.html"}))

    template = parsed(source)
    with pytest.raises(TemplateDoesNotExist) as stock:
        template.render(values(Lost, DJANGO, None))
    with pytest.raises(TemplateDoesNotExist) as ours:
        render_template(template, values(Lost, DJANGO, None))
    assert str(ours.value) == str(stock.value) == "lost.html"
    assert ours.value.backend is stock.value.backend


def test_a_widget_that_gives_no_text():
    class Numbers(forms.TextInput):
        def render(self, name, value, attrs=None, renderer=None):
            return 7

    class Form(forms.Form):
        name = forms.CharField(widget=Numbers)

    for render in (lambda template, context: template.render(context), render_template):
        with pytest.raises(TypeError, match=r"__str__ returned non-string \(type int\)"):
            render(parsed("{{ form.name }}"), Context({"form": Form()}))


def test_what_a_silent_exception_of_a_form_gives():
    class Silent(Exception):
        silent_variable_failure = True

    class Form(Contact):
        def get_context(self):
            raise Silent

    source = "<{{ form.as_p }}>"
    expected = parsed(source).render(values(Form, DJANGO, None))
    assert render_template(parsed(source), values(Form, DJANGO, None)) == expected == "<?>"


def test_the_invalid_text_of_the_page_is_not_that_of_the_form():
    """Each engine has its own, and the page goes on with its own."""
    source = "{{ form.mail.label_tag }}{{ absent }}{{ form.name }}{{ absent }}"
    expected = parsed(source).render(values(Contact, OURS, None))
    assert render_template(parsed(source), values(Contact, OURS, None)) == expected
    assert expected.count("?") == 3
