"""Tags and filters that Django has in libraries to load, by library."""

from .construct import Construct

HUMANIZE = (
    Construct("apnumber", "{{ row.digit|apnumber }}", load="humanize"),
    Construct(
        "intcomma", "{{ row.big|intcomma }}", '{{ "{:,}".format(row.big) }}', load="humanize"
    ),
    Construct("intcomma of float", "{{ row.ratio|intcomma }}", load="humanize"),
    Construct("intword", "{{ row.big|intword }}", load="humanize"),
    Construct("naturalday", "{{ row.day|naturalday }}", load="humanize"),
    Construct("naturaltime", "{{ row.when|naturaltime }}", load="humanize"),
    Construct("ordinal", "{{ row.number|ordinal }}", load="humanize"),
)

STATIC = (
    Construct("static", '{% static "site.css" %}', '{{ static("site.css") }}', load="static"),
    Construct("static variable", "{% static row.file %}", "{{ static(row.file) }}", load="static"),
    Construct(
        "static as",
        '{% static "site.css" as css %}{{ css }}',
        '{% set css = static("site.css") %}{{ css }}',
        load="static",
    ),
    Construct("get_static_prefix", "{% get_static_prefix %}", load="static"),
    Construct("get_media_prefix", "{% get_media_prefix as prefix %}{{ prefix }}", load="static"),
)

I18N = (
    Construct("translate", '{% translate "Yes" %}', '{{ _("Yes") }}', load="i18n"),
    Construct("translate variable", "{% translate row.name %}", "{{ _(row.name) }}", load="i18n"),
    Construct(
        "translate context",
        '{% translate "May" context "abbrev. month" %}',
        '{{ pgettext("abbrev. month", "May") }}',
        load="i18n",
    ),
    Construct(
        "translate as",
        '{% translate "Yes" as yes %}{{ yes }}',
        '{% set yes = _("Yes") %}{{ yes }}',
        load="i18n",
    ),
    Construct("trans", '{% trans "Yes" %}', '{{ _("Yes") }}', load="i18n"),
    Construct(
        "blocktranslate",
        "{% blocktranslate %}Some text{% endblocktranslate %}",
        "{% trans %}Some text{% endtrans %}",
        load="i18n",
    ),
    Construct(
        "blocktranslate with",
        "{% blocktranslate with name=row.name %}Hello {{ name }}{% endblocktranslate %}",
        "{% trans name=row.name %}Hello {{ name }}{% endtrans %}",
        load="i18n",
    ),
    Construct(
        "blocktranslate variable",
        "{% blocktranslate %}Hello {{ word }}{% endblocktranslate %}",
        "{% trans word=word %}Hello {{ word }}{% endtrans %}",
        load="i18n",
    ),
    Construct(
        "blocktranslate count",
        "{% blocktranslate count counter=row.number %}{{ counter }} thing"
        "{% plural %}{{ counter }} things{% endblocktranslate %}",
        "{% trans counter=row.number %}{{ counter }} thing"
        "{% pluralize counter %}{{ counter }} things{% endtrans %}",
        load="i18n",
    ),
    Construct(
        "blocktranslate trimmed",
        "{% blocktranslate trimmed %}\n  Some\n  text\n{% endblocktranslate %}",
        "{% trans trimmed %}\n  Some\n  text\n{% endtrans %}",
        load="i18n",
    ),
    Construct(
        "blocktranslate asvar",
        "{% blocktranslate asvar text %}Some text{% endblocktranslate %}{{ text }}",
        "{% set text %}{% trans %}Some text{% endtrans %}{% endset %}{{ text }}",
        load="i18n",
    ),
    Construct(
        "blocktrans",
        "{% blocktrans with name=row.name %}Hello {{ name }}{% endblocktrans %}",
        "{% trans name=row.name %}Hello {{ name }}{% endtrans %}",
        load="i18n",
    ),
    Construct(
        "language",
        '{% language "de" %}{% translate "Yes" %}{% endlanguage %}',
        load="i18n",
    ),
    Construct(
        "get_available_languages",
        "{% get_available_languages as languages %}{{ languages.0.0 }}",
        load="i18n",
    ),
    Construct("get_current_language", "{% get_current_language as code %}{{ code }}", load="i18n"),
    Construct(
        "get_current_language_bidi",
        "{% get_current_language_bidi as bidi %}{{ bidi }}",
        load="i18n",
    ),
    Construct(
        "get_language_info",
        "{% get_language_info for row.code as info %}{{ info.name_local }}",
        load="i18n",
    ),
    Construct(
        "get_language_info_list",
        "{% get_language_info_list for row.codes as infos %}{{ infos.0.name_local }}",
        load="i18n",
    ),
    Construct("language_name", "{{ row.code|language_name }}", load="i18n"),
    Construct("language_name_local", "{{ row.code|language_name_local }}", load="i18n"),
    Construct("language_name_translated", "{{ row.code|language_name_translated }}", load="i18n"),
    Construct("language_bidi", "{{ row.code|language_bidi }}", load="i18n"),
)

L10N = (
    Construct("localize filter", "{{ row.ratio|localize }}", load="l10n"),
    Construct("unlocalize", "{{ row.ratio|unlocalize }}", load="l10n"),
    Construct("localize", "{% localize on %}{{ row.ratio }}{% endlocalize %}", load="l10n"),
    Construct("localize off", "{% localize off %}{{ row.ratio }}{% endlocalize %}", load="l10n"),
)

TZ = (
    Construct("localtime filter", '{{ row.when|localtime|date:"H:i" }}', load="tz"),
    Construct("timezone filter", '{{ row.when|timezone:"Asia/Tokyo"|date:"H:i" }}', load="tz"),
    Construct("utc", '{{ row.when|utc|date:"H:i" }}', load="tz"),
    Construct(
        "localtime", '{% localtime off %}{{ row.when|date:"H:i" }}{% endlocaltime %}', load="tz"
    ),
    Construct(
        "timezone",
        '{% timezone "Asia/Tokyo" %}{{ row.when|date:"H:i" }}{% endtimezone %}',
        load="tz",
    ),
    Construct("get_current_timezone", "{% get_current_timezone as zone %}{{ zone }}", load="tz"),
)

CACHE = (
    Construct("cache", "{% cache 600 matrix %}{{ word }}{% endcache %}", load="cache"),
    Construct(
        "cache vary", "{% cache 600 matrix row.digit %}{{ row.digit }}{% endcache %}", load="cache"
    ),
)
