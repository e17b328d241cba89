-- Grain: one rule of one table (and column), with the rows that break it, zero included; a row may break several.
{{ config(schema='ops') }}

with

table_grades as (
    select * from {{ ref('table_grades') }}
),

quarantined_rows as (
    select * from {{ ref('quarantined_rows') }}
),

rules as (
    {{ rules_listed() }}
),

broken as (
    select table_name, rule || ':' || column_name as broken, count(*) as row_count
    from quarantined_rows
    where column_name is not null
    group by 1, 2
    union all
    select table_name, broken, count(*) as row_count
    from ({{ warnings_of_all_tables() }}) as warned
    group by 1, 2
),

row_checks as (
    select
        rules.table_name,
        rules.rule,
        rules.column_name,
        rules.severity,
        coalesce(broken.row_count, 0) as row_count,
        rules.column_name || ': ' || rules.accepted || '.' as message
    from rules
    left join broken on rules.table_name = broken.table_name and broken.broken = rules.rule || ':' || rules.column_name
),

required_tables as (
    select
        table_name,
        'required_table' as rule,
        'stop' as severity,
        case when rows_loaded = 0 then 1 else 0 end as row_count,
        case
            when rows_in = 0 then table_name || ' is required and has no rows: map a file to it.'
            when rows_loaded = 0
                then table_name || ' is required, and all ' || rows_in || ' rows are in quarantine:'
                    || ' see quarantine.quarantined_rows.'
            else table_name || ' is required and has rows.'
        end as message
    from table_grades
    where is_required
),

stale_tables as (
    {{ stale_tables('table_grades') }}
),

missing_rates as (
    {{ missing_rates() }}
),

landing_checks as (
    select raw_table as table_name, rule, 'warn' as severity, row_count, message
    from {{ source('ops', 'landing_checks') }}
),

unreadable as (
    select
        table_name,
        'unreadable' as rule,
        'quarantine' as severity,
        count(*) as row_count,
        'Lines that could not be read; the reason of each stands in quarantine.quarantined_rows.' as message
    from quarantined_rows
    where rule = 'unreadable'
    group by table_name
),

table_checks as (
    select * from required_tables
    union all select * from stale_tables
    union all select * from missing_rates
    union all {{ spend_of_unknown_stores() }}
    union all select * from landing_checks
    union all select * from unreadable
),

final as (
    select table_name, rule, column_name, severity, cast(row_count as bigint) as row_count, message
    from row_checks
    union all
    select table_name, rule, null, severity, cast(row_count as bigint), message
    from table_checks
)

select * from final
