{# One macro writes the check of any contract table: every landed row once, typed, with what is wrong with it. #}
{% macro checked_rows(table) %}
{%- set contract = contract_tables()[table] -%}
{%- set landed = source('landed', table) -%}
{%- set types = types_of(landed) -%}
{%- set given = columns_that_may_misfit(contract['columns'], types) -%}
{%- set rules = row_rules(table, given) | rejectattr('condition', 'none') | list -%}
{%- set breaking = rules | rejectattr('severity', 'equalto', 'warn') | list -%}
{%- set odd = rules | selectattr('severity', 'equalto', 'warn') | list -%}
{%- set content = contract['columns'] | map(attribute='name') | list + extra_columns(types) -%}
{%- set has_repeats = keys_repeat(table, landed, types) -%}

with

fitted as not materialized (
    select
        {%- for column in contract['columns'] %}
        {{ fitted_column(column, types) }} as {{ column['name'] }},
        {%- endfor %}
        {%- for name in given %}
        {{ given_text(name, types) }} as _given_{{ name }},
        {%- endfor %}
        {{ (extra_columns(types) + lineage_columns()) | join(',\n        ') }}
    from {{ landed }}
),
{% if has_repeats %}
repeated as (
    select {{ row_hash(row_identity(table)) }} as identity_hash
    from fitted
    group by 1
    having count(*) > 1
),
{% endif %}
suspected as (
    select
        fitted.*,
        {%- for reference in contract['references'] %}
        {{ orphaned(reference, loop.index) }} as _is_orphan_{{ loop.index }},
        {%- endfor %}
        {{ 'repeated.identity_hash is not null' if has_repeats else 'false' }} as _is_repeated
    from fitted
    {%- for reference in contract['references'] %}
    {{ parent_join(reference, loop.index) }}
    {%- endfor %}
    {%- if has_repeats %}
    left join repeated on repeated.identity_hash = {{ row_hash(row_identity(table), 'fitted.') }}
    {%- endif %}
),

sorted as (
    select
        *,
        {{ any_broken(breaking) }} as _is_broken,
        {{ any_broken(odd) }} as _is_odd
    from suspected
),

judged as {{ 'materialized ' if has_repeats }}(
    select
        {{ (content + lineage_columns()) | join(',\n        ') }},
        _is_repeated,
        case when _is_broken then {{ broken_rules(breaking) }} end as _violations,
        case when _is_broken then {{ found_values(breaking) }} end as _found,
        case when _is_odd then {{ broken_rules(odd) }} end as _warnings
    from sorted
)
{% if has_repeats %}
, {{ ranked_repeats(table, content) }}
{% endif %}
select
    {{ (content + lineage_columns()) | join(',\n    ') }},
    _violations,
    _found,
    _warnings,
    _violations is null as _is_current
from judged
{%- if has_repeats %}
where not (_is_repeated and _violations is null)
union all
select
    {{ (content + lineage_columns()) | join(',\n    ') }},
    case when _is_duplicate then 'key:{{ key_rule(table)['column'] }}' end as _violations,
    case when _is_duplicate then {{ joined_text(named_key(table), ', ') }} end as _found,
    _warnings,
    _rank = 1 as _is_current
from ruled
{%- endif %}
{% endmacro %}

{# Does any key come more than once? Asked first, and of the key columns alone: mostly not, and then no row is ranked. #}
{% macro keys_repeat(table, landed, types) %}
    {%- if not execute -%} {{- return(false) -}} {%- endif -%}
    {%- set identity = [] -%}
    {%- for column in contract_tables()[table]['columns'] if column['name'] in row_identity(table) -%}
        {%- do identity.append(fitted_column(column, types)) -%}
    {%- endfor -%}
    {%- set found = run_query(
        'select 1 from (select ' ~ row_hash(identity) ~ ' as h from ' ~ landed ~ ') as keys group by h having count(*) > 1 limit 1'
    ) -%}
    {{- return(found.rows | length > 0) -}}
{% endmacro %}

{#
    Among rows with one key the newest version wins (updated_at, then the file's date), a tie goes by content, so that
    the order of arrival never matters. Older versions and the same row out of another file are superseded. What is left
    of the winner's version, another content or a second copy in one file, is a duplicate.
#}
{% macro ranked_repeats(table, content) -%}
contested as (
    select *, md5({{ joined_text(content, 'chr(31)') }}) as _content
    from judged
    where _is_repeated and _violations is null
),

ranked as (
    select
        *,
        row_number() over newest_first as _rank,
        first_value(updated_at) over newest_first as _winner_updated_at,
        first_value(_file_date) over newest_first as _winner_file_date,
        first_value(_content) over newest_first as _winner_content,
        row_number() over (
            partition by {{ row_identity(table) | join(', ') }}, updated_at, _file_date, _content, _file_hash
            order by _row_number
        ) as _copy
    from contested
    window newest_first as (
        partition by {{ row_identity(table) | join(', ') }}
        order by updated_at desc nulls last, _file_date desc nulls last, _content desc, _file_hash, _row_number
    )
),

ruled as (
    select
        *,
        _rank > 1
            and updated_at is not distinct from _winner_updated_at
            and _file_date is not distinct from _winner_file_date
            and (_content <> _winner_content or _copy > 1) as _is_duplicate
    from ranked
)
{%- endmacro %}

{# The accepted rows of a parent, and whether there are any rows of it at all. #}
{% macro parent_join(reference, number) -%}
    {%- set parent, alias = ref('chk_' ~ reference['table']), 'parent_' ~ number -%}
    {%- set distinct = 'distinct ' if contract_tables()[reference['table']]['versioned_by'] else '' -%}
    left join (
        select {{ distinct }}{{ reference['to_columns'] | join(', ') }}, true as is_accepted
        from {{ parent }}
        where _is_current
    ) as {{ alias }} on
        {%- for column in reference['columns'] %}
        {{ 'and ' if not loop.first }}{{ alias }}.{{ reference['to_columns'][loop.index0] }} = fitted.{{ column }}
        {%- endfor %}
    cross join (select count(*) > 0 as is_present from {{ parent }}) as {{ alias }}_presence
{%- endmacro %}

{% macro any_broken(rules) -%}
    {%- for rule in rules -%} {{ '\n            or ' if not loop.first }}({{ rule['condition'] }}) {%- else -%} false {%- endfor -%}
{%- endmacro %}

{# The names of the broken rules, `rule:column`, with commas between. #}
{% macro broken_rules(rules) -%}
    {%- if rules -%}
    concat_ws(','
        {%- for rule in rules -%} ,
            case when {{ rule['condition'] }} then '{{ rule['rule'] }}:{{ rule['column'] }}' end
        {%- endfor %}
        )
    {%- else -%} cast(null as {{ dbt.type_string() }}) {%- endif -%}
{%- endmacro %}

{# What was found where each of them broke, in the same order, one entry each; never a personal value. #}
{% macro found_values(rules) -%}
    concat_ws(chr(31)
        {%- for rule in rules -%} ,
            case when {{ rule['condition'] }} then {% if rule['found'] == "''" %}''{% else -%}
            replace(left(coalesce({{ rule['found'] }}, ''), 200), chr(31), ' '){% endif %} end
        {%- endfor %}
        )
{%- endmacro %}

{% macro joined_text(columns, separator) -%}
    concat_ws({{ separator if '(' in separator else "'" ~ separator ~ "'" }}
        {%- for name in columns %}, coalesce(cast({{ name }} as {{ dbt.type_string() }}), ''){% endfor %})
{%- endmacro %}
