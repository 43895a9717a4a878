"""Django's filters of numbers, dates, lists and anything."""

from .construct import Construct

CONSTRUCTS = (
    Construct("add", "{{ row.number|add:5 }}", "{{ row.number + 5 }}"),
    Construct("add text", '{{ row.name|add:"!" }}', '{{ row.name + "!" }}'),
    Construct("divisibleby", "{{ row.number|divisibleby:3 }}", "{{ row.number is divisibleby 3 }}"),
    Construct("filesizeformat", "{{ row.big|filesizeformat }}"),
    Construct("floatformat", "{{ row.ratio|floatformat }}"),
    Construct("floatformat 2", "{{ row.ratio|floatformat:2 }}", '{{ "%.2f"|format(row.ratio) }}'),
    Construct("floatformat of Decimal", "{{ row.price|floatformat:2 }}"),
    Construct("floatformat of int", "{{ row.number|floatformat:2 }}"),
    Construct("get_digit", "{{ row.number|get_digit:1 }}"),
    Construct("pluralize", "thing{{ row.number|pluralize }}"),
    Construct("pluralize with two", 'c{{ row.number|pluralize:"y,ies" }}'),
    Construct(
        "stringformat", '{{ row.number|stringformat:"05d" }}', '{{ "%05d"|format(row.number) }}'
    ),
    Construct("date", '{{ row.day|date:"d.m.Y" }}', '{{ row.day.strftime("%d.%m.%Y") }}'),
    Construct("date of datetime", '{{ row.when|date:"Y-m-d H:i" }}'),
    Construct("date default", "{{ row.day|date }}"),
    Construct("time", '{{ row.time|time:"H:i" }}', '{{ row.time.strftime("%H:%M") }}'),
    Construct("timesince", "{{ row.when|timesince:later }}"),
    Construct("timeuntil", "{{ row.when|timeuntil:earlier }}"),
    Construct("default", '{{ row.empty|default:"-" }}', '{{ row.empty|default("-", true) }}'),
    Construct("default unused", '{{ row.name|default:"-" }}', '{{ row.name|default("-", true) }}'),
    Construct(
        "default_if_none",
        '{{ row.none|default_if_none:"-" }}',
        '{{ "-" if row.none is none else row.none }}',
    ),
    Construct(
        "yesno",
        '{{ row.odd|yesno:"yes,no,perhaps" }}',
        '{{ "yes" if row.odd else "perhaps" if row.odd is none else "no" }}',
    ),
    Construct(
        "dictsort",
        '{% for each in row.dicts|dictsort:"x" %}{{ each.x }}{% endfor %}',
        '{% for each in row.dicts|sort(attribute="x") %}{{ each.x }}{% endfor %}',
    ),
    Construct(
        "dictsortreversed",
        '{% for each in row.dicts|dictsortreversed:"x" %}{{ each.x }}{% endfor %}',
        '{% for each in row.dicts|sort(attribute="x", reverse=true) %}{{ each.x }}{% endfor %}',
    ),
    Construct("escapeseq", '{{ row.parts|escapeseq|join:"," }}'),
    Construct("first", "{{ row.tags|first }}", "{{ row.tags|first }}"),
    Construct("join", '{{ row.parts|join:", " }}', '{{ row.parts|join(", ") }}'),
    Construct("json_script", '{{ row.mapping|json_script:"data" }}'),
    Construct("last", "{{ row.tags|last }}", "{{ row.tags|last }}"),
    Construct("length", "{{ row.tags|length }}", "{{ row.tags|length }}"),
    Construct("length of text", "{{ row.name|length }}", "{{ row.name|length }}"),
    Construct("make_list", "{{ row.number|make_list }}", "{{ row.number|string|list }}"),
    Construct("pprint", "{{ row.mapping|pprint }}", "{{ row.mapping|pprint }}"),
    Construct("random", "{{ row.same|random }}", "{{ row.same|random }}"),
    Construct("safeseq", '{{ row.parts|safeseq|join:"," }}'),
    Construct(
        "slice",
        '{% for tag in row.tags|slice:":2" %}{{ tag }}{% endfor %}',
        "{% for tag in row.tags[:2] %}{{ tag }}{% endfor %}",
    ),
    Construct("slice of text", '{{ row.name|slice:":4" }}', "{{ row.name[:4] }}"),
    Construct("unordered_list", "{{ row.nested|unordered_list }}"),
)
