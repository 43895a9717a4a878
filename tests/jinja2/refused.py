"""Templates that a sandbox refuses, for `test_sandbox`; the names are those of its contexts."""

RUN = "{% macro run(f) %}{{ f() }}{% endmacro %}"
EACH = "{% macro each(f) %}{{ caller(f) }}{% endmacro %}"

WRITES = [
    "qs.delete()",
    "read.delete()",
    "qs.update(weight=0)",
    "read.update(weight=0)",
    "qs.bulk_create([])",
    "qs.bulk_update(qs, ['weight'])",
    "qs.adelete()",
    "qs.aupdate(weight=0)",
    "qs.filter(weight__gt=0).delete()",
    "qs.all().delete()",
    "manager.all().delete()",
    "manager.bulk_create([])",
    "leo.delete()",
    "leo.save()",
    "leo.adelete()",
    "leo.mother.delete()",
    "leo.foods.clear()",
    "leo.foods.add(1)",
    "leo.foods.set([])",
    "leo.foods.aclear()",
    "leo.foods.create(name='x')",
    "leo.foods.all().delete()",
    "leo.visits.all().delete()",
    "leo.children.update(weight=0)",
    "leo.children.clear()",
    "user.groups.clear()",
    "user.groups.all().delete()",
]

PLACES = [
    "{{ (qs|attr('delete'))() }}",
    "{{ (leo|attr('delete'))() }}",
    "{{ ([qs]|map(attribute='delete')|first)() }}",
    "{{ ([qs]|map('attr', 'delete')|first)() }}",
    "{{ (([qs]|map(attribute='delete')|list)[0])() }}",
    "{{ ([leo]|sort(attribute='name')|map(attribute='delete')|first)() }}",
    "{{ qs['delete']() }}",
    "{{ {'d': qs.delete}['d']() }}{{ {'d': qs.delete}.d() }}",
    "{% set d = qs.delete %}{{ d() }}",
    "{% set ns = namespace(d=qs.delete) %}{{ ns.d() }}",
    "{% for d in [qs.delete] %}{{ d() }}{% endfor %}",
    "{% for d in [qs]|map(attribute='delete') %}{{ loop.index }}{{ d() }}{% endfor %}",
    "{% with d = qs.delete %}{{ d() }}{% endwith %}",
    RUN + "{{ run(qs.delete) }}",
    "{% macro default(f, x=f()) %}{% endmacro %}{{ default(qs.delete) }}",
    EACH + "{% call(f) each(qs.delete) %}{{ f() }}{% endcall %}",
    "{% if qs.delete() %}{% endif %}",
    "{% if not (leo.foods.clear() and true) %}{% endif %}",
    "{% for x in qs.delete() %}{% endfor %}",
    "{% for x in text if qs.delete() %}{% endfor %}",
    "{% for a in qs %}{{ a.delete() }}{% endfor %}",
    "{% for a in qs %}{{ loop.index }}{{ a.foods.clear() }}{% endfor %}",
    "{% set x = qs.delete() %}",
    "{% do qs.delete() %}",
    "{% filter upper %}{{ qs.delete() }}{% endfilter %}",
    "{% block b %}{{ qs.delete() }}{% endblock %}",
    "{{ qs.delete()|length }}{{ qs.delete() is none }}",
    "{{ text|join(qs.delete()) }}{{ text|map('replace', 'a', qs.delete())|list }}",
    "{{ 1 + qs.delete() }}{{ 'a' ~ qs.delete() }}{{ 1 in qs.delete() }}",
    "{{ text[qs.delete()] }}{{ qs.delete()[0] }}",
    "{{ qs.delete().x }}{{ (qs.delete() or 1) }}",
    "{{ 1 if qs.delete() else 2 }}",
    "{% include qs.delete() %}",
    "{{ qs.delete(*text) }}{{ qs.delete(**{}) }}",
    "{{ qs.delete(text|map('upper')) }}",
]

PRIVATE = [
    "{{ qs._raw_delete('default') }}",
    "{{ qs._result_cache.x }}",
    "{{ leo._state.db }}",
    "{{ leo.mother._state.db }}",
    "{{ leo['_state'].db }}",
    "{{ (leo|attr('_state')).db }}",
    "{{ leo.foods._add_items('a') }}",
    "{{ [leo]|map(attribute='_state.db')|list }}",
    "{{ [leo, leo]|sort(attribute='_state.db') }}",
    "{{ [leo]|groupby('_state.db') }}",
    "{{ [leo]|selectattr('_state.db')|list }}",
    "{{ qs|map(attribute='_state.db')|list }}",
    "{{ qs|map(attribute='species._state.db')|list }}",
    "{{ '{0._state.db}'.format(leo) }}",
    "{{ qs.delete.__func__.x }}{{ leo.delete.__globals__.x }}",
]

WRITES = [f"{{{{ {source} }}}}" for source in WRITES]

STRICTER = [
    "{{ qs.count() }}",
    "{{ qs.exists() }}",
    "{{ qs.first() }}",
    "{{ read.count() }}{{ read.first() }}",
    "{{ manager.count() }}",
    "{{ leo.foods.count() }}",
    "{{ leo.foods.all() }}",
    "{{ leo.foods.all()|length }}",
    "{% for f in leo.foods.all() %}{{ f }}{% endfor %}",
    "{% for a in qs %}{{ a.foods.count() }}{% endfor %}",
    "{% for a in qs %}{{ a.foods.exists() }}{% endfor %}",
    "{% for a in read %}{% for f in a.foods.all() %}{{ f }}{% endfor %}{% endfor %}",
    "{{ (qs|attr('count'))() }}{{ ([qs]|map(attribute='count')|first)() }}",
    "{% set c = leo.foods.count %}{{ c() }}",
    "{{ user.get_full_name() }}",
]
"""What sandboxes of a site's own refuse: all of them, though it does no harm."""

STRICTER_STILL = [
    "{{ leo.weight ~ '' }}{{ leo.weight.x }}",
    "{{ leo.mother.name }}{{ qs[0].mother.name }}",
    "{{ leo.children.all() }}{{ leo.children.count() }}",
    "{{ qs|map(attribute='mother.name')|list }}",
    "{{ qs|sort(attribute='mother.name') }}",
    "{{ qs|sum(attribute='weight') }}",
    "{% for a in qs %}{{ a.children.count() }}{% endfor %}",
    "{{ 'a'.upper() }}",
    "{% macro forbidden() %}x{% endmacro %}{{ forbidden() }}",
    "{% macro forbidden() %}{{ caller() }}{% endmacro %}{% call forbidden() %}x{% endcall %}",
    "{% block b %}x{% endblock %}{{ self.b() }}",
    "{% for x in [[]] recursive %}{{ loop(x) }}{% endfor %}",
]
"""What `Stricter` refuses beside that."""

ALLOWED = [
    "{{ qs.count() }}{{ leo.foods.count() }}{{ user.get_full_name() }}{{ qs.filter(weight=1).exists() }}",
    "{% for a in qs %}{{ a.foods.count() }}{% for f in a.foods.all() %}{{ f }}{% endfor %}{% endfor %}",
    RUN + EACH + "{{ run(user.get_full_name) }}{% call(f) each(qs.count) %}{{ f() }}{% endcall %}",
    "{% for x in [[[], []]] recursive %}<{{ loop(x) }}>{% endfor %}{% block b %}b{% endblock %}{{ self.b() }}",
    "{{ leo.mother.name }}{{ qs|map(attribute='species.name')|list }}{{ 'a'.upper() }}",
]
"""What the usual sandboxes allow."""
