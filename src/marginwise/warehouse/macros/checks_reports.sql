{# What the reports over all checks share: the rules as rows, and the checked tables read one after another. #}

{# Every rule of every table as rows, so that a rule nobody broke is reported with zero. #}
{% macro rules_listed() -%}
    select * from (
        values
        {%- for table, contract in contract_tables().items() %}
        {%- set last_table = loop.last %}
        {%- for rule in row_rules(contract) + [key_rule(contract)] %}
        (
            '{{ table }}', '{{ rule['rule'] }}', '{{ rule['column'] }}', '{{ rule['severity'] }}',
            {{ rule['pii'] | lower }}, '{{ rule['accepted'] | trim | replace("'", "''") }}'
        )
        {{- '' if last_table and loop.last else ',' }}
        {%- endfor %}
        {%- endfor %}
    ) as listed (table_name, rule, column_name, severity, is_pii, accepted)
{%- endmacro %}

{# One row per row and broken rule, out of all checked tables; rows that a mapping made twice of one are told once. #}
{% macro broken_rules_of_all_tables() -%}
    {%- for table, contract in contract_tables().items() -%}
    {{ 'union all' if not loop.first }}
    select
        '{{ table }}' as table_name,
        _source as source_name,
        _raw_table as raw_table,
        _file_hash as file_hash,
        _row_number as row_number,
        unnest(string_to_array(_violations, ',')) as broken,
        unnest(string_to_array(_found, chr(31))) as value
    from (
        select distinct
            {{ contract['key'] | join(', ') }}, _source, _raw_table, _file_hash, _row_number, _violations, _found
        from {{ ref('chk_' ~ table) }}
        where _violations is not null
    ) as violating
    {% endfor -%}
{%- endmacro %}

{# One row per loaded row and warning, out of all checked tables. #}
{% macro warnings_of_all_tables() -%}
    {%- for table in contract_tables() -%}
    {{ 'union all' if not loop.first }}
    select '{{ table }}' as table_name, unnest(string_to_array(_warnings, ',')) as broken
    from {{ ref('chk_' ~ table) }}
    where _warnings is not null and _violations is null
    {% endfor -%}
{%- endmacro %}

{# The relation that tells how many rows each landed table holds. Where DuckDB lands, landing lays a view that counts them sooner, a
   version of long ago aside. #}
{% macro landed_rows() -%}
    {{ return(adapter.dispatch('landed_rows', 'marginwise')()) }}
{%- endmacro %}
{% macro default__landed_rows() -%}
    (
        {%- for table in contract_tables() %}
        {{ 'union all' if not loop.first }}
        select '{{ table }}' as table_name, count(*) as row_count from {{ source('landed', table) }}
        {%- endfor %}
    )
{%- endmacro %}
{% macro duckdb__landed_rows() -%}
    {%- if is_any("information_schema.tables where table_schema = 'ops' and table_name = 'landed_rows'") -%} ops.landed_rows
    {%- else -%} {{ default__landed_rows() }}
    {%- endif -%}
{%- endmacro %}

{# Rows in, and what became of them, one row per table: a row both read and in quarantine would count twice. `unreadable_lines` and
   `landed_rows` are relations of the model that asks. #}
{% macro counts_of_all_tables() -%}
    select
        listed.table_name,
        listed.is_required,
        cast(listed.freshness_days as integer) as freshness_days,
        landed.row_count + coalesce(broken_lines.row_count, 0) as rows_in,
        checked.row_count - checked.lost_count as rows_loaded,
        checked.left_out_count - checked.lost_count as rows_superseded,
        checked.quarantined_count + coalesce(broken_lines.row_count, 0) as rows_quarantined,
        checked.warned_count as rows_warned,
        newest.newest_at
    from (
        values
        {%- for table, contract in contract_tables().items() %}
        ('{{ table }}', {{ contract['required'] | lower }}, {{ contract['freshness_days'] or 'null' }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as listed (table_name, is_required, freshness_days)
    left join landed_rows as landed on listed.table_name = landed.table_name
    left join (
        select
            table_name,
            {%- for name in ('row_count', 'left_out_count', 'quarantined_count', 'lost_count', 'warned_count') %}
            cast(sum({{ name }}) as bigint) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        from ({{ rows_counted_in_all_tables() }}) as counted
        group by table_name
    ) as checked
        on listed.table_name = checked.table_name
    left join ({{ newest_of_all_tables() }}) as newest on listed.table_name = newest.table_name
    left join (
        select table_name, count(*) as row_count from unreadable_lines
        group by table_name
    ) as broken_lines
        on listed.table_name = broken_lines.table_name
{%- endmacro %}

{# Each count asks for its own rows: most are rare, and DuckDB skips the parts of a table without any. #}
{% macro rows_counted_in_all_tables() -%}
    {%- for table in contract_tables() -%}
    {%- set checked = ref('chk_' ~ table) -%}
    {{ 'union all' if not loop.first }}
    select
        '{{ table }}' as table_name,
        count(*) as row_count,
        0 as left_out_count,
        0 as quarantined_count,
        0 as lost_count,
        0 as warned_count
    from {{ checked }}
    union all
    select '{{ table }}', 0, count(*), 0, 0, 0 from {{ checked }} where not _is_current
    union all
    select '{{ table }}', 0, 0, count(*), count(case when not _is_current then 1 end), 0 from {{ checked }}
    where _violations is not null
    union all
    select '{{ table }}', 0, 0, 0, 0, count(*) from {{ checked }} where _violations is null and _warnings is not null
    {% endfor -%}
{%- endmacro %}

{% macro newest_of_all_tables() -%}
    {%- for table, contract in contract_tables().items() if contract['freshness_column'] -%}
    {%- set newest = contract['freshness_column'] -%}
    {{ 'union all' if not loop.first }}
    select
        '{{ table }}' as table_name,
        (
            -- in this form the engine skips what is older than what it has seen
            select cast({{ newest }} as timestamp) from {{ ref('chk_' ~ table) }}
            where _is_current and {{ newest }} <= date '9999-12-31'
            order by {{ newest }} desc
            limit 1
        ) as newest_at
    {% endfor -%}
{%- endmacro %}

{# Every line that could not be read, of files that count, once for each table its file group feeds: it could have
   been a row of any of them. #}
{% macro unreadable_lines_of_tables() -%}
    select
        coalesce(feeds.table_name, broken.raw_table) as table_name,
        broken.source_name,
        broken.raw_table,
        broken.file_hash,
        broken.row_number,
        broken.reason
    from {{ source('raw', 'unreadable_rows') }} as broken
    inner join (
        select distinct file_hash, raw_table from {{ source('ops', 'files') }}
        where is_active
    ) as counted
        on broken.file_hash = counted.file_hash and broken.raw_table = counted.raw_table
    left join {{ source('ops', 'table_feeds') }} as feeds on broken.raw_table = feeds.raw_table
{%- endmacro %}

{# Tables whose newest row lies further behind the data's as-of day than the contract allows; never judged by a clock. #}
{% macro stale_tables(table_grades) -%}
    select
        graded.table_name,
        'freshness' as rule,
        'warn' as severity,
        case when {{ days_behind() }} > graded.freshness_days then 1 else 0 end as row_count,
        'The newest row is of ' || cast(graded.newest_at as date) || ', ' || {{ days_behind() }}
            || ' days before ' || known.as_of_date || '; accepted are ' || graded.freshness_days || '.' as message
    from {{ table_grades }} as graded
    cross join (
        select {{ as_of_day(local_date('ordered_at')) }} as as_of_date
        from {{ ref('stg_orders') }}
        where not coalesce(is_test, false)
    ) as known
    where graded.is_present and graded.newest_at is not null and known.as_of_date is not null
{%- endmacro %}

{% macro days_behind() -%} greatest(known.as_of_date - cast(graded.newest_at as date), 0) {%- endmacro %}

{# Spend of a store that has neither orders nor visits, a misspelt one most likely: it counts, and nothing stands beside it. #}
{% macro spend_of_unknown_stores() -%}
    select
        'marketing_spend' as table_name,
        'unknown_store' as rule,
        'warn' as severity,
        coalesce(sum(row_count), 0) as row_count,
        coalesce(
            'Spend of a store without orders and visits: ' || string_agg(store_id, ', ' order by {{ sortable('store_id') }}) || '.',
            'Every store with spend has orders or visits.'
        ) as message
    from (
        select store_id, count(*) as row_count from {{ ref('stg_marketing_spend') }}
        where store_id not in (
            {%- for table in ('orders', 'sessions', 'events') %}
            {{ 'union ' if not loop.first }}select store_id from {{ ref('stg_' ~ table) }}
            {%- endfor %}
        )
        group by store_id
    ) as unknown
{%- endmacro %}
