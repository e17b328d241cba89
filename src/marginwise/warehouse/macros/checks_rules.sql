{# What each contract table is held against: the one list behind the checks, the quarantine's reasons and their counts. #}

{#
    Every rule that is judged row by row, in the order in which a row's reasons are told. One entry:
    rule, column, severity, condition (SQL over the fitted columns, true when broken), found (SQL text or null),
    accepted (plain words). `given` names the columns whose landed text is at hand as _given_<column>.
#}
{% macro row_rules(contract, given=[]) %}
    {%- set rules = [] -%}
    {%- for column in contract['columns'] -%}
        {%- set name = column['name'] -%}
        {%- set text = "''" if column['pii'] else 'cast(' ~ name ~ ' as varchar)' -%}
        {%- set found = [] -%}
        {%- if column['type'] != 'text' -%}
            {%- do found.append(['type', misfit(column) if name in given else none, accepted_type(column['type'])]) -%}
        {%- endif -%}
        {%- if column['required'] and column['default'] is none -%}
            {%- set missing = name ~ ' is null' ~ (' and _given_' ~ name ~ ' is null' if name in given else '') -%}
            {%- do found.append(['required', missing, 'a value is required']) -%}
        {%- endif -%}
        {%- if column['allowed'] -%}
            {%- set accepted = 'accepted are ' ~ column['allowed'] | join(', ') -%}
            {%- do found.append(['allowed', name ~ " not in ('" ~ column['allowed'] | join("', '") ~ "')", accepted]) -%}
        {%- endif -%}
        {%- if column['minimum'] is not none or column['maximum'] is not none -%}
            {%- do found.append([column['range_rule'], outside(column), accepted_range(column)]) -%}
        {%- endif -%}
        {%- if column['pattern'] -%}
            {%- do found.append([column['pattern_rule'], unlike(column), accepted_pattern(column)]) -%}
        {%- endif -%}
        {%- if column['type'] in ('timestamp', 'date') -%}
            {%- do found.append(['impossible_date', impossible_date(column), accepted_dates(column)]) -%}
        {%- endif -%}
        {%- for rule, condition, accepted in found -%}
            {%- set value = "''" if column['pii'] else '_given_' ~ name if rule == 'type' else text -%}
            {%- do rules.append({
                'rule': rule, 'column': name, 'severity': column['on_violation'], 'condition': condition,
                'found': value, 'accepted': accepted, 'pii': column['pii'],
            }) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for reference in contract['references'] -%}
        {%- do rules.append({
            'rule': 'relationship', 'column': reference['column'], 'severity': reference['on_violation'],
            'condition': '_is_orphan_' ~ loop.index, 'pii': false,
            'found': 'cast(' ~ reference['column'] ~ ' as varchar)',
            'accepted': 'no accepted row of ' ~ reference['table'] ~ ' has it'
                ~ ('; the row waits until that row arrives' if reference['on_violation'] == 'quarantine' else ''),
        }) -%}
    {%- endfor -%}
    {{- return(rules) -}}
{% endmacro %}

{# The columns that name a row for people: its key without the store. #}
{% macro named_key(contract) %}
    {{- return(contract['key'] | reject('equalto', 'store_id') | list) -}}
{% endmacro %}

{# What makes two rows of a table the same row: its key, and the version where versions are kept. #}
{% macro row_identity(contract) %}
    {{- return(contract['key'] + ([contract['versioned_by']] if contract['versioned_by'] else [])) -}}
{% endmacro %}

{# The rule for rows that share their key. #}
{% macro key_rule(contract) %}
    {{- return({
        'rule': 'key', 'column': named_key(contract)[0], 'severity': 'quarantine', 'pii': false,
        'accepted': row_identity(contract) | join(', ') ~ ' may come once in a version',
    }) -}}
{% endmacro %}

{% macro misfit(column) -%}
    _given_{{ column['name'] }} is not null and
    {%- if column['default'] is none %} {{ column['name'] }} is null
    {%- else %} {{ fitting('_given_' ~ column['name'], column['sql_type']) }} is null
    {%- endif -%}
{%- endmacro %}

{% macro outside(column) -%}
    {%- if column['minimum'] is not none -%} {{ column['name'] }} < {{ column['minimum'] }} {%- endif -%}
    {%- if column['minimum'] is not none and column['maximum'] is not none %} or {% endif -%}
    {%- if column['maximum'] is not none -%} {{ column['name'] }} > {{ column['maximum'] }} {%- endif -%}
{%- endmacro %}

{# The reporting currency needs no regular expression: that spares one per row of nearly every store. #}
{% macro unlike(column) -%}
    {%- if column['pattern_rule'] == 'currency' -%} {{ column['name'] }} <> '{{ var("reporting_currency") }}' and {% endif -%}
    not {{ matches(column['name'], "'" ~ column['pattern'] ~ "'") }}
{%- endmacro %}

{# Before the first possible day, or after the day behind the one the file was landed (its clock may run ahead of UTC). #}
{% macro impossible_date(column) -%}
    {{ column['name'] }} < date '{{ column['earliest'] }}' or
    {%- if column['may_be_future'] %} {{ column['name'] }} > {{ column['type'] }} '9999-12-31'
    {%- else %} {{ column['name'] }} >= _landed_date + 2
    {%- endif -%}
{%- endmacro %}

{# A parent that is absent as a whole makes no orphans; one that waits in quarantine does. #}
{% macro orphaned(reference, number) -%}
    parent_{{ number }}.is_accepted is null and parent_{{ number }}_presence.is_present
    {%- for column in reference['columns'] %}{{ '' if column == 'store_id' else ' and fitted.' ~ column ~ ' is not null' }}{% endfor -%}
{%- endmacro %}

{% macro accepted_type(type) -%}
    accepted is {{ {
        'integer': 'a whole number',
        'decimal': 'a number such as 1234.56',
        'timestamp': 'a time such as 2026-01-31 18:30:00 (UTC)',
        'date': 'a day such as 2026-01-31',
        'boolean': 'true or false',
    }[type] }}
{%- endmacro %}

{% macro accepted_range(column) -%}
    accepted is
    {%- if column['minimum'] is not none %} at least {{ column['minimum'] }}{% endif -%}
    {%- if column['minimum'] is not none and column['maximum'] is not none %} and{% endif -%}
    {%- if column['maximum'] is not none %} at most {{ column['maximum'] }}{% endif -%}
    {%- if column['range_rule'] == 'negative_quantity' %}; what comes back belongs in refunds{% endif -%}
{%- endmacro %}

{% macro accepted_pattern(column) -%}
    accepted is
    {%- if column['pattern_rule'] == 'currency' %} an ISO 4217 code of three capital letters
    {%- else %} text like {{ column['pattern'] }}
    {%- endif -%}
{%- endmacro %}

{% macro accepted_dates(column) -%}
    accepted is {{ column['earliest'] }}
    {%- if column['may_be_future'] %} or later{% else %} up to the day after the file was landed{% endif -%}
{%- endmacro %}
