{#
    The checks of any contract table, written from the contract.

    chk_<table> (table): every landed row once, its columns typed, beside them what is wrong with it, mostly nothing.
    stg_<table> (view): the accepted rows of it. So a row is read, typed, judged and written once.
#}

{# Every landed row, its columns fitted to the contract. `given` also keeps the landed text of those that may not fit. #}
{% macro fitted_rows(contract, landed, types, given=[]) -%}
    select
        {%- for column in contract['columns'] %}
        {{ fitted_column(column, types) }} as {{ column['name'] }},
        {%- endfor %}
        {%- for name in given %}
        {{ given_text(name, types) }} as _given_{{ name }},
        {%- endfor %}
        {{ (extra_columns(types) + lineage_columns()) | join(',\n        ') }}
    from {{ landed }}
{%- endmacro %}

{# Every landed row once, typed, with its finding: what it violates, what is odd, and whether it is the one to use. #}
{% macro checked_rows(table) %}
{%- set contracts = contract_tables() -%}
{%- set contract = contracts[table] -%}
{%- set types = types_of(source('landed', table)) -%}
{%- set landed = rows_judged_anew(contract, source('landed', table), types, table) -%}
{%- set given = columns_that_may_misfit(contract['columns'], types) -%}
{%- set rules = row_rules(contract, given) | rejectattr('condition', 'none') | list -%}
{%- set breaking = rules | rejectattr('severity', 'equalto', 'warn') | list -%}
{%- set odd = rules | selectattr('severity', 'equalto', 'warn') | list -%}
{%- set content = contract['columns'] | map(attribute='name') | list + extra_columns(types) -%}
{%- set has_repeats = keys_repeat(contract, landed, types) -%}
{{ config(materialized='kept', key=row_place(), touched='own', carries=told_of_rows(contract)) }}

with

fitted as not materialized (
    {{ fitted_rows(contract, landed, types, given) }}
),
{% if has_repeats %}
repeated as (
    select {{ row_hash(row_identity(contract)) }} as identity_hash
    from fitted
    group by 1
    having count(*) > 1
),
{% endif %}
linked as (
    select
        fitted.*,
        {%- for reference in contract['references'] %}
        {{ orphaned(reference, loop.index) }} as _is_orphan_{{ loop.index }},
        {%- endfor %}
        {{ 'repeated.identity_hash is not null' if has_repeats else 'false' }} as _is_repeated
    from fitted
    {%- for reference in contract['references'] %}
    {{ parent_join(reference, loop.index, contracts[reference['table']]) }}
    {%- endfor %}
    {%- if has_repeats %}
    left join repeated on repeated.identity_hash = {{ row_hash(row_identity(contract), 'fitted.') }}
    {%- endif %}
),

suspected as (
    select
        *,
        coalesce({{ any_broken(breaking) }}, false) as _is_broken,
        coalesce({{ any_broken(odd) }}, false) as _is_odd
    from linked
),

{% if has_repeats -%}
judged as materialized (
    select
        {{ (content + lineage_columns()) | join(',\n        ') }},
        _is_repeated,
        {{ finding_of(breaking, odd) }}
    from suspected
    where _is_broken or _is_odd or _is_repeated
),

{{ settled_repeats(contract, content) }}

final as (
    select
        {%- for name in content + lineage_columns() %}
        fitted.{{ name }},
        {%- endfor %}
        settled._violations,
        settled._found,
        settled._warnings,
        coalesce(settled._violations is null and settled._rank = 1, true) as _is_current
    from fitted
    left join settled
        on
            fitted._raw_table = settled._raw_table
            and fitted._file_hash = settled._file_hash
            and fitted._row_number = settled._row_number
            {%- for name in contract['key'] %}
            and fitted.{{ name }} is not distinct from settled.{{ name }}
            {%- endfor %}
)
{%- else -%}
final as (
    select
        {{ (content + lineage_columns()) | join(',\n        ') }},
        {{ finding_of(breaking, odd) }},
        not _is_broken as _is_current
    from suspected
)
{%- endif %}

select * from final
{% endmacro %}

{# What is wrong and what is odd with a row, told only where something is. #}
{% macro finding_of(breaking, odd) -%}
        case when _is_broken then {{ broken_rules(breaking) }} end as _violations,
        case when _is_broken then {{ found_values(breaking) }} end as _found,
        case when _is_odd then {{ broken_rules(odd) }} end as _warnings
{%- endmacro %}

{# Does any key come more than once? Asked first, and of the key columns alone: mostly not, and then no row is ranked. #}
{% macro keys_repeat(contract, landed, types) %}
    {%- if not execute -%} {{- return(false) -}} {%- endif -%}
    {%- set found = run_query(
        'select 1 from (select ' ~ row_hash(fitted_identity(contract, types)) ~ ' as h from ' ~ landed ~ ') as keys'
        ~ ' group by h having count(*) > 1 limit 1'
    ) -%}
    {{- return(found.rows | length > 0) -}}
{% endmacro %}

{#
    Among rows with one key the newest version wins (updated_at, then the file's date), a tie goes by content, so that
    the order of arrival never matters. Older versions and the same row out of another file are superseded. What is left
    of the winner's version, another content or a second copy in one file, is a duplicate. Rows that a mapping made
    twice of one source row are all duplicates, since nothing tells them apart: each of these copies has the one finding.
    A broken row is mended, and superseded too, when another file holds an accepted row of its key that is no older.
#}
{% macro settled_repeats(contract, content) -%}
{%- set key, identity = contract['key'] | join(', '), row_identity(contract) | join(', ') -%}
{%- set kept = key ~ ', _source, _raw_table, _file_hash, _row_number' -%}
{%- set duplicate = "'key:" ~ key_rule(contract)['column'] ~ "'" -%}
{%- set duplicate_key = joined_text(named_key(contract), "', '") -%}
paired as (
    select
        *,
        md5({{ joined_text(content, 'chr(31)') }}) as _content,
        count(*) over (partition by {{ key }}, _raw_table, _file_hash, _row_number) as _copies,
        row_number() over (partition by {{ key }}, _raw_table, _file_hash, _row_number order by _violations) as _copy
    from judged
),

ranked as (
    select
        *,
        row_number() over newest_first as _rank,
        first_value(updated_at) over newest_first as _winner_updated_at,
        first_value(_file_date) over newest_first as _winner_file_date,
        first_value(_content) over newest_first as _winner_content,
        row_number() over (
            partition by {{ identity }}, updated_at, _file_date, _content, _raw_table, _file_hash order by _row_number
        ) as _same_in_file
    from paired
    where _is_repeated and _violations is null and _copies = 1
    window newest_first as (
        partition by {{ identity }}
        order by updated_at desc nulls last, _file_date desc nulls last, _content desc, _file_hash, _raw_table, _row_number
    )
),

ruled as (
    select
        *,
        _rank > 1
            and updated_at is not distinct from _winner_updated_at
            and _file_date is not distinct from _winner_file_date
            and (_content <> _winner_content or _same_in_file > 1) as _is_duplicate
    from ranked
),

weighed as (
    select
        paired.*,
        paired._copies = 1 and paired._violations is not null
            and coalesce(paired._file_hash <> winners._file_hash, false)
            and not {{ is_newer('paired', 'winners', 'updated_at') }}
            and (
                paired.updated_at is distinct from winners.updated_at
                or not {{ is_newer('paired', 'winners', '_file_date') }}
            ) as _is_mended
    from paired
    left join (select * from ranked where _rank = 1) as winners
        on {{ row_hash(row_identity(contract), 'paired.') }} = {{ row_hash(row_identity(contract), 'winners.') }}
),

settled as (
    select
        {{ kept }},
        case when _is_duplicate then {{ duplicate }} end as _violations,
        case when _is_duplicate then {{ duplicate_key }} end as _found,
        _warnings,
        _rank
    from ruled
    where _rank > 1 or _warnings is not null
    union all
    select
        {{ kept }},
        case when not _is_mended then coalesce(_violations, case when _copies > 1 then {{ duplicate }} end) end
            as _violations,
        case when not _is_mended then coalesce(_found, case when _copies > 1 then {{ duplicate_key }} end) end as _found,
        case when not _is_mended then _warnings end as _warnings,
        case when _is_mended then 2 else 1 end as _rank
    from weighed
    where _copy = 1 and not (_is_repeated and _violations is null and _copies = 1)
),
{%- endmacro %}

{# Does one row come after the other by a column? What has no value comes before what has one. #}
{% macro is_newer(row, other, column) -%}
    coalesce({{ row }}.{{ column }} > {{ other }}.{{ column }}, {{ row }}.{{ column }} is not null)
{%- endmacro %}

{# The accepted rows of a parent, and whether any row of it has landed. #}
{% macro parent_join(reference, number, parent) -%}
    {%- set alias = 'parent_' ~ number -%}
    left join (
        select {{ 'distinct ' if parent['versioned_by'] }}{{ reference['to_columns'] | join(', ') }}, true as is_accepted
        from {{ ref('stg_' ~ reference['table']) }} as parents
        {%- if is_kept() %}
        where {{ is_among('parents', reference['to_columns'], 'fitted', listed=reference['columns']) }}
        {%- endif %}
    ) as {{ alias }} on
        {%- for column in reference['columns'] %}
        {{ 'and ' if not loop.first }}{{ alias }}.{{ reference['to_columns'][loop.index0] }} = fitted.{{ column }}
        {%- endfor %}
    cross join (
        select count(*) > 0 as is_present from (select 1 from {{ source('landed', reference['table']) }} limit 1) as any_row
    ) as {{ alias }}_presence
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
    {%- else -%} cast(null as varchar) {%- endif -%}
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
    concat_ws({{ separator }}
        {%- for name in columns %}, coalesce(cast({{ name }} as varchar), ''){% endfor %})
{%- endmacro %}
